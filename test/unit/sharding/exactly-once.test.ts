import { expect, test } from 'vitest'
import { exactlyOnce, type Meant, type ServerTargets } from '../../../lib/sharding/exactly-once.ts'

/** Bucket `n` of a target is the last digit of its address; even ones are shard 0’s. */
const meant = (some: Partial<Meant> = {}): Meant => ({
  place: (_, { __address__ = '', drop, every }) =>
    drop ? 'nowhere' : every ? 'everywhere' : Number(__address__.at(-1)) % 2,
  shards: (bucket) => [String(bucket)],
  dropsItself: () => false,
  ...some,
})
const discovered = (address: string, more: Readonly<Record<string, string>> = {}) => ({
  __address__: address,
  job: 'app',
  __meta_filepath: '/x',
  ...more,
})
interface Says {
  readonly active?: readonly string[]
  readonly dropped?: readonly string[]
  readonly more?: Readonly<Record<string, string>>
  readonly count?: number
}
const server = (host: string, shard: string, { active = [], dropped = [], more, count }: Says): ServerTargets => ({
  host,
  shard,
  active: active.map((address) => ({
    scrapePool: 'app',
    scrapeUrl: `http://${address}/metrics`,
    labels: { job: 'app', instance: address },
    discoveredLabels: discovered(address, more),
  })),
  dropped: dropped.map((address) => ({ discoveredLabels: { ...discovered(address, more), __meta_filepath: '/y' } })),
  counts: count === undefined ? null : { app: count },
})
const fleet = (over: Readonly<Record<string, Says>> = {}): readonly ServerTargets[] =>
  (
    [
      ['a', '0', { active: ['h:0', 'h:2'], dropped: ['h:1'] }],
      ['b', '0', { active: ['h:0', 'h:2'], dropped: ['h:1'] }],
      ['c', '1', { active: ['h:1'], dropped: ['h:0', 'h:2'] }],
      ['d', '1', { active: ['h:1'], dropped: ['h:0', 'h:2'] }],
    ] as const
  ).map(([host, shard, says]) => server(host, shard, over[host] ?? says))
const said = (servers: readonly ServerTargets[], how = meant()) =>
  exactlyOnce(servers, how).deviations.map(({ target, what }) => `${target} ${what}`)

test('a fleet as it must be has no deviation', () => {
  expect(exactlyOnce(fleet(), meant())).toEqual({ targets: 3, perShard: { 0: 2, 1: 1 }, moving: 0, deviations: [] })
})

test('what two shards scrape is said, with both', () => {
  const both = { active: ['h:1', 'h:0'], dropped: ['h:2'] }
  expect(said(fleet({ c: both, d: both }))).toEqual(['http://h:0/metrics is scraped by 2 shards: 0, 1'])
})

test('while a bucket moves two shards may scrape it, and a third may not', () => {
  const both = { active: ['h:1', 'h:0'], dropped: ['h:2'] }
  const moving = meant({ shards: (bucket) => (bucket === 0 ? ['0', '1'] : ['1']) })
  expect(said(fleet({ c: both, d: both }), moving)).toEqual([])
  expect(exactlyOnce(fleet({ c: both, d: both }), moving).moving).toBe(2)
  // Half a step: all replicas of one of the two are enough, one of each is not.
  expect(said(fleet({ c: both }), moving)).toEqual([])
  expect(said(fleet({ b: { active: ['h:2'], dropped: ['h:1', 'h:0'] }, c: both }), moving)).toEqual([
    'http://h:0/metrics is not scraped by b, a replica of shard 0',
    'http://h:0/metrics is not scraped by d, a replica of shard 1',
  ])
  expect(said([...fleet({ c: both, d: both }), server('e', '2', { active: ['h:0'] })], moving)).toContain(
    'http://h:0/metrics is scraped by 3 shards: 0, 1, 2',
  )
})

test('a replica that lacks a target of its shard is named', () => {
  expect(said(fleet({ b: { active: ['h:0'], dropped: ['h:1', 'h:2'] } }))).toEqual([
    'http://h:2/metrics is not scraped by b, a replica of shard 0',
  ])
})

test('what all drop is named, unless the job itself drops it', () => {
  const none = { active: ['h:1'], dropped: ['h:0', 'h:2', 'h:4'] }
  const first = { active: ['h:0', 'h:2'], dropped: ['h:1', 'h:4'] }
  const all = fleet({ a: first, b: first, c: none, d: none })
  expect(said(all)).toEqual(['h:4 is scraped by no shard'])
  const dropping = meant({
    place: (_, { __address__ = '' }) => (__address__ === 'h:4' ? 'nowhere' : Number(__address__.at(-1)) % 2),
  })
  expect(said(all, dropping)).toEqual([])
})

test('of dropped targets that nobody remembers the number says whether one is missing', () => {
  const counted = (first: number, second: number) => [
    server('a', '0', { active: ['h:0', 'h:2'], count: first }),
    server('c', '1', { active: ['h:1'], count: second }),
  ]
  expect(said(counted(1, 2))).toEqual([])
  expect(said(counted(3, 4))).toEqual([' has 2 more targets that no shard scrapes'])
  expect(said(counted(1, 4))[0]).toContain('has other targets on other servers (a: 3, c: 5)')
  expect(said(counted(3, 4), meant({ dropsItself: () => true }))[0]).toContain('set keep_dropped_targets to 0')
})

test('a target of another shard than the table says is told', () => {
  expect(said(fleet(), meant({ place: () => 1 }))).toEqual([
    'http://h:0/metrics is scraped by shard 0, and is shard 1’s',
    'http://h:2/metrics is scraped by shard 0, and is shard 1’s',
  ])
})

test('what every shard is to scrape is no deviation, but for a replica that lacks it', () => {
  const more = { every: 'yes' }
  const some = (host: string, shard: string, active: readonly string[]) => server(host, shard, { active, more })
  expect(said([some('a', '0', ['h:0']), some('b', '0', ['h:0']), some('c', '1', ['h:0'])])).toEqual([])
  expect(said([some('a', '0', ['h:0']), some('b', '0', []), some('c', '1', ['h:0'])])).toEqual([
    'http://h:0/metrics is not scraped by b, a replica of shard 0',
  ])
})
