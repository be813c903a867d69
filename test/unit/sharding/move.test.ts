import { describe, expect, test } from 'vitest'
import { handOut } from '../../../lib/sharding/hand-out.ts'
import { moveBegun, moveDone, moveSeen, moveSending, moveUndone } from '../../../lib/sharding/move.ts'
import {
  evenOwners,
  leavingOf,
  leftBy,
  parseTable,
  type ShardTable,
  scrapedBy,
  silentOn,
  tableOf,
  tableText,
} from '../../../lib/sharding/table.ts'

const among = (owners: readonly number[], shards: readonly number[]) =>
  handOut({ owners, weights: new Array(60).fill(1), shards })
const THREE = tableOf(evenOwners(3, 60))
const FOUR = among(THREE.owners, [0, 1, 2, 3])

/** Every state that servers can be in meanwhile: each shard by the table before or the one after a step. */
const everyBucketScraped = (before: ShardTable, after: ShardTable): boolean => {
  const shards = [...new Set([...before.shards, ...after.shards])]
  const mixes = Array.from({ length: 2 ** shards.length }, (_, mix) => mix)
  return mixes.every((mix) => {
    const scraped = new Set(shards.flatMap((shard, at) => scrapedBy((mix >> at) & 1 ? after : before, shard)))
    return scraped.size === before.buckets
  })
}
const steps = (table: ShardTable, owners: readonly number[]): readonly ShardTable[] => {
  const begun = moveBegun(table, owners)
  const sending = moveSending(begun)
  const seen = moveSeen(sending)
  return [table, begun, sending, seen, moveDone(seen)]
}

describe('a move', () => {
  test.each([
    ['3 to 4', THREE, FOUR],
    ['4 to 3', tableOf(FOUR), among(FOUR, [0, 1, 2])],
    ['a rotation', THREE, THREE.owners.map((owner) => (owner + 1) % 3)],
  ])('%s: whichever servers have taken a step, none of its buckets is without a shard', (_, from, to) => {
    const tables = steps(from, to)
    for (const [at, table] of tables.entries()) {
      expect(everyBucketScraped(tables[at - 1] ?? table, table)).toBe(true)
      expect(parseTable({ file: 't', text: tableText(table) })).toEqual(table)
    }
    expect(tables.at(-1)?.owners).toEqual(to)
  })

  test.each([1, 2, 3])('undone after step %d leads back, and no bucket is without a shard', (step) => {
    const reached = steps(THREE, FOUR)[step] as ShardTable
    let table = moveUndone(reached)
    expect(everyBucketScraped(reached, table)).toBe(true)
    expect(new Set(table.moving.map(({ state }) => state))).toEqual(new Set([step === 1 ? 'returning' : 'scraping']))
    expect(parseTable({ file: 't', text: tableText(table) })).toEqual(table)
    const seen = moveSeen(table)
    expect(everyBucketScraped(table, seen)).toBe(true)
    table = seen
    const done = moveDone(table)
    expect(everyBucketScraped(table, done)).toBe(true)
    expect(done.owners).toEqual(THREE.owners)
    expect(done.draining).toEqual([3])
  })

  test('a shard leaves alerts of what it let go of to others, until it has that again', () => {
    const [, begun, sending, seen, done] = steps(THREE, FOUR) as [
      ShardTable,
      ShardTable,
      ShardTable,
      ShardTable,
      ShardTable,
    ]
    const moved = THREE.owners.flatMap((owner, bucket) => (owner === 0 && FOUR[bucket] === 3 ? [bucket] : []))
    expect(moved.length).toBeGreaterThan(0)
    expect([begun, seen, done].map((table) => leftBy(table, 0))).toEqual([[], moved, moved])
    expect([begun, sending, seen, done].map((table) => leavingOf(table, 0))).toEqual([moved, moved, [], []])
    const back = steps(done, THREE.owners)
    expect(back.map((table) => leftBy(table, 0))).toEqual([moved, [], [], [], []])
    expect(leftBy(back.at(-1) as ShardTable, 3).length).toBe(FOUR.filter((owner) => owner === 3).length)
    expect(leftBy(moveUndone(seen), 0)).toEqual([])
  })

  test('of what moves one shard sends alerts at least, wherever the move turns: whichever has had it for long enough', () => {
    const [table, begun, sending, seen, done] = steps(THREE, FOUR) as [
      ShardTable,
      ShardTable,
      ShardTable,
      ShardTable,
      ShardTable,
    ]
    const moved = THREE.owners.flatMap((owner, bucket) => (owner === 0 && FOUR[bucket] === 3 ? [bucket] : []))
    const silent = (one: ShardTable): readonly boolean[] =>
      [0, 3].map((shard) => moved.every((bucket) => silentOn(one, shard).includes(bucket)))
    expect([table, begun, sending, seen, done].map(silent)).toEqual([
      [false, false],
      [false, true],
      [false, false],
      [true, false],
      [true, false],
    ])
    const back = moveUndone(begun)
    expect([back, moveUndone(back), moveSeen(back), moveDone(moveSeen(back))].map(silent)).toEqual([
      [false, true],
      [false, true],
      [false, true],
      [false, true],
    ])
    for (const late of [sending, seen].map(moveUndone))
      expect([late, moveSending(late), moveSeen(late)].map(silent)).toEqual([
        [true, false],
        [false, false],
        [false, true],
      ])
    expect(silentOn(begun, 1)).toEqual([])
  })

  test('a shard that has lost all drains, until it gets buckets again', () => {
    const back = steps(tableOf(FOUR), among(FOUR, [0, 1, 2])).at(-1) as ShardTable
    expect(back.draining).toEqual([3])
    expect(moveBegun(back, FOUR).draining).toEqual([])
    expect(steps(back, FOUR).at(-1)?.draining).toEqual([])
  })
})
