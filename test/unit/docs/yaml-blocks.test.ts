import { readFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { globSync } from 'glob'
import { expect, test } from 'vitest'
import { loadInventory } from '../../../lib/inventory/load.ts'
import { collectMistakes } from '../../../lib/inventory/mistakes.ts'
import { parseSource } from '../../../lib/inventory/yaml/source.ts'
import { shippedRoles } from '../../../roles/registry.ts'
import { inFolder } from '../inventory/files.ts'

const ROOT = join(import.meta.dirname, '../../..')
const pages = globSync(['*.md', 'docs/**/*.md', 'roles/**/*.md'], { cwd: ROOT, ignore: '**/node_modules/**' }).sort()
const blocks = pages.flatMap((page) =>
  [...readFileSync(join(ROOT, page), 'utf8').matchAll(/^```ya?ml\n(.*?)^```/gms)].map(
    ([, text = ''], at): [string, string] => [`${relative('.', page)}, block ${at + 1}`, text],
  ),
)

test.each(blocks)('%s is YAML as Vestal reads it', (name, text) => {
  const mistakes = collectMistakes()
  parseSource({ file: basename(name), text }, mistakes)
  mistakes.throwAny()
})

test('the inventory that README begins with loads as it is', async () => {
  const [, first = ''] = /^```yaml\n(.*?)^```/ms.exec(readFileSync(join(ROOT, 'README.md'), 'utf8')) ?? []
  const settings = {
    prometheus: { version: '3.5.3' },
    alertmanager: { version: '0.33.1', config: { route: { receiver: 'a' }, receivers: [{ name: 'a' }] } },
    node_exporter: { version: '1.11.1' },
  }
  const addresses = Object.fromEntries(
    ['am-1', 'am-2', 'am-3'].map((name, at) => [`host_vars/${name}.yml`, `ansible_host: 192.0.2.${at + 1}\n`]),
  )
  await inFolder(
    { 'hosts.yml': first, 'group_vars/all.yml': JSON.stringify(settings), ...addresses },
    async (folder) => {
      const { hosts } = await loadInventory([folder], shippedRoles)
      expect(hosts.map(({ name, groups }) => `${name}: ${groups}`)).toEqual([
        'prom-1: node_exporter,prometheus',
        'prom-2: node_exporter,prometheus',
        'am-1: alertmanager,node_exporter',
        'am-2: alertmanager,node_exporter',
        'am-3: alertmanager,node_exporter',
      ])
    },
  )
})
