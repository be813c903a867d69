import deploy from '../../../playbooks/deploy.ts'
import { connectionPool } from '../../engine/pool.ts'
import { rolesOf } from '../../playbook.ts'
import { connecting } from '../connecting.ts'
import { inLab, openInventory } from '../open-inventory.ts'
import type { RoutesFlags } from '../route-options.ts'
import { coverage } from '../routes/coverage.ts'
import { diff } from '../routes/diff.ts'
import { routingOf } from '../routes/fleet.ts'
import { show } from '../routes/show.ts'
import { test } from '../routes/test.ts'

/** Who is told of which alert. `test` and `show` touch no machine; `diff` and `coverage` ask Prometheus and Alertmanager. */
export const routes = async (flags: RoutesFlags): Promise<number> => {
  const { inventory, hosts } = await openInventory(flags, rolesOf(deploy))
  if (flags.action === 'test') return test(inventory, routingOf(inventory), flags)
  if (flags.action === 'show') return show(routingOf(inventory), flags)
  const inside = await inLab(hosts)
  if (inside !== null) return inside
  await using pool = connectionPool(connecting(flags))
  const asked = { inventory, hosts, reach: pool.reach }
  // Awaited here, so that the links stay open meanwhile.
  return await (flags.action === 'diff' ? diff(asked, flags) : coverage(asked, flags))
}
