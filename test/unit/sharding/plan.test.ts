import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bucketOf } from '../../../lib/sharding/hash.ts'
import { type Candidate, type MeasuredTarget, type Plan, planShards } from '../../../lib/sharding/plan.ts'
import { evenOwners } from '../../../lib/sharding/table.ts'

const random = (seed: number) => () => {
  seed = (seed * 48_271) % 2_147_483_647
  return seed / 2_147_483_647
}
const to = (count: number): readonly number[] => Array.from({ length: count }, (_, shard) => shard)
const target = (at: number, series: number, labels: Readonly<Record<string, string>> = {}): MeasuredTarget => {
  const address = `10.0.${at >> 8}.${at & 255}:9100`
  return {
    name: `app http://${address}/metrics`,
    labels: { __address__: address, __scheme__: 'http', instance: address, job: 'app', ...labels },
    series,
    samplesPerSecond: series / 15,
  }
}
/** One target with 30% of all series, ten with 3% each, 989 with the rest; the heavy ones and half of the others in one namespace. */
const HEAVY = Array.from({ length: 1_000 }, (_, at) =>
  target(at, at === 0 ? 29_670 : at <= 10 ? 2_967 : 40, {
    namespace: at <= 10 || at % 2 === 0 ? 'big' : `n${at % 40}`,
  }),
)
const on = (shards: number) => ({ labels: ['__address__'], owners: evenOwners(shards) })
const by = ({ candidates }: Plan, labels: string): Candidate => {
  const found = candidates.find((one) => one.labels.join() === labels)
  if (!found) throw new Error(`${labels} is not among ${candidates.map((one) => one.labels.join()).join(' ')}`)
  return found
}
const sum = (some: readonly { readonly series: number }[]): number =>
  some.reduce((total, { series }) => total + series, 0)

describe('heavy tails', () => {
  test('where a shard may have as much as the heaviest target, the address stays within the bound', () => {
    const plan = planShards({ targets: HEAVY, current: on(3) }, { shards: to(3) })
    const best = plan.candidates[plan.recommended]
    expect({ labels: best?.labels, reason: plan.reason, cause: best?.cause }).toEqual({
      labels: ['__address__'],
      reason: 'in-force-within',
      cause: null,
    })
    expect(best?.now).toBeGreaterThan(1.2)
    expect(best?.planned).toBeLessThanOrEqual(1.1)
  })

  test.each([
    [4, 1.2],
    [5, 1.5],
    [50, 15],
  ])('with %d shards the heaviest target is named as what bounds it, and has a shard for itself', (count, least) => {
    const { planned, cause, perShard } = by(
      planShards({ targets: HEAVY, current: on(3) }, { shards: to(count) }),
      '__address__',
    )
    expect(planned).toBeCloseTo(least, 1)
    expect(cause).toMatchObject({ kind: 'target', heaviest: HEAVY[0]?.name, targets: 1 })
    expect(cause?.share).toBeCloseTo(0.3, 2)
    expect(cause?.atLeast).toBeCloseTo(planned, 6)
    // It may share its bucket with a few small ones.
    const [largest] = [...perShard].sort((one, other) => other.series - one.series)
    expect(largest?.series).toBeGreaterThanOrEqual(29_670)
    expect(largest?.targets).toBeLessThanOrEqual(4)
  })

  test('a namespace that is more than a shard is named, and the address recommended in its place', () => {
    const owners = evenOwners(3)
    const plan = planShards({ targets: HEAVY, current: { labels: ['namespace'], owners } }, { shards: to(3) })
    expect(plan.candidates[0]).toMatchObject({ labels: ['namespace'], inForce: true })
    expect(plan.candidates[0]?.cause).toMatchObject({ kind: 'values', text: 'big', targets: 505 })
    expect(plan.reason).toBe('within')
    expect(plan.candidates[plan.recommended]?.labels).toEqual(['__address__'])
  })

  test('a namespace with the heaviest target and many more is named itself, as telling those apart helps', () => {
    const plan = planShards({ targets: HEAVY, current: on(3) }, { shards: to(4), candidates: [['namespace']] })
    expect(by(plan, 'namespace').cause).toMatchObject({ kind: 'values', text: 'big', targets: 505 })
    expect(by(plan, '__address__').cause).toMatchObject({ kind: 'target', targets: 1 })
  })

  test('where nothing stays within the bound, what is in force stays unless another is evener', () => {
    const five = planShards({ targets: HEAVY, current: on(3) }, { shards: to(5) })
    expect([five.reason, five.recommended]).toEqual(['in-force-evenest', 0])
    const namespace = planShards(
      { targets: HEAVY, current: { labels: ['namespace'], owners: evenOwners(3) } },
      { shards: to(5) },
    )
    expect([namespace.reason, namespace.candidates[namespace.recommended]?.labels]).toEqual([
      'evenest',
      ['__address__'],
    ])
  })

  test('more equally heavy targets than go evenly into the shards are told as such', () => {
    const targets = Array.from({ length: 4 }, (_, at) => target(at, 1_000))
    const { cause, planned } = by(planShards({ targets, current: on(3) }, { shards: to(3) }), '__address__')
    expect(planned).toBeCloseTo(1.5)
    expect(cause).toMatchObject({ kind: 'pieces', pieces: { among: 4, most: 2 }, atLeast: 1.5 })
  })

  test('targets that are apart but share one of few buckets are told as such', () => {
    const targets = HEAVY.slice(11)
    const { cause } = by(
      planShards({ targets, current: { labels: ['__address__'], owners: [0, 1] } }, { shards: to(4) }),
      '__address__',
    )
    expect(cause).toMatchObject({ kind: 'bucket' })
  })
})

