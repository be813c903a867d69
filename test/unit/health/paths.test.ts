import { describe, expect, test } from 'vitest'
import { type Counted, isBroken, type PathFacts, pathStatus } from '../../../lib/health/paths.ts'
import { pathsText } from '../../../lib/report/paths.ts'

const prometheus = ['prom-1', 'prom-2']
const alertmanagers = ['am-1', 'am-2', 'am-3']
const leg = (from: string, to: string, tried = 12, failed = 0): Counted => ({ from, to, tried, failed })
const all = prometheus.flatMap((from) => alertmanagers.map((to) => leg(from, to)))
const seen = (more: Partial<PathFacts> = {}) =>
  pathStatus({
    prometheus,
    alertmanagers,
    ring: { senders: [], instances: [] },
    sent: all,
    handedOver: [],
    heartbeats: () => undefined,
    ...more,
  })
const odd = (paths: ReturnType<typeof seen>) => paths.filter(({ state }) => state !== 'works')
const but = (one: Counted) => all.map((other) => (other.from === one.from && other.to === one.to ? one : other))

describe('of six paths', () => {
  test('all work where nothing fails', () => {
    const paths = seen()
    expect([paths.length, odd(paths)]).toEqual([6, []])
    expect(pathsText(paths)).toEqual(['paths 6 paths from Prometheus to Alertmanager, all work'])
  })

  test('one on which all fails is broken, and the fleet with it', () => {
    const paths = seen({ sent: but(leg('prom-2', 'am-3', 12, 12)) })
    expect(odd(paths)).toEqual([
      { from: 'prom-2', to: 'am-3', state: 'broken', why: '12 of 12 failed in the last 2 minutes' },
    ])
    expect(paths.some(isBroken)).toBe(true)
    const [table = '', ...why] = pathsText(paths)
    expect(table.split('\n')).toEqual([
      'alerts of  through am-1  through am-2  through am-3',
      'prom-1     works         works         works',
      'prom-2     works         works         broken',
    ])
    expect(why).toEqual(['path prom-2 through am-3: 12 of 12 failed in the last 2 minutes'])
  })

  test('one on which some fails, as while its end was restarted, is told and breaks nothing', () => {
    const paths = seen({ sent: but(leg('prom-1', 'am-1', 12, 3)) })
    expect(odd(paths).map(({ state }) => state)).toEqual(['fails'])
    expect(paths.some(isBroken)).toBe(false)
  })

  test('one whose heartbeat is not held is broken, whatever is counted', () => {
    const heartbeats = (name: string) => (name === 'am-2' ? ['prom-1'] : prometheus)
    expect(odd(seen({ heartbeats }))).toEqual([
      { from: 'prom-2', to: 'am-2', state: 'broken', why: 'no heartbeat of it is held there' },
    ])
    expect(odd(seen({ sent: [], heartbeats }))).toHaveLength(1)
  })

  test('one that nobody has counted is unknown, and one that nothing went is idle: neither is broken', () => {
    const paths = seen({ sent: [leg('prom-1', 'am-1', 0)] })
    expect(new Set(paths.map(({ state }) => state))).toEqual(new Set(['idle', 'unknown']))
    expect(paths.some(isBroken)).toBe(false)
  })
})

test('what an Alertmanager cannot hand over is told, by kind of receiver, and is no fault of the fleet', () => {
  const paths = seen({ handedOver: [leg('am-1', 'webhook'), leg('am-2', 'email', 4, 4), leg('am-3', 'email', 0)] })
  expect(paths.slice(6)).toEqual([
    { from: 'am-1', to: 'webhook', receivers: true, state: 'works' },
    { from: 'am-2', to: 'email', receivers: true, state: 'broken', why: '4 of 4 failed in the last 2 minutes' },
  ])
  expect(paths.some(isBroken)).toBe(false)
  expect(pathsText(paths).at(-1)).toBe('path am-2 to receivers by email: 4 of 4 failed in the last 2 minutes')
})

test('of many Prometheus only those are shown of which a path does not work', () => {
  const many = Array.from({ length: 40 }, (_, at) => `prom-${at}`)
  const sent = many.flatMap((from) =>
    alertmanagers.map((to) => leg(from, to, 9, from === 'prom-7' && to === 'am-1' ? 9 : 0)),
  )
  const [table = '', left] = pathsText(seen({ prometheus: many, sent }))
  expect(table.split('\n').map((line) => line.split(' ')[0])).toEqual(['alerts', 'prom-7'])
  expect(left).toBe('39 more, all of whose paths work')
})

test('paths to a ring are those of the servers that send to it, and what its instances hand over is told like that of others', () => {
  const ring = { senders: ['prom-2'], instances: ['ring-1', 'ring-2'] }
  const paths = seen({
    ring,
    sent: [...all, leg('prom-2', 'ring-2', 6, 6)],
    handedOver: [leg('ring-1', 'webhook', 9, 3)],
  })
  expect(odd(paths)).toEqual([
    { from: 'prom-2', to: 'ring-1', state: 'unknown', why: 'no Prometheus has counted anything on it' },
    { from: 'prom-2', to: 'ring-2', state: 'broken', why: '6 of 6 failed in the last 2 minutes' },
    { from: 'ring-1', to: 'webhook', receivers: true, state: 'fails', why: '3 of 9 failed in the last 2 minutes' },
  ])
  expect([paths.length, paths.some(isBroken)]).toEqual([9, true])
})
