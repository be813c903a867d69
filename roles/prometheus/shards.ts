import { InputError } from '../../lib/errors.ts'
import type { Host, Inventory } from '../../lib/model.ts'
import { leavingOf, readTable, type ShardTable, scrapedBy, silentOn, tablePath } from '../../lib/sharding/table.ts'
import { prometheusOn } from './vars.ts'

/** How the targets of an inventory are spread over its shards. */
export interface Sharding {
  /** What targets are hashed by. */
  readonly labels: readonly string[]
  /** Into how many buckets. */
  readonly buckets: number
  /** The buckets that a shard scrapes. */
  scraped(shard: string): readonly number[]
  /** Those of them that it is about to let go of. */
  leaving(shard: string): readonly number[]
  /** Those whose alerts it leaves to another shard: of what it has let go of, and of what moves to it until it has had that for long enough. */
  silent(shard: string): readonly number[]
  /** Without it, a target's bucket is its shard. */
  readonly table?: ShardTable
}

/** Replicas with the same answer scrape the same targets. Throws InputError where hosts can't be handed out to shards. */
export const shardOf = (host: Host, inventory: Inventory): string => shardsOf(inventory).get(host) ?? '0'

/** The replicas of each shard, shards in the order of their numbers. Throws InputError as `shardOf` does. */
export const replicasOf = (inventory: Inventory): ReadonlyMap<string, readonly Host[]> =>
  new Map(
    [...Map.groupBy(prometheusHosts(inventory), (host) => shardOf(host, inventory))].sort(([one], [other]) =>
      one.localeCompare(other, 'en', { numeric: true }),
    ),
  )

/**
 * How targets are spread; null where each host scrapes all that its settings name. Throws InputError for a table with mistakes or none at all, and for
 * one whose shards have no hosts.
 */
export const shardingOf = (inventory: Inventory): Sharding | null => {
  const known = spread.get(inventory)
  if (known !== undefined) return known
  const sharding = read(inventory)
  spread.set(inventory, sharding)
  return sharding
}

/** Lets an inventory be deployed by a table that is not in its file yet. Throws InputError as `shardingOf` does. */
export const useTable = (inventory: Inventory, table: ShardTable): void => {
  spread.set(inventory, byTable(inventory, table))
}

/** Whether a host is of a shard that owns no bucket and gets none: it answers queries, and no target would miss it. */
export const scrapesNothing = (host: Host, inventory: Inventory): boolean =>
  shardingOf(inventory)?.scraped(shardOf(host, inventory)).length === 0

/** Where the table of an inventory stands. */
export const tableOfInventory = ({ folder }: Inventory): string => tablePath(folder)

const spread = new WeakMap<Inventory, Sharding | null>()
const handedOut = new WeakMap<Inventory, ReadonlyMap<Host, string>>()

const prometheusHosts = ({ hosts }: Inventory): readonly Host[] =>
  hosts.filter(({ groups }) => groups.includes('prometheus'))

const read = (inventory: Inventory): Sharding | null => {
  const hosts = prometheusHosts(inventory)
  const wishes = new Set(hosts.map((host) => prometheusOn(host).sharding))
  const [wish, other] = wishes
  if (other !== undefined || wishes.size > 1)
    throw blamed(hosts, 'prometheus.sharding', 'is not the same on all hosts', 'Set it for the group.')
  if (wish === 'hashmod') return byHash(inventory, hosts)
  const table = readTable(inventory.folder)
  if (table) return byTable(inventory, table)
  if (wish !== 'table' && !hosts.some((host) => (prometheusOn(host).shards ?? 1) > 1)) return null
  throw new InputError([
    {
      where: tableOfInventory(inventory),
      what: 'there is no table of shards',
      fix: 'vestal shards move --to NUMBER -i INVENTORY writes the first one; or set prometheus.sharding: hashmod',
    },
  ])
}

