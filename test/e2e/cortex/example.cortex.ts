/** The example inventory, as it is: a ring, three tenants, and a Prometheus that sends as one of them; and a roll of that ring whose alerts are watched. */
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { FleetStatus } from '../../../lib/health/types.ts'
import { clearNotifications } from '../../../lib/lab/receiver.ts'
import type { LedgerEvent } from '../../../lib/ledger/events.ts'
import { testLab } from '../lab-setup.ts'
import { project, reportOf, runs, vestal } from '../vestal.ts'
import { apiOf, asTenant, configure, deliveries, deploy, emptyStore, on, processOf, until } from './ring.ts'

const example = join(project, 'inventory/cortex')
const changed = mkdtempSync(join(tmpdir(), 'vestal-ring-'))
beforeAll(async () => {
  await emptyStore()
  clearNotifications(testLab)
  cpSync(example, changed, { recursive: true })
})
afterAll(() => rmSync(changed, { recursive: true }))

const processes = () => Promise.all([1, 2, 3].map(processOf))

test('the example runs on a lab as it is; an alert of its Prometheus reaches the tenant’s receiver', async () => {
  await deploy(example)
  await on(example, ['tenants', 'sync'])
  await until(
    'the watchdog of Prometheus is notified',
    async () => (deliveries().get('/checkout Watchdog') ?? 0) > 0,
    60_000,
  )
  expect([...deliveries().keys()].filter((one) => !one.startsWith('/checkout '))).toEqual([])
  expect((await on(example, ['deploy', '-y', '--no-watch-alerts'])).stdout).toMatch(/: 0 changed,/)
  expect(JSON.parse((await on(example, ['status', '--json'])).stdout).healthy).toBe(true)
  // What was sent before the tenant was there failed, for as long as that is looked back at.
  await until(
    'status says of each instance that alerts arrive at it',
    async () => {
      const { paths = [] }: FleetStatus = JSON.parse((await on(example, ['status', '--json'])).stdout)
      return [1, 2, 3].every((number) =>
        paths.some(({ from, to, state }) => `${from} ${to} ${state}` === `prom-1 ring-${number} works`),
      )
    },
    240_000,
  )
  // By these it tells what an instance hands over; a minute after the watchdog there is nothing to tell.
  const metrics = await (await fetch(`${apiOf(1)}/metrics`)).text()
  for (const name of ['notifications_total', 'notifications_failed_total'])
    expect(metrics).toMatch(new RegExp(`^cortex_alertmanager_${name}\\{integration="webhook".* \\d+$`, 'm'))
})

test('a roll that is watched is refused where the tenant of canary alerts is not as the inventory wants it, and changes nothing', async () => {
  // Quick to be over.
  configure(changed, { canary: { every: '1s', group_interval: '20s' }, log_level: 'warn' })
  const before = await processes()
  const ended = await vestal(['rolling-upgrade', '-y', '-i', changed])
  expect([ended.code, ended.stderr]).toEqual([
    1,
    expect.stringMatching(
      /its ring has no tenant vestal-canary as the inventory wants it\n.*Bring it with vestal tenants sync/,
    ),
  ])
  expect(await processes()).toEqual(before)
})

test('a ring alone is rolled while canary alerts go through it: each is notified once, to nobody else, and by more than one instance', async () => {
  const { tenants } = JSON.parse((await on(changed, ['tenants', 'sync', '--json'])).stdout)
  expect(tenants.filter(({ status }: { status: string }) => status !== 'same')).toEqual([
    { tenant: 'vestal-canary', status: 'changed' },
  ])
  expect((await on(changed, ['tenants', 'verify'])).stdout).toMatch(/4 tenants: each on its 3 instances/)
  clearNotifications(testLab)
  const before = await processes()
  const ended = await vestal(['rolling-upgrade', '-y', '--json', '-i', changed])
  const { run, alerts } = reportOf(ended)
  const events = readFileSync(join(runs, run, 'notifications.ndjson'), 'utf8')
    .trim()
    .split('\n')
    .map((line): LedgerEvent => JSON.parse(line))
  const notified = Map.groupBy(
    events.filter((event) => event.what === 'notified'),
    ({ host }) => host,
  )
  const by = [...notified].map(([host, some]) => `${host} ${some.length}`).sort()
  console.log(`a watched roll of the ring: ${JSON.stringify(alerts)}; notifications by ${by.join(', ')}`)
  expect(ended.code).toBe(0)
  expect((await processes()).filter((pid, at) => pid === before[at])).toEqual([])
  expect(alerts).toMatchObject({ lost: 0, duplicated: 0, unresolved: 0, silenced: { notified: 0 } })
  expect([alerts?.delivered, (alerts?.sent ?? 0) > 20, (alerts?.silenced.sent ?? 0) > 0]).toEqual([
    alerts?.sent,
    true,
    true,
  ])
  expect(by.length).toBeGreaterThan(1)
  expect([...deliveries().keys()].filter((one) => one.includes('VestalCanary'))).toEqual([])
  const silences = (await (await asTenant(1, 'vestal-canary', '/api/v2/silences')).json()) as {
    status: { state: string }
  }[]
  expect(silences.filter(({ status }) => status.state !== 'expired')).toEqual([])
})
