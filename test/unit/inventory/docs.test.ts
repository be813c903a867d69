import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { CONNECTION } from '../../../lib/inventory/connection-vars.ts'
import { loadInventory } from '../../../lib/inventory/load.ts'
import { vestalVariable } from '../../../lib/inventory/machine.ts'
import { keysAt } from '../../../lib/inventory/schema/json-schema.ts'
import { rolesOf } from '../../../lib/playbook.ts'
import deploy from '../../../playbooks/deploy.ts'
import { inFolder } from './files.ts'

const page = readFileSync(join(import.meta.dirname, '../../../docs/inventory.md'), 'utf8')
const files = Object.fromEntries(
  [...page.matchAll(/```yaml\n# (\S+\.yml)\n(.*?)```/gs)].map(([, path, text]) => [path, `# ${path}\n${text}`]),
)
const roles = rolesOf(deploy)

test('the inventory on the page is one that loads', async () => {
  await inFolder(files, async (folder) => {
    const { hosts } = await loadInventory([folder], roles, { env: { PAGERDUTY_KEY: 'x' } })
    expect(hosts.map(({ name, groups }) => `${name}: ${groups}`)).toEqual([
      'prom-1: node_exporter,prometheus',
      'prom-2: node_exporter,prometheus',
      'am-1: alertmanager,node_exporter',
      'am-2: alertmanager,node_exporter',
    ])
  })
})

test('the mistakes on the page are told in those words', async () => {
  const [, shown] = /```text\n(.*?)```/s.exec(page) ?? []
  const broken = {
    ...files,
    'hosts.yml': files['hosts.yml']?.replace('192.0.2.21', '"192.0.2.21:22"') ?? '',
    'group_vars/prometheus.yml': '# group_vars/prometheus.yml\nprometheus:\n  retenton: 30d\n  version: 3.5.3\n',
  }
  await inFolder(broken, async (folder) => {
    const error = await loadInventory([folder], roles, { env: { PAGERDUTY_KEY: 'x' } }).catch((thrown: Error) => thrown)
    expect(`${String(error).replace('InputError: ', '').replaceAll(`${folder}/`, '')}\n`).toBe(shown)
  })
})

test('the page names every setting of `vestal`, and variables that are obeyed', () => {
  for (const key of keysAt(vestalVariable, [])) expect(page).toContain(`\n| \`${key}\` |`)
  const named = [...page.matchAll(/^\| `(ansible_\w+)`/gm)].map(([, name]) => name)
  expect(named.length).toBeGreaterThan(9)
  for (const name of named) expect(Object.keys(CONNECTION)).toContain(name)
})
