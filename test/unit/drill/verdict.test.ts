import { describe, expect, test } from 'vitest'
import type { Allowed } from '../../../lib/drill/scenario.ts'
import { type Seen, verdictOf } from '../../../lib/drill/verdict.ts'
import type { AlertsReport, DrillFigures } from '../../../lib/model.ts'

const WELL: AlertsReport = {
  sent: 20,
  delivered: 20,
  lost: 0,
  duplicated: 0,
  refired: 0,
  repeated: 0,
  resolvedEarly: 0,
  unresolved: 0,
  cutShort: 0,
  largestDelayMs: 0,
  longestBlackoutMs: 0,
  silenced: { sent: 2, notified: 0 },
  linksLost: 0,
  canaries: { lost: [], duplicated: [], refired: [], unresolved: [], silenced: [] },
}
const FIGURES: DrillFigures = {
  control: { delivered: 5, largestDelayMs: 8_000 },
  during: { delivered: 15, largestDelayMs: 9_000 },
  forgotten: [],
  differing: [],
}
const verdict = ({
  alerts = {},
  figures = {},
  allowed = {},
  ...more
}: Partial<Omit<Seen, 'alerts' | 'figures' | 'allowed'>> & {
  alerts?: Partial<AlertsReport>
  figures?: Partial<DrillFigures>
  allowed?: Partial<Allowed>
}) =>
  verdictOf({
    allowed: { duplicates: 'rarely', delay: '10s', ...allowed },
    peerWaitMs: 4_000,
    interrupted: false,
    aborted: [],
    broken: [],
    ...more,
    alerts: { ...WELL, ...alerts },
    figures: { ...FIGURES, ...figures },
  })
const named = (what: keyof AlertsReport['canaries'], ...names: readonly string[]) => ({
  canaries: { ...WELL.canaries, [what]: names },
})

test('a drill in which nothing went wrong has passed, without a cause', () => {
  expect(verdict({})).toEqual({ verdict: 'passed', causes: [] })
})

describe('a drill has failed', () => {
  test.each<[string, Parameters<typeof verdict>[0], string]>([
    ['where an alert was lost', { alerts: { lost: 1, ...named('lost', 'c0003') } }, 'c0003'],
    [
      'where a silenced one was notified',
      { alerts: { silenced: { sent: 2, notified: 1 }, ...named('silenced', 'c7') } },
      'c7',
    ],
    ['where one was said to be over while it fired', { alerts: { resolvedEarly: 1 } }, 'resolved while firing'],
    ['where replicas send different alerts', { figures: { differing: ['replica'] } }, 'label replica'],
    ['where what was notified before is notified again', { figures: { forgotten: ['c1'] } }, 'c1'],
    ['where the steady state is not there', { broken: ['am-1: does not see am-2'] }, 'am-1: does not see am-2'],
  ])('%s, and says which', (_, seen, cause) => {
    const { verdict: found, causes } = verdict(seen)
    expect([found, causes.join()]).toEqual(['failed', expect.stringContaining(cause)])
  })

  test('however freely a scenario allows duplicates: none allows a loss', () => {
    const lost = { alerts: { lost: 1, duplicated: 3 }, allowed: { duplicates: 'freely' } } as const
    expect(verdict(lost).verdict).toBe('failed')
  })
})

test.each([
  ['never', 'failed'],
  ['rarely', 'deviated'],
  ['freely', 'passed'],
] as const)('one notified twice where that may happen %s: %s', (duplicates, expected) => {
  const seen = { alerts: { duplicated: 1, ...named('duplicated', 'c1') }, allowed: { duplicates } }
  expect(verdict(seen).verdict).toBe(expected)
})

test.each([
  [22_000, 'passed'],
  [22_001, 'deviated'],
] as const)(
  'the latest of the control window, the wait for peers, and what is allowed are the bound: %i ms',
  (ms, expected) => {
    expect(verdict({ figures: { during: { delivered: 1, largestDelayMs: ms } } }).verdict).toBe(expected)
  },
)

test('two members at the same moment are a deviation where each hears of the other, and one more notification is a failure', () => {
  const allowed = { duplicates: 'never' } as const
  const raced = { alerts: { duplicated: 1, ...named('duplicated', 'c1') }, figures: { together: ['c1'] }, allowed }
  expect(verdict(raced)).toEqual({
    verdict: 'deviated',
    causes: [expect.stringContaining('1 notified by two members within a second')],
  })
  const more = { ...raced, alerts: { duplicated: 2, ...named('duplicated', 'c1', 'c2') } }
  expect(verdict(more)).toMatchObject({
    verdict: 'failed',
    causes: [
      expect.stringContaining('1 notified twice, where every member hears of every other: c2'),
      expect.anything(),
    ],
  })
})

test('what one that is back could not be told of yet is no deviation, and one more is', () => {
  const told = { alerts: { duplicated: 1, ...named('duplicated', 'c1') }, figures: { unheard: ['c1'] } }
  expect(verdict(told)).toEqual({ verdict: 'passed', causes: [] })
  const more = { ...told, alerts: { duplicated: 2, ...named('duplicated', 'c1', 'c2') } }
  expect(verdict(more)).toEqual({ verdict: 'deviated', causes: ['1 notified twice: c2'] })
})

test('a resolve while it fires is a deviation where the contract knows it', () => {
  const seen = { alerts: { resolvedEarly: 1 }, allowed: { falseResolves: 'rarely' } } as const
  expect(verdict(seen).verdict).toBe('deviated')
})

test('one that was ended before its time is aborted, or interrupted, whatever else was seen', () => {
  const seen = { aborted: ['prom-2 stopped serving'], broken: ['x'] }
  expect(verdict(seen)).toEqual({ verdict: 'aborted', causes: ['prom-2 stopped serving', 'x'] })
  expect(verdict({ ...seen, interrupted: true }).verdict).toBe('interrupted')
})
