import { describe, expect, test } from 'vitest'
import type { LedgerEvent, Note } from '../../../lib/ledger/events.ts'
import { tally } from '../../../lib/ledger/tally.ts'

const PATIENCE = { dueMs: 20_000, lateMs: 30_000, quietMs: 32_000 }
type Untimed = Parameters<Note>[0]
/** Events with their seconds. */
type Line = readonly [number, Untimed]
const story = (...lines: readonly Line[]): readonly LedgerEvent[] =>
  lines.map(([s, event]) => ({ at: s * 1_000, ...event }) as LedgerEvent)
const sent = (canary = 'a', silenced = false): Untimed => ({ what: 'sent', canary, silenced })
const ended = (canary = 'a'): Untimed => ({ what: 'ended', canary })
const closed: Untimed = { what: 'closed' }
const notified = (status: 'firing' | 'resolved', { canary = 'a', host = 'am-1', fingerprint = 'f' } = {}): Untimed => ({
  what: 'notified',
  status,
  canary,
  host,
  fingerprint,
})
const firing = (more = {}) => notified('firing', more)
const resolved = (more = {}) => notified('resolved', more)
const reportOf = (...lines: readonly Line[]) => tally(story(...lines), PATIENCE, 1_000_000).report
const openAt = (s: number, ...lines: readonly Line[]) => tally(story(...lines), PATIENCE, s * 1_000).open

const QUIET = {
  sent: 1,
  delivered: 1,
  lost: 0,
  duplicated: 0,
  refired: 0,
  repeated: 0,
  resolvedEarly: 0,
  unresolved: 0,
  cutShort: 0,
  silenced: { sent: 0, notified: 0 },
  linksLost: 0,
}

test('a canary that fires once and is resolved once is delivered, and nothing else', () => {
  const report = reportOf([0, sent()], [4, firing()], [60, ended()], [80, resolved()], [120, closed])
  expect(report).toMatchObject({ ...QUIET, largestDelayMs: 4_000, longestBlackoutMs: 4_000 })
  expect(Object.values(report.canaries).flat()).toEqual([])
})

describe('lost', () => {
  test('is one that had to be notified and never was, by name', () => {
    const report = reportOf([0, sent()], [30, ended()], [100, closed])
    expect(report).toMatchObject({ ...QUIET, delivered: 0, lost: 1, canaries: { lost: ['a'] } })
  })

  test('is not one that was notified late, even after its end', () => {
    expect(reportOf([0, sent()], [30, ended()], [95, firing()], [96, resolved()], [140, closed])).toMatchObject({
      ...QUIET,
      largestDelayMs: 95_000,
    })
  })

  test('is not one whose run was over too soon for it', () => {
    expect(reportOf([0, sent()], [10, ended()], [11, closed])).toMatchObject({ delivered: 0, lost: 0, cutShort: 1 })
  })

  test('is one that still fired when the run was abandoned, if it had to be notified by then', () => {
    expect(reportOf([0, sent()], [25, closed])).toMatchObject({ lost: 1, cutShort: 0 })
  })

  test('is told while the run goes on only when nothing more can be expected', () => {
    const lines = [
      [0, sent()],
      [30, ended()],
    ] as const
    expect(tally(story(...lines), PATIENCE, 59_000).report.lost).toBe(0)
    expect(tally(story(...lines), PATIENCE, 60_000).report.lost).toBe(1)
  })
})