const byTable = (inventory: Inventory, table: ShardTable): Sharding => {
  checkHosts(inventory)
  const there = new Set([...shardsOf(inventory).values()].map(Number))
  const without = table.shards.filter((shard) => !there.has(shard) && scrapedBy(table, shard).length > 0)
  if (without.length > 0)
    throw new InputError([
      {
        where: tableOfInventory(inventory),
        what: `no host is of shard ${without.join(', ')}, so nobody would scrape its targets`,
        fix: 'Add its hosts to the inventory (prometheus.shards, or a group shard_NUMBER), or move its buckets first.',
      },
    ])
  return {
    labels: table.labels,
    buckets: table.buckets,
    scraped: (shard) => scrapedBy(table, Number(shard)),
    leaving: (shard) => leavingOf(table, Number(shard)),
    silent: (shard) => silentOn(table, Number(shard)),
    table,
  }
}

const byHash = (inventory: Inventory, hosts: readonly Host[]): Sharding => {
  checkHosts(inventory)
  const there = new Set([...shardsOf(inventory).values()].map(Number))
  const count = Math.max(...hosts.map((host) => prometheusOn(host).shards ?? 0), ...[...there].map((one) => one + 1))
  const without = Array.from({ length: count }, (_, shard) => shard).filter((shard) => !there.has(shard))
  if (without.length > 0)
    throw blamed(
      hosts,
      'prometheus.shards',
      `is ${count}, but no host is of shard ${without.join(', ')}`,
      'Add its hosts to the inventory.',
    )
  const labels = new Set(hosts.map((host) => JSON.stringify(prometheusOn(host).shard_labels)))
  const [first] = hosts
  if (labels.size > 1 || !first)
    throw blamed(hosts, 'prometheus.shard_labels', 'is not the same on all hosts', 'Set it for the group.')
  return {
    labels: prometheusOn(first).shard_labels,
    buckets: count,
    scraped: (shard) => [Number(shard)],
    leaving: () => [],
    silent: () => [],
  }
}

/** Shards are numbers. */
const checkHosts = (inventory: Inventory): void => {
  for (const [shard, replicas] of replicasOf(inventory)) {
    if (!/^\d{1,4}$/.test(shard))
      throw blamed(replicas, 'prometheus.shard', `is ${JSON.stringify(shard)}, no number`, 'Number shards from 0.')
  }
}

const shardsOf = (inventory: Inventory): ReadonlyMap<Host, string> => {
  const known = handedOut.get(inventory)
  if (known) return known
  const hosts = prometheusHosts(inventory)
  const counts = [...new Set(hosts.flatMap((host) => prometheusOn(host).shards ?? []))]
  if (counts.length > 1)
    throw blamed(hosts, 'prometheus.shards', `is ${counts.join(' and ')}`, 'Set one number, for the group.')
  const said = new Map(hosts.map((host) => [host, prometheusOn(host).shard ?? byGroup(host)] as const))
  const rest = hosts.filter((host) => said.get(host) === undefined)
  const each = rest.length / (counts[0] ?? 1)
  if (!Number.isInteger(each))
    throw blamed(
      rest,
      'prometheus.shards',
      `is ${counts[0]}, and ${rest.length} hosts can’t be handed out evenly to as many`,
      'Put hosts into groups shard_0, shard_1, …, which say it for each.',
    )
  const found = new Map(
    hosts.map((host) => [host, said.get(host) ?? String(Math.floor(rest.indexOf(host) / each))] as const),
  )
  handedOut.set(inventory, found)
  return found
}

const byGroup = ({ groups }: Host): string | undefined =>
  groups.flatMap((group) => SHARD_GROUP.exec(group)?.[1] ?? [])[0]

/** Groups that say of which shard their hosts are. */
export const SHARD_GROUP = /^shard_(\d{1,4})$/

const blamed = (hosts: readonly Host[], path: string, what: string, fix: string): InputError =>
  new InputError([{ where: `host ${hosts.map(({ name }) => name).join(', ')}`, path, what, fix }])
