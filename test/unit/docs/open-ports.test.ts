/** docs/open-ports.md names every port that a role of the examples listens on, and who must reach it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadInventory } from '../../../lib/inventory/load.ts'
import { rolesOn, scopeOf } from '../../../lib/playbook.ts'
import { shippedRoles } from '../../../roles/registry.ts'

const root = join(import.meta.dirname, '../../..')

const listening = async (): Promise<readonly string[]> => {
  const all = await Promise.all(
    ['ha', 'global', 'cortex', 'sharded'].map(async (example) => {
      const inventory = await loadInventory([join(root, 'inventory', example)], shippedRoles)
      return inventory.hosts.flatMap((host) =>
        rolesOn(host, inventory.roles).flatMap((role) =>
          (role.needs?.(scopeOf(role, host, inventory)).ports ?? []).map(
            ({ port, protocol }) => `${role.name} ${port} ${protocol}`,
          ),
        ),
      )
    }),
  )
  return [...new Set(all.flat())].sort()
}

test('every port of a role is in the table, and nothing else is', async () => {
  const page = readFileSync(join(root, 'docs/open-ports.md'), 'utf8')
  const rows = [...page.matchAll(/^\| `([\w-]+)` \| (\d+) \| (tcp|udp|tcp, udp) \|/gm)].flatMap(
    ([, role, port, protocols = '']) => protocols.split(', ').map((protocol) => `${role} ${port} ${protocol}`),
  )
  expect(rows.sort()).toEqual(await listening())
})
