import { expect, test } from 'vitest'
import { canary, lifetimesOf, metricsOf, patienceOf, prefixOf } from '../../../lib/ledger/schedule.ts'

const pace = { everyMs: 3_000, scrapeMs: 15_000, evaluateMs: 5_000, groupIntervalMs: 45_000, peerWaitMs: 30_000 }

test.each([
  [pace],
  [{ ...pace, scrapeMs: 60_000 }],
  [{ ...pace, groupIntervalMs: 300_000 }],
  [{ ...pace, scrapeMs: 1_000, groupIntervalMs: 12_000 }],
])('canaries last long enough to be notified, and some longer than their group’s interval: %j', (some) => {
  const lifetimes = lifetimesOf(some)
  expect(Math.min(...lifetimes)).toBeGreaterThan(patienceOf(some).dueMs)
  expect(Math.max(...lifetimes)).toBeGreaterThan(some.groupIntervalMs)
})

test('silenced ones are few, and have every lifetime in turn', () => {
  const some = Array.from({ length: 96 }, (_, at) => canary(at, 0, { lifetimes: [30, 60, 90], shard: null }))
  const silenced = some.filter((one) => one.silenced)
  expect(silenced).toHaveLength(12)
  for (const those of [silenced, some])
    expect(new Set(those.map(({ endsAt }) => endsAt))).toEqual(new Set([30, 60, 90]))
  expect(new Set(some.map(({ name }) => name)).size).toBe(96)
})

test('each metric says until when its alert may fire, a while after its canary should have ended', () => {
  const text = metricsOf({ run: 'run-1', shard: null }, [
    { name: 'c0001', silenced: false, endsAt: 1_000_000 },
    { name: 'c0002', silenced: true, endsAt: 2_000_500 },
  ])
  expect(text).toBe(
    'vestal_canary_ends_at_seconds{canary="c0001",run="run-1"} 1020\n' +
      'vestal_canary_ends_at_seconds{canary="c0002",run="run-1",silenced="true"} 2021\n',
  )
})

test('a shard’s canaries have names of their own, and metrics that only it reads', () => {
  const one = canary(7, 0, { lifetimes: [30_000], shard: '2' })
  expect(one).toEqual({ name: 'shard-2-c0007', silenced: true, endsAt: 30_000 })
  expect(metricsOf({ run: 'r', shard: '2' }, [one])).toBe(
    'vestal_canary_ends_at_seconds{canary="shard-2-c0007",run="r",silenced="true",vestal_shard="2"} 50\n',
  )
  expect(['2', '21', null].map((shard) => one.name.startsWith(prefixOf(shard)))).toEqual([true, false, false])
})
