import { InputError } from '../../lib/errors.ts'
import type { Inventory, Reach } from '../../lib/model.ts'
import { type Plan, planShards } from '../../lib/sharding/plan.ts'
import { hashmodOwners, readTable, type ShardTable, tableOf } from '../../lib/sharding/table.ts'
import { replicasOf, shardingOf, tableOfInventory } from '../../roles/prometheus/shards.ts'
import { measureFleet } from './measured.ts'
import { numberIn } from './next-table.ts'
import type { Verified } from './verify.ts'

export interface FleetPlan extends Plan {
  /** What targets are hashed by now; null where each server scrapes all. */
  readonly hashedBy: readonly string[] | null
  /** How many targets gave no sample in the last minutes: they count as the middle one of their job. */
  readonly unmeasured: number
  readonly silent: Verified['silent']
  /** The recommended table. */
  readonly table: ShardTable
}

/**
 * Measures what each target brings and plans which shard would best scrape it. Throws InputError for a number of shards that is none and while a move is
 * under way, HostError where no replica of a shard answers.
 */
export const planFleet = async (
  inventory: Inventory,
  {
    reach,
    to,
    candidates,
  }: { readonly reach: Reach; readonly to?: string; readonly candidates?: readonly (readonly string[])[] },
): Promise<FleetPlan> => {
  const asked = to === undefined ? undefined : Array.from({ length: numberIn(to) }, (_, shard) => shard)
  const sharding = shardingOf(inventory)
  if (sharding?.table && sharding.table.moving.length > 0)
    throw new InputError([
      {
        where: tableOfInventory(inventory),
        what: 'a move is under way',
        fix: 'vestal shards move without --to goes on, --undo goes back; plan afterwards.',
      },
    ])
  const owners = sharding && (sharding.table?.owners ?? hashmodOwners(sharding.buckets))
  const there = owners ? [...new Set(owners)] : [...replicasOf(inventory).keys()].map(Number)
  const { targets, unmeasured, silent } = await measureFleet(inventory, reach)
  if (targets.length === 0)
    throw new InputError([
      {
        where: 'inventory',
        what: 'its Prometheus scrape no targets, so there is nothing to plan by',
        fix: 'Deploy it first.',
      },
    ])
  const plan = planShards(
    { targets, current: sharding && owners ? { labels: sharding.labels, owners } : null },
    { shards: asked ?? there.sort((one, other) => one - other), candidates },
  )
  const best = plan.candidates[plan.recommended]
  if (!best) throw new Error('a plan recommends one of its candidates')
  const known = readTable(inventory.folder)?.shards ?? there
  const draining = known.filter((shard) => !best.owners.includes(shard))
  return {
    ...plan,
    hashedBy: sharding?.labels ?? null,
    unmeasured,
    silent,
    table: tableOf(best.owners, {
      labels: best.labels,
      shards: plan.shards,
      draining: sharding ? draining.filter((shard) => !plan.shards.includes(shard)) : [],
    }),
  }
}
