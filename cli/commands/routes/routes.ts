import { connectionPool } from '../../../lib/engine/pool.ts'
import { connecting } from '../../connecting.ts'
import { inLab, openInventory } from '../../context.ts'
import { coverage } from './coverage.ts'
import { diff } from './diff.ts'
import { routingOf } from './fleet.ts'
import type { RoutesFlags } from './options.ts'
import { show } from './show.ts'
import { test } from './test.ts'

/** Who is told of which alert. `test` and `show` touch no machine; `diff` and `coverage` ask Prometheus and Alertmanager. */
export const routes = async (flags: RoutesFlags): Promise<number> => {
  const { inventory, hosts } = await openInventory(flags)
  if (flags.action === 'test') return test(inventory, routingOf(inventory), flags)
  if (flags.action === 'show') return show(routingOf(inventory), flags)
  const inside = await inLab(hosts)
  if (inside !== null) return inside
  await using pool = connectionPool(connecting(flags))
  const asked = { inventory, hosts, reach: pool.reach }
  // Awaited here, so that the links stay open meanwhile.
  return await (flags.action === 'diff' ? diff(asked, flags) : coverage(asked, flags))
}
