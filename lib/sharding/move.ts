/** How a table becomes another one, step by step, so that no bucket is ever without a shard that scrapes it. Pure. */

import { leftBy, type Move, type ShardTable } from './table.ts'

/**
 * The table with all moves begun that lead to these owners: both the old and the new shard scrape what moves. Nothing moves where owners are the
 * same. `shards` are further shards that own nothing yet.
 */
export const moveBegun = (table: ShardTable, owners: readonly number[], shards: readonly number[] = []): ShardTable => {
  const moves = Map.groupBy(
    owners.flatMap((to, bucket) => {
      const from = table.owners[bucket] ?? to
      return from === to ? [] : [{ bucket, from, to }]
    }),
    ({ from, to }) => `${from} ${to}`,
  )
  const moving = [...moves.values()].flatMap((some): readonly Move[] => {
    const [first] = some
    return first
      ? [{ buckets: some.map(({ bucket }) => bucket), from: first.from, to: first.to, state: 'scraping' }]
      : []
  })
  return {
    ...table,
    shards: [...new Set([...table.shards, ...owners, ...shards])].sort((a, b) => a - b),
    moving,
    draining: table.draining.filter((shard) => !moving.some(({ to }) => to === shard)),
  }
}

/** The table once new shards were seen to scrape all that moves, for long enough: they send alerts of it, too. */
export const moveSending = (table: ShardTable): ShardTable => ({
  ...table,
  moving: table.moving.map((move) => ({ ...move, state: 'sending' })),
})

/** The table once new shards scrape all that moves and send its alerts: old ones may let go. */
export const moveSeen = (table: ShardTable): ShardTable => ({
  ...table,
  moving: table.moving.map((move) => ({ ...move, state: 'seen' })),
})

/** The table once old shards have let go. One that owns nothing any more drains. */
export const moveDone = (table: ShardTable): ShardTable => {
  const owners = ownersAfter(table)
  const left = table.shards.map((shard) => [shard, leftBy(table, shard)] as const).filter(([, some]) => some.length > 0)
  const emptied = table.moving.map(({ from }) => from).filter((shard) => !owners.includes(shard))
  return {
    ...table,
    owners,
    moving: [],
    draining: [...new Set([...table.draining, ...emptied])]
      .filter((one) => !owners.includes(one))
      .sort((a, b) => a - b),
    left: Object.fromEntries(left),
  }
}

/**
 * The table whose moves lead back: both shards scrape. Where the new one has what moves not for long enough yet, the old one never stopped, and goes on
 * sending its alerts; else they begin as any.
 */
export const moveUndone = (table: ShardTable): ShardTable => ({
  ...table,
  owners: ownersAfter(table),
  moving: table.moving.map(({ buckets, from, to, state }) => ({
    buckets,
    from: to,
    to: from,
    state: state === 'scraping' ? 'returning' : 'scraping',
  })),
})

const ownersAfter = ({ owners, moving }: ShardTable): readonly number[] => {
  const next = new Map(moving.flatMap(({ buckets, to }) => buckets.map((bucket) => [bucket, to] as const)))
  return owners.map((owner, bucket) => next.get(bucket) ?? owner)
}
