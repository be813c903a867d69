/** The example of a user's own role. `vitest run --project unit test/unit/roles/own-role.test.ts -u` puts its files into the page. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import fleet from '../../../docs/own-role/playbook.ts'
import { spoolExporter } from '../../../docs/own-role/role.ts'
import { workOf } from '../../../lib/engine/work.ts'
import { loadInventory } from '../../../lib/inventory/load.ts'
import { taskId } from '../../../lib/model.ts'
import { rolesOf } from '../../../lib/playbook.ts'
import { withFiles } from './own-role-page.ts'

const docs = join(import.meta.dirname, '../../../docs')
const load = () => loadInventory([join(docs, 'own-role/inventory')], rolesOf(fleet))

test('the page shows the files as they are', async () => {
  const path = join(docs, 'own-role.md')
  await expect(withFiles(readFileSync(path, 'utf8'), join(docs, 'own-role'))).toMatchFileSnapshot(path)
})

test('the playbook brings the role to the hosts of its group, after what deploy does', async () => {
  const inventory = await load()
  const works = await workOf(fleet, inventory, { hosts: inventory.hosts })
  const tasks = works
    .filter(({ host }) => host.name === 'spool-2')
    .flatMap(({ items }) => items.map(({ task }) => taskId(task)))
  expect(tasks).toEqual([
    'directory /opt/vestal',
    'package python3',
    'user spool-exp',
    'directory /srv/in box',
    'file /usr/local/lib/spool-exporter.py',
    'unit spool_exporter.service',
    'service spool_exporter',
  ])
})

test('its settings have defaults, and a host can have its own', async () => {
  const { hosts } = await load()
  expect(hosts.map((host) => spoolExporter.varsOf(host))).toEqual([
    { folder: '/var/spool/work', port: 9200 },
    { folder: '/srv/in box', port: 9200 },
  ])
})
