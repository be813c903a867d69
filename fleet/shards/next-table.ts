import { existsSync } from 'node:fs'
import { InputError } from '../../lib/errors.ts'
import { readText } from '../../lib/inventory/files.ts'
import type { Inventory, Reach } from '../../lib/model.ts'
import { handOut } from '../../lib/sharding/hand-out.ts'
import { moveBegun } from '../../lib/sharding/move.ts'
import { weightsOf } from '../../lib/sharding/plan.ts'
import { evenOwners, hashmodOwners, parseTable, readTable, type ShardTable, tableOf } from '../../lib/sharding/table.ts'
import { prometheus } from '../../roles/prometheus/role.ts'
import { replicasOf, type Sharding, shardingOf } from '../../roles/prometheus/shards.ts'
import { measureFleet } from './measured.ts'

/** The table of an inventory as its file has it. Throws InputError where there is none. */
export const tableOfFile = (inventory: Inventory): ShardTable => {
  const table = readTable(inventory.folder)
  if (table) return table
  throw new InputError([
    {
      where: inventory.folder,
      what: 'there is no shards.yml to move from',
      fix: 'vestal shards move --to NUMBER writes the first one.',
    },
  ])
}

/**
 * The first table: buckets handed out evenly, or as a table's file has them; or, where targets are spread by `hashmod`, every target where it is. Throws
 * InputError for another number of shards than that has.
 */
export const firstTable = (inventory: Inventory, to: string): ShardTable => {
  const sharding = spreadByHash(inventory)
  if (!sharding) return isNumber(to) ? tableOf(evenOwners(numberIn(to))) : tableIn(to)
  if (numberIn(to) === sharding.buckets) return tableOf(hashmodOwners(sharding.buckets), { labels: sharding.labels })
  throw new InputError([
    {
      where: '--to',
      what: `is ${to}, and hashmod has ${sharding.buckets} shards`,
      fix: 'A table begins with the shards that there are, so that nothing moves; then vestal shards move --to the others.',
    },
  ])
}

/** How targets are spread without a table; null with one, and where they are not. */
export const spreadByHash = (inventory: Inventory): Sharding | null => {
  const hosts = inventory.hosts.filter(({ groups }) => groups.includes('prometheus'))
  return hosts.some((host) => prometheus.varsOf(host).sharding === 'hashmod') ? shardingOf(inventory) : null
}

/**
 * The table with the moves begun that lead where `to` says: to so many shards, by what was measured of each target, or to the owners in another
 * table's file. Throws InputError for what is neither, and where there is nothing to move; HostError where a shard says nothing of its targets.
 */
export const tableTowards = async (
  inventory: Inventory,
  { to, reach }: { readonly to: string; readonly reach: Reach },
): Promise<ShardTable> => {
  const table = tableOfFile(inventory)
  const next = isNumber(to)
    ? moveBegun(table, await ownersFor(inventory, table, { shards: numberIn(to), reach }))
    : towardsFile(table, to)
  if (next.moving.length > 0) return next
  throw new InputError([
    { where: '--to', what: `${to} is where every bucket is already`, fix: 'vestal shards verify shows that it is.' },
  ])
}

const isNumber = (to: string): boolean => /^\d+$/.test(to)

/** The number of shards that a text says. Throws InputError where it says none. */
export const numberIn = (to: string): number => {
  const count = Number(to)
  if (Number.isInteger(count) && count >= 1 && count <= 1_000) return count
  throw new InputError([
    { where: '--to', what: `${to} is no number of shards`, fix: 'Give how many there are to be, from 1 on.' },
  ])
}

/** The table of a file. Throws InputError where there is none, and for mistakes in it. */
const tableIn = (file: string): ShardTable => {
  if (existsSync(file)) return parseTable({ file, text: readText(file) })
  throw new InputError([
    {
      where: '--to',
      what: `${file} is no number, and there is no such file`,
      fix: 'Give a number of shards, or a table’s file.',
    },
  ])
}

const towardsFile = (table: ShardTable, file: string): ShardTable => {
  const wanted = tableIn(file)
  if (wanted.buckets !== table.buckets || wanted.labels.join() !== table.labels.join())
    throw new InputError([
      {
        where: file,
        what: `hashes targets by ${wanted.labels.join(', ')} into ${wanted.buckets} buckets, and shards.yml by ${table.labels.join(', ')} into ${table.buckets}`,
        fix: 'Only owners can be moved step by step: with other labels every target is in another bucket. Put the file in place of shards.yml and deploy; until all hosts have it, some targets are scraped twice and some not at all.',
      },
    ])
  return moveBegun(table, wanted.owners, wanted.shards)
}

/** By what the targets that there are were measured to bring. */
const ownersFor = async (
  inventory: Inventory,
  { labels, owners }: ShardTable,
  { shards, reach }: { readonly shards: number; readonly reach: Reach },
): Promise<readonly number[]> => {
  const wanted = Array.from({ length: shards }, (_, shard) => shard)
  const without = shardsWithoutHosts(inventory, wanted)
  if (without.length > 0)
    throw new InputError([
      {
        where: '--to',
        what: `no host of the inventory is of shard ${without.join(', ')}`,
        fix: 'Add its hosts (a group shard_NUMBER below prometheus), and deploy them first.',
      },
    ])
  const { targets } = await measureFleet(inventory, reach)
  return handOut({ owners, weights: weightsOf(targets, { labels, buckets: owners.length }), shards: wanted })
}

/** Those of some shards that have no host. */
export const shardsWithoutHosts = (inventory: Inventory, shards: readonly number[]): readonly number[] => {
  const there = replicasOf(inventory)
  return shards.filter((shard) => !there.has(String(shard)))
}