describe('firing again', () => {
  test('with no resolved between is a duplicate', () => {
    const report = reportOf([0, sent()], [4, firing()], [19, firing({ host: 'am-2' })], [60, ended()], [80, resolved()])
    expect(report).toMatchObject({ ...QUIET, duplicated: 1, canaries: { duplicated: ['a'], refired: [] } })
  })

  test('after resolved, of one that is over, is a stale alert', () => {
    const lines = [
      [0, sent()],
      [4, firing()],
      [60, ended()],
      [61, resolved()],
      [70, firing({ host: 'am-2' })],
    ] as const
    expect(reportOf(...lines)).toMatchObject({ ...QUIET, refired: 1, unresolved: 1, canaries: { refired: ['a'] } })
    expect(reportOf(...lines, [110, resolved()])).toMatchObject({ ...QUIET, refired: 1, unresolved: 0 })
  })

  test('after resolved, of one that still fires, is the end of a gap: resolved came too early', () => {
    expect(
      reportOf([0, sent()], [4, firing()], [20, resolved()], [30, firing()], [60, ended()], [61, resolved()]),
    ).toMatchObject({ ...QUIET, resolvedEarly: 1 })
  })

  test('through a host whose link broke meanwhile is Alertmanager trying again', () => {
    const lost: Untimed = { what: 'link-lost', host: 'am-1', why: 'reset' }
    const end = [
      [60, ended()],
      [61, resolved()],
    ] as const
    expect(
      reportOf([0, sent()], [1, lost], [4, firing({ host: 'am-2' })], [9, firing({ host: 'am-1' })], ...end),
    ).toMatchObject({ ...QUIET, repeated: 1, linksLost: 1 })
    expect(
      reportOf([0, sent()], [1, lost], [4, firing({ host: 'am-1' })], [9, firing({ host: 'am-2' })], ...end),
    ).toMatchObject({ ...QUIET, duplicated: 1, linksLost: 1 })
    expect(
      reportOf([0, lost], [1, sent()], [4, firing({ host: 'am-2' })], [9, firing({ host: 'am-1' })], ...end),
    ).toMatchObject({ ...QUIET, duplicated: 1, linksLost: 1 })
  })

  test('by another cluster is its own: each must notify every canary, and is told by name where it does not', () => {
    const both: Untimed = { what: 'sent', canary: 'a', silenced: false, ways: ['one', 'two'] }
    const by = (way: string, event: Untimed): Untimed => ({ ...event, way }) as Untimed
    const start = [
      [0, both],
      [4, by('one', firing())],
    ] as const
    const end = [
      [60, ended()],
      [61, by('one', resolved())],
    ] as const
    const events = [...start, [5, by('two', firing())], ...end, [62, by('two', resolved())]] as const
    expect(reportOf(...events, [120, closed])).toMatchObject({ ...QUIET, sent: 2, delivered: 2 })
    expect(reportOf(...start, ...end, [120, closed])).toMatchObject({
      ...QUIET,
      sent: 2,
      lost: 1,
      canaries: { lost: ['a (two)'] },
    })
    const leastDelivered = (...lines: readonly Line[]) => tally(story(...lines), PATIENCE, 10_000).leastDelivered
    expect([leastDelivered(...start), leastDelivered(...start, [5, by('two', firing())])]).toEqual([0, 1])
    expect(leastDelivered([0, sent()], [4, firing()])).toBe(1)
  })

  test('with other labels is another alert: each shard sends its own', () => {
    const lines = [
      [0, sent()],
      [4, firing({ fingerprint: 'shard 1' })],
      [5, firing({ fingerprint: 'shard 2' })],
    ] as const
    expect(reportOf(...lines, [60, ended()], [61, resolved({ fingerprint: 'shard 1' })])).toMatchObject({
      duplicated: 0,
      delivered: 1,
      unresolved: 1,
    })
  })
})

describe('a silenced canary', () => {
  test('is counted apart, and is no loss when it is never notified', () => {
    expect(reportOf([0, sent('s', true)], [60, ended('s')], [100, closed])).toMatchObject({
      ...QUIET,
      sent: 0,
      delivered: 0,
      silenced: { sent: 1, notified: 0 },
      longestBlackoutMs: 0,
    })
  })

  test('that is notified is told by name', () => {
    expect(
      reportOf([0, sent('s', true)], [9, firing({ canary: 's' })], [60, ended('s')], [70, resolved({ canary: 's' })]),
    ).toMatchObject({ delivered: 0, silenced: { sent: 1, notified: 1 }, canaries: { silenced: ['s'] } })
  })
})

