import { describe, expect, test } from 'vitest'
import { moveBegun, moveDone, moveSeen, moveUndone, spreadAgain } from '../../../lib/sharding/move.ts'
import { evenOwners, parseTable, type ShardTable, scrapedBy, tableOf, tableText } from '../../../lib/sharding/table.ts'

const THREE = tableOf(evenOwners(3, 60))
const FOUR = spreadAgain(THREE.owners, new Array(60).fill(1), [0, 1, 2, 3])

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
  const seen = moveSeen(begun)
  return [table, begun, seen, moveDone(seen)]
}

describe('a move', () => {
  test.each([
    ['3 to 4', THREE, FOUR],
    ['4 to 3', tableOf(FOUR), spreadAgain(FOUR, new Array(60).fill(1), [0, 1, 2])],
    ['a rotation', THREE, THREE.owners.map((owner) => (owner + 1) % 3)],
  ])('%s: whichever servers have taken a step, none of its buckets is without a shard', (_, from, to) => {
    const tables = steps(from, to)
    for (const [at, table] of tables.entries()) {
      expect(everyBucketScraped(tables[at - 1] ?? table, table)).toBe(true)
      expect(parseTable({ file: 't', text: tableText(table) })).toEqual(table)
    }
    expect(tables.at(-1)?.owners).toEqual(to)
  })

  test.each([1, 2])('undone after step %d leads back, and no bucket is without a shard', (step) => {
    const reached = steps(THREE, FOUR)[step] as ShardTable
    let table = moveUndone(reached)
    expect(everyBucketScraped(reached, table)).toBe(true)
    if (step === 2) {
      expect(table.moving.every(({ state }) => state === 'scraping')).toBe(true)
      const seen = moveSeen(table)
      expect(everyBucketScraped(table, seen)).toBe(true)
      table = seen
    }
    const done = moveDone(table)
    expect(everyBucketScraped(table, done)).toBe(true)
    expect(done.owners).toEqual(THREE.owners)
    expect(done.draining).toEqual([3])
  })

  test('a shard that has lost all drains, until it gets buckets again', () => {
    const back = steps(tableOf(FOUR), spreadAgain(FOUR, new Array(60).fill(1), [0, 1, 2])).at(-1) as ShardTable
    expect(back.draining).toEqual([3])
    expect(moveBegun(back, FOUR).draining).toEqual([])
    expect(steps(back, FOUR).at(-1)?.draining).toEqual([])
  })
})

describe('owners for another number of shards', () => {
  const random = (seed: number) => () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
    return seed / 2 ** 31
  }
  const counts = (owners: readonly number[], weights: readonly number[]) =>
    [...Map.groupBy(owners.keys(), (bucket) => owners[bucket])].map(([, some]) =>
      some.reduce((sum, bucket) => sum + (weights[bucket] ?? 0), 0),
    )
  test.each([1, 2, 3, 4, 5])(
    '3 to 4 moves a quarter of 600 targets and is even; 4 to 3 only what leaves (seed %d)',
    (seed) => {
      const draw = random(seed)
      const weights = new Array<number>(1_024).fill(0)
      for (let one = 0; one < 600; one += 1) {
        const bucket = Math.floor(draw() * 1_024)
        weights[bucket] = (weights[bucket] ?? 0) + 1
      }
      const moved = (from: readonly number[], to: readonly number[]) =>
        weights.reduce((sum, weight, bucket) => sum + (from[bucket] === to[bucket] ? 0 : weight), 0)
      const three = spreadAgain(evenOwners(3), weights, [0, 1, 2])
      const four = spreadAgain(three, weights, [0, 1, 2, 3])
      expect(moved(three, four)).toBeLessThanOrEqual(156)
      expect(Math.max(...counts(four, weights))).toBeLessThanOrEqual(151)
      const again = spreadAgain(four, weights, [0, 1, 2])
      expect(again.filter((owner, bucket) => owner !== four[bucket] && four[bucket] !== 3)).toEqual([])
      expect(Math.max(...counts(again, weights))).toBeLessThanOrEqual(202)
    },
  )
})
