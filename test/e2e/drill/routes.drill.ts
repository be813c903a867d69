/** A test alert for every receiver: those that work are notified, and the one that has silently stopped working is found. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { clearNotifications, labNotifications } from '../../../lib/lab/receiver.ts'
import { testLab } from '../lab-setup.ts'
import { reportOf, runs, vestal } from '../vestal.ts'
import { bringUp, drillInventory, takeDown } from './fleet.ts'

const hook = (name: string, url: string) => ({ name, webhook_configs: [{ url, send_resolved: false }] })
const inventory = drillInventory({
  config: {
    route: {
      receiver: 'webhook',
      group_by: ['alertname'],
      group_wait: '1s',
      group_interval: '1m',
      repeat_interval: '4h',
      routes: [
        { receiver: 'watchdog', matchers: ['alertname = Watchdog'] },
        { receiver: 'payments', matchers: ['team = payments'] },
        { receiver: 'search', matchers: ['team =~ "search|shop"', 'severity != info'] },
        { receiver: 'gone', matchers: ['team = gone'] },
      ],
    },
    receivers: [
      hook('webhook', 'http://10.88.0.1:9095/alerts'),
      hook('payments', 'http://10.88.0.1:9095/payments'),
      hook('search', 'http://10.88.0.1:9095/search'),
      hook('gone', 'http://10.88.0.1:9/'),
      { name: 'watchdog' },
    ],
  },
})
beforeAll(() => bringUp(inventory))
afterAll(takeDown)

/** The receivers that were notified of a test, each as often as it was, by the path of its URL. */
const notified = () =>
  labNotifications(testLab)
    .filter(({ body }) => JSON.stringify(body).includes('VestalRouteTest'))
    .map(({ path }) => path)
    .sort()

test('they are listed with the labels that lead to them, and nothing is sent', async () => {
  const { code, stdout } = await vestal(['drill', 'routes', '-i', inventory, '--list', '--json'])
  const { tests, not } = JSON.parse(stdout)
  expect([code, tests.map(({ receiver }: { receiver: string }) => receiver), not]).toEqual([
    0,
    ['webhook', 'payments', 'search', 'gone'],
    [{ receiver: 'watchdog', why: 'it notifies by nothing' }],
  ])
  expect(notified()).toEqual([])
})

test('each that works is notified once, and the one that does not is found and told why', {
  timeout: 180_000,
}, async () => {
  clearNotifications(testLab)
  const ended = await vestal(['drill', 'routes', '-i', inventory, '--json'])
  const report = reportOf(ended)
  expect(report.gates.map(({ name, pass, why = '' }) => [name.split(' ')[0], pass, why])).toEqual([
    ['webhook', true, ''],
    ['payments', true, ''],
    ['search', true, ''],
    ['gone', false, expect.stringMatching(/^am-\d: .*connection refused/)],
    ['watchdog', true, ''],
  ])
  expect(ended.code).toBe(1)
  expect(notified()).toEqual(['/alerts', '/payments', '/search'])
  expect(JSON.parse(readFileSync(join(runs, report.run, 'report.json'), 'utf8'))).toEqual(report)
})

test('those that are named alone are tried, and pass, though their groups are there already', {
  timeout: 150_000,
}, async () => {
  clearNotifications(testLab)
  const ended = await vestal(['drill', 'routes', 'payments', 'search', '-i', inventory])
  expect([ended.code, ended.stdout]).toEqual([0, expect.stringContaining('2 of 2 receivers handed a test')])
  expect(notified()).toEqual(['/payments', '/search'])
})

test('a receiver that no route leads to is a mistake', async () => {
  const { code, stderr } = await vestal(['drill', 'routes', 'payment', '-i', inventory])
  expect([code, stderr]).toEqual([2, expect.stringContaining('did you mean `payments`?')])
})