describe('the longest blackout', () => {
  const delivered = (canary: string, from: number, to: number) =>
    [
      [from, sent(canary)],
      [to, firing({ canary, fingerprint: canary })],
    ] as const
  const blackout = (...lines: readonly Line[]) =>
    tally(story(...[...lines].sort(([one], [other]) => one - other)), PATIENCE, 100_000).report.longestBlackoutMs /
    1_000

  test('is the longest time in which some canary waited and none was delivered', () => {
    expect(blackout(...delivered('a', 0, 5), ...delivered('b', 3, 9), ...delivered('c', 6, 8))).toBe(5)
    expect(blackout(...delivered('a', 0, 5), ...delivered('b', 3, 35), ...delivered('c', 6, 34))).toBe(29)
  })

  test('does not count times in which no canary waited', () => {
    expect(blackout(...delivered('a', 0, 2), ...delivered('b', 50, 53))).toBe(3)
  })

  test('lasts to the end of one that was never notified, and to now while it still fires', () => {
    expect(blackout([0, sent('a')], [40, ended('a')])).toBe(40)
    expect(blackout([30, sent('a')])).toBe(70)
  })

  test('of nothing is 0', () => {
    expect(blackout()).toBe(0)
  })
})

describe('what is waited for at the end', () => {
  const half = [
    [0, sent()],
    [4, firing()],
    [60, ended()],
  ] as const

  test('a canary that still fires, or was not notified yet', () => {
    expect(openAt(10, [0, sent()])).toBe(1)
    expect(openAt(60, ...half)).toBe(1)
    expect(tally(story([0, sent()]), PATIENCE, 5_000).undelivered).toBe(1)
    expect(tally(story(...half), PATIENCE, 60_000).undelivered).toBe(0)
  })

  test('one that is resolved, for as long as a stale alert may follow', () => {
    expect(openAt(101, ...half, [70, resolved()])).toBe(1)
    expect(openAt(102, ...half, [70, resolved()])).toBe(0)
  })

  test('one that fired again until it is resolved again', () => {
    expect(openAt(500, ...half, [70, resolved()], [80, firing()])).toBe(1)
    expect(openAt(500, ...half, [70, resolved()], [80, firing()], [130, resolved()])).toBe(0)
  })

  test('one that was never notified, or is silenced, until nothing more can be expected', () => {
    for (const silenced of [false, true]) {
      expect(openAt(59, [0, sent('a', silenced)], [30, ended()])).toBe(1)
      expect(openAt(60, [0, sent('a', silenced)], [30, ended()])).toBe(0)
    }
  })

  test('nothing after the books are closed', () => {
    expect(openAt(100, ...half, [61, closed])).toBe(0)
  })
})

test('at most ten names stand behind a count', () => {
  const many = Array.from({ length: 12 }, (_, at) => [
    [at, sent(`c${at}`)] as const,
    [at + 30, ended(`c${at}`)] as const,
  ])
  const report = tally(story(...many.flat(), [100, closed]), PATIENCE, 100_000).report
  expect(report.lost).toBe(12)
  expect(report.canaries.lost).toHaveLength(10)
})

describe('while nothing is left that could evaluate a canary', () => {
  const noPath = { prefixes: ['shard-1-c'], beginAt: 20_000, endAt: 45_000 }
  const at = (canary: string, from: number, to: number): readonly Line[] => [
    [from, { what: 'sent', canary, silenced: false }],
    [to, { what: 'ended', canary }],
  ]
  const reportWith = (...lines: readonly Line[]) =>
    tally(story(...[...lines].sort(([one], [other]) => one - other)), { ...PATIENCE, noPath }, 1_000_000).report

  test('it is not lost, but counted apart; one of another shard is lost', () => {
    const report = reportWith(...at('shard-1-c0001', 18, 48), ...at('shard-10-c0001', 18, 48))
    expect([report.lost, report.withoutPath, report.canaries.lost]).toEqual([1, 1, ['shard-10-c0001']])
  })

  test('one that fired long enough before, or after, is lost', () => {
    expect(reportWith(...at('shard-1-c0001', 0, 30)).lost).toBe(1)
    expect(reportWith(...at('shard-1-c0002', 30, 120)).lost).toBe(1)
    expect(reportWith(...at('shard-1-c0003', 100, 140)).lost).toBe(1)
  })
})
