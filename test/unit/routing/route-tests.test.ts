import { describe, expect, test } from 'vitest'
import { failureOf } from '../../../fleet/drill/routes.ts'
import type { RouteConfig } from '../../../lib/routing/generate.ts'
import { parseMatchers } from '../../../lib/routing/parse-matchers.ts'
import { routeTests } from '../../../lib/routing/route-tests.ts'
import { routerOf } from '../../../lib/routing/routes.ts'

const hook = (name: string) => ({ name, webhook_configs: [{ url: 'http://x/' }] })
const tests = (
  routes: readonly RouteConfig[],
  { known = [], intervals = [] }: { known?: readonly Record<string, string>[]; intervals?: readonly object[] } = {},
) => {
  const route: RouteConfig = { receiver: 'root', group_wait: '10s', routes }
  const receivers = ['root', 'a', 'b', 'c', 'vestal-canary'].map(hook).concat({ name: 'none' } as never)
  const router = routerOf({ route, time_intervals: intervals } as never)
  const leave = (receiver: string) => receiver.startsWith('vestal-')
  return routeTests({ route, receivers, router, parse: parseMatchers, known, at: new Date(), leave })
}
const labelsOf = (found: ReturnType<typeof tests>, receiver: string) =>
  found.tests.find((one) => one.receiver === receiver)?.labels
const whyOf = (found: ReturnType<typeof tests>, receiver: string) =>
  found.not.find((one) => one.receiver === receiver)?.why

describe('labels that lead to a receiver', () => {
  test.each([
    ['one value', ['team="a"'], { team: 'a' }],
    ['some values', ['severity=~"critical|page"'], { severity: 'critical' }],
    ['values in brackets', ['severity=~"^(?:page|critical)$"'], { severity: 'page' }],
    ['what begins so', ['namespace=~"shop-.+"'], { namespace: 'shop-x' }],
    ['any value', ['namespace=~".+"'], { namespace: 'x' }],
    ['all but one', ['team="a"', 'severity!="info"'], { team: 'a' }],
    ['something', ['team!=""'], { team: 'vestal' }],
    ['a name of its own', ['alertname="DiskFull"'], { alertname: 'DiskFull' }],
  ])('meet conditions on %s', (_, matchers, labels) => {
    const found = tests([{ receiver: 'a', matchers }])
    expect(labelsOf(found, 'a')).toMatchObject({ vestal: 'route-test', ...labels })
    expect(found.not).toEqual([])
  })

  test('meet those of the routes above, and the receiver of these is theirs where they name none', () => {
    const routes = [
      {
        matchers: ['team="a"'],
        receiver: 'a',
        routes: [{ matchers: ['severity="page"'] }, { matchers: ['severity="info"'], receiver: 'b' }],
      },
    ]
    const found = tests(routes)
    expect(labelsOf(found, 'b')).toMatchObject({ team: 'a', severity: 'info' })
    expect(labelsOf(found, 'root')).toMatchObject({ alertname: 'VestalRouteTest' })
    expect(found.tests.map(({ receiver }) => receiver)).toEqual(['root', 'a', 'b'])
  })

  test('come from a case of a team where conditions are too much for that, and are said to be missing without one', () => {
    const routes = [{ receiver: 'a', matchers: ['code=~"[0-9]{3}-[A-Z]"'] }]
    expect(whyOf(tests(routes), 'a')).toContain('no labels could be found')
    expect(labelsOf(tests(routes, { known: [{ code: '404-X' }] }), 'a')).toMatchObject({ code: '404-X' })
  })

  test('lead there past a route in front that takes such alerts', () => {
    const routes = [
      { receiver: 'b', matchers: ['team="a"', 'severity="page"'] },
      { receiver: 'a', matchers: ['team="a"'] },
    ]
    expect(labelsOf(tests(routes), 'a')).toEqual({ alertname: 'VestalRouteTest', team: 'a', vestal: 'route-test' })
    expect(whyOf(tests([{ receiver: 'b' }, ...routes]), 'a')).toContain('no labels could be found')
  })
})

test('nobody is tried who notifies by nothing, who is muted now, or who is Vestal itself', () => {
  const always = [{ name: 'always', time_intervals: [{}] }]
  const found = tests(
    [
      { receiver: 'none', matchers: ['a="1"'] },
      { receiver: 'b', matchers: ['a="2"'], mute_time_intervals: ['always'] },
      { receiver: 'vestal-canary', matchers: ['a="3"'] },
    ],
    { intervals: always },
  )
  expect(found.tests.map(({ receiver }) => receiver)).toEqual(['root'])
  expect(found.not).toEqual([
    { receiver: 'none', why: 'it notifies by nothing' },
    { receiver: 'b', why: 'it is muted at this time (always)' },
  ])
})

describe('why a receiver fails', () => {
  const lines = [
    'time=2026-11-28T06:00:00Z level=WARN source=notify.go:871 msg="Notify attempt failed, will retry later" component=dispatcher receiver=team-b integration=webhook[0] aggrGroup="{}:{}" attempts=1 err="Post \\"http://x/\\": dial tcp 10.0.0.1:1: connect: connection refused"',
    'level=error component=dispatcher msg="Notify for alerts failed" num_alerts=1 err="team/x/email[0]: notify retry canceled: 535 \\"no\\""',
    'level=info msg="Notify success" receiver=team-c attempts=3',
  ]

  const said = [{ host: 'am-1', lines }]

  test('is gone where it got through in the end, on that member alone', () => {
    const success = 'level=info msg="Notify success" receiver=team-b attempts=3'
    expect(failureOf([{ host: 'am-1', lines: [...lines, success] }], 'team-b')).toBeUndefined()
    expect(failureOf([...said, { host: 'am-2', lines: [success] }], 'team-b')).toContain('am-1: ')
  })

  test('is what Alertmanager has written of it, of either message', () => {
    expect(failureOf(said, 'team-b')).toMatch(/^am-1: .*dial tcp 10.0.0.1:1: connect: connection refused/)
    expect(failureOf(said, 'team/x')).toBe('am-1: team/x/email[0]: notify retry canceled: 535 "no"')
  })

  test('is nothing for one that is not named, or whose name is part of another', () => {
    expect(['team-c', 'team', 'team-', 'x'].map((name) => failureOf(said, name))).toEqual(Array(4).fill(undefined))
  })
})
