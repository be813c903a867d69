import { describe, expect, test } from 'vitest'
import { replay } from '../../../lib/routing/replay.ts'
import { routerOf } from '../../../lib/routing/routes.ts'
import { inIntervals } from '../../../lib/routing/times.ts'

const config = {
  route: {
    receiver: 'root',
    group_by: ['alertname'],
    routes: [
      { matchers: ['team="a"'], receiver: 'a', mute_time_intervals: ['nights'], continue: true },
      {
        matchers: ['team=~"a|b"', 'severity!="none"'],
        receiver: 'ab',
        group_by: ['...'],
        active_time_intervals: ['days'],
      },
    ],
  },
  inhibit_rules: [{ source_matchers: ['severity="critical"'], target_matchers: ['severity=~".+"'], equal: ['job'] }],
  time_intervals: [
    { name: 'nights', time_intervals: [{ times: [{ start_time: '00:00', end_time: '06:00' }] }] },
    { name: 'days', time_intervals: [{ times: [{ start_time: '06:00', end_time: '24:00' }] }] },
  ],
}

test('an alert is told to each route that takes it, grouped as that route says, unless the hour keeps it', () => {
  const router = routerOf(config)
  const told = (labels: Record<string, string>, at?: string) =>
    router
      .route(labels, at === undefined ? undefined : new Date(at))
      .map(({ receiver, groupBy, mutedBy }) => [receiver, groupBy.join(), mutedBy.join()])
  expect(told({ team: 'a' })).toEqual([
    ['a', 'alertname', ''],
    ['ab', '...', ''],
  ])
  expect(told({ team: 'a', severity: 'none' })).toEqual([['a', 'alertname', '']])
  expect(told({ team: 'c' })).toEqual([['root', 'alertname', '']])
  expect(told({ team: 'a' }, '2026-01-05T03:00:00Z')).toEqual([
    ['a', 'alertname', 'nights'],
    ['ab', '...', 'days'],
  ])
})

test('an alert is inhibited by one with equal labels, but not by one that is source and target alike when it is so itself', () => {
  const { inhibited } = routerOf(config)
  const critical = { severity: 'critical', job: 'x' }
  expect(inhibited({ severity: 'warning', job: 'x' }, [critical])).toBe(true)
  expect(inhibited({ severity: 'warning', job: 'y' }, [critical])).toBe(false)
  expect(inhibited(critical, [critical])).toBe(false)
})

describe('a time interval', () => {
  const monday = new Date('2026-01-05T10:30:00Z')
  test.each([
    [{ weekdays: ['monday:friday'] }, true],
    [{ weekdays: ['saturday', 'sunday'] }, false],
    [{ days_of_month: ['1:7'] }, true],
    [{ days_of_month: ['-3:-1'] }, false],
    [{ days_of_month: ['-31:-20'] }, true],
    [{ months: ['january:march'], years: ['2026'] }, true],
    [{ months: ['2:12'] }, false],
    [{ times: [{ start_time: '10:30', end_time: '11:00' }] }, true],
    [{ times: [{ start_time: '09:00', end_time: '10:30' }] }, false],
    [{ times: [{ start_time: '11:00', end_time: '12:00' }], location: 'Europe/Berlin' }, true],
  ])('%j', (interval, is) => expect(inIntervals([interval], monday)).toBe(is))
})

test('an alert is replayed through relabelling and routes of both sides', () => {
  const side = (team: string) => ({
    external: { cluster: 'eu', replica: 'one' },
    steps: [
      { action: 'labeldrop', regex: 'replica' },
      { source_labels: ['team', 'namespace'], regex: ';pay(.*)', target_label: 'team', replacement: team },
    ],
    dotAll: true,
    router: routerOf(config),
  })
  const at = new Date('2026-01-05T10:30:00Z')
  expect(replay({ namespace: 'payments' }, { before: side('a'), after: side('b') }, at)).toEqual({
    before: ['a', 'ab'],
    after: ['ab'],
  })
})