describe('candidates', () => {
  const names = (plan: Plan): readonly string[] => plan.candidates.map(({ labels }) => labels.join())
  test('are what tells targets apart, each once, and the address with what tells targets of one address apart', () => {
    const targets = Array.from({ length: 60 }, (_, at) => ({
      ...target(at % 20, 100, {
        job: `j${at % 3}`,
        __param_target: `t${at}`,
        __scrape_interval__: `${at}s`,
        env: 'one',
      }),
    }))
    const found = names(planShards({ targets, current: on(2) }, { shards: to(2) }))
    // __param_target tells apart as much as the address with the job; instance as much as the address; env nothing.
    expect([...found].sort()).toEqual(['__address__', '__address__,job', 'job'])
  })

  test('can be named, beside what is in force', () => {
    expect(
      names(planShards({ targets: HEAVY, current: on(3) }, { shards: to(3), candidates: [['namespace', 'job']] })),
    ).toEqual(['__address__', 'namespace,job'])
  })

  test('by other labels, buckets begin where most of them is, so that less moves than by chance', () => {
    const targets = Array.from({ length: 3_000 }, (_, at) => target(at, 10, { namespace: `n${at % 300}` }))
    const owners = evenOwners(3)
    const moved = by(
      planShards(
        { targets, current: { labels: ['namespace'], owners } },
        { shards: to(3), candidates: [['__address__']] },
      ),
      '__address__',
    )
    expect(moved.moves.targets).toBeLessThan(2_000)
    expect(moved.planned).toBeLessThanOrEqual(1.1)
  })
})

test('a fleet that is not spread yet is planned from all on one shard', () => {
  const plan = planShards({ targets: HEAVY.slice(11), current: null }, { shards: to(4) })
  expect([plan.candidates[0]?.labels, plan.recommended, plan.reason]).toEqual([['__address__'], 0, 'within'])
  expect(plan.candidates[0]?.now).toBe(1)
  expect(plan.candidates[0]?.planned).toBeLessThanOrEqual(1.1)
})

test('what every shard scrapes is counted apart, and __tmp_hash goes before labels', () => {
  const everywhere = target(1, 500, { __tmp_disable_sharding: 'true' })
  const alike = Array.from({ length: 30 }, (_, at) => target(at + 2, 10, { __tmp_hash: 'same' }))
  const plan = planShards({ targets: [everywhere, ...alike], current: on(2) }, { shards: to(2) })
  expect(plan.everywhere).toMatchObject({ targets: 1, series: 500 })
  expect(plan.total).toMatchObject({ targets: 30, series: 300 })
  expect(plan.candidates[0]?.cause).toMatchObject({ kind: 'values', text: 'same', targets: 30 })
})

const fleets = fc
  .record({
    seed: fc.integer({ min: 1, max: 2_000_000_000 }),
    count: fc.integer({ min: 1, max: 150 }),
    tail: fc.double({ min: 0, max: 2, noNaN: true }),
    before: fc.integer({ min: 1, max: 8 }),
    after: fc.integer({ min: 1, max: 12 }),
  })
  .map(({ seed, count, tail, before, after }) => {
    const draw = random(seed)
    const targets = Array.from({ length: count }, (_, at) =>
      target(at, Math.ceil(10 / (draw() + 0.001) ** tail), { namespace: `n${Math.floor(1 / (draw() + 0.01))}` }),
    )
    return { targets, before, after }
  })

test('any fleet: the bound is kept or its cause named, what is said of shards and moves is what the owners make, and it is always the same', () => {
  fc.assert(
    fc.property(fleets, ({ targets, before, after }) => {
      const measured = { targets, current: on(before) }
      const plan = planShards(measured, { shards: to(after), ahead: 1 })
      for (const { labels, owners, planned, cause, perShard, moves } of plan.candidates) {
        expect(cause === null).toBe(planned <= 1.1 * (1 + 1e-6))
        if (cause && cause.kind !== 'unknown') expect(cause.atLeast).toBeGreaterThan(1.1 * (1 - 1e-6))
        const shardOf = (one: MeasuredTarget): number => owners[bucketOf(one.labels, labels, 1_024) ?? -1] ?? -1
        expect(perShard.map(({ series }) => series)).toEqual(
          to(after).map((shard) => sum(targets.filter((one) => shardOf(one) === shard))),
        )
        expect(planned).toBeCloseTo((Math.max(...perShard.map(({ series }) => series)) * after) / sum(targets))
        const was = (one: MeasuredTarget): number =>
          evenOwners(before)[bucketOf(one.labels, ['__address__'], 1_024) ?? -1] ?? -1
        expect(moves.series).toBe(sum(targets.filter((one) => was(one) !== shardOf(one))))
      }
      expect(planShards(measured, { shards: to(after), ahead: 1 })).toEqual(plan)
    }),
    { numRuns: 10 },
  )
})
