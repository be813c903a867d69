import { describe, expect, test } from 'vitest'
import type { AlertsReport, RunReport } from '../../../lib/model.ts'
import { alertsDetails, alertsLine } from '../../../lib/report/alerts.ts'
import { exitCodeOf } from '../../../lib/report/outcome.ts'
import { reportText } from '../../../lib/report/text.ts'

const quiet: AlertsReport = {
  sent: 60,
  delivered: 60,
  lost: 0,
  duplicated: 0,
  refired: 0,
  repeated: 0,
  resolvedEarly: 0,
  unresolved: 0,
  cutShort: 0,
  largestDelayMs: 7_300,
  longestBlackoutMs: 6_100,
  silenced: { sent: 8, notified: 0 },
  linksLost: 0,
  canaries: { lost: [], duplicated: [], refired: [], unresolved: [], silenced: [] },
}
const report = (alerts?: AlertsReport): RunReport => ({
  vestal: 'report/1',
  run: 'r',
  playbook: 'deploy',
  inventory: 'ha',
  startedAt: '2026-01-01T00:00:00Z',
  ms: 1,
  interrupted: false,
  hosts: { 'am-1': { 'file /a': { status: 'same' } } },
  gates: [],
  cost: {},
  alerts,
})

describe('a run whose machines are all right', () => {
  test.each([
    ['no canaries', undefined, 0],
    ['all delivered', quiet, 0],
    ['one lost', { ...quiet, lost: 1 }, 1],
    ['one notified twice', { ...quiet, duplicated: 1 }, 1],
    ['one notified under a silence', { ...quiet, silenced: { sent: 8, notified: 1 } }, 1],
    ['stale ones', { ...quiet, refired: 5 }, 0],
  ])('with %s ends with its exit code', (_, alerts, code) => {
    expect(exitCodeOf(report(alerts))).toBe(code)
  })
})

test('the report has one line of canaries, with rare things only where they happened', () => {
  expect(alertsLine(quiet)).toBe(
    '60 sent, 60 delivered, 0 lost, 0 duplicated, 0 fired again when over, 0 of 8 silenced ones notified, largest delay 7.3 s, longest blackout 6.1 s',
  )
  expect(alertsLine({ ...quiet, linksLost: 2, repeated: 1 })).toContain(
    '1 repeated after a lost connection, 2 links lost',
  )
})

test('canaries behind a count are named, for whoever looks at the notifications', () => {
  const lost = { ...quiet, lost: 2, canaries: { ...quiet.canaries, lost: ['c0001', 'c0007'] } }
  expect(alertsDetails(lost)).toEqual(['lost: c0001, c0007'])
  expect(reportText(report(lost))).toContain('\n  lost: c0001, c0007\n')
  expect(reportText(report())).not.toContain('canary')
})
