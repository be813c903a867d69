import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { clearNotifications, labNotifications } from '../../../lib/lab/receiver.ts'
import { onHost } from '../vestal.ts'
import { ADDRESSES, ALERTMANAGERS, ask, deploy, fasterFleet, PEER_TIMEOUT_S, REPLICAS } from './fleet.ts'

const ALERT = 'VestalQuickstart'
/** The second and third Alertmanager wait for the one before; whatever comes twice has come by then. */
const SETTLE_MS = (2 * PEER_TIMEOUT_S + 5) * 1_000

describe('an alert over a metric that two Prometheus scrape and three Alertmanagers are told of', () => {
  const received = (status: string): number =>
    labNotifications(inject('lab').name).filter(({ body }) => {
      const message = body as { status?: string; alerts?: { labels: { alertname?: string } }[] }
      return message.status === status && message.alerts?.some(({ labels }) => labels.alertname === ALERT)
    }).length
  const setMetric = (value: number): Promise<string> =>
    onHost(
      ADDRESSES['node-1'],
      `cd /var/lib/node_exporter/textfile; echo 'vestal_quickstart ${value}' >metric.new; mv metric.new metric.prom`,
    )

  beforeAll(async () => {
    await deploy('-i', fasterFleet())
    clearNotifications(inject('lab').name)
  })
  afterAll(() => onHost(ADDRESSES['node-1'], 'rm -f /var/lib/node_exporter/textfile/metric.prom'))

  test('is notified once when it fires, and once when it is over', async () => {
    await setMetric(1)
    await expect.poll(() => received('firing'), { timeout: 60_000, interval: 250 }).toBe(1)
    for (const replica of REPLICAS) await expect.poll(() => firingOn(replica), { timeout: 30_000 }).toContain(ALERT)
    for (const member of ALERTMANAGERS) await expect.poll(() => heldBy(member), { timeout: 30_000 }).toContain(ALERT)
    await sleep(SETTLE_MS)
    expect(received('firing')).toBe(1)
    await setMetric(0)
    await expect.poll(() => received('resolved'), { timeout: 90_000, interval: 250 }).toBe(1)
    await sleep(SETTLE_MS)
    expect({ firing: received('firing'), resolved: received('resolved') }).toEqual({ firing: 1, resolved: 1 })
  })

  test('the watchdog always fires, on every Prometheus and every Alertmanager', async () => {
    for (const replica of REPLICAS) expect(await firingOn(replica)).toContain('Watchdog')
    for (const member of ALERTMANAGERS) expect(await heldBy(member)).toContain('Watchdog')
  })
})

interface Alert {
  readonly labels: { readonly alertname: string }
  readonly state?: string
}

const firingOn = async (replica: (typeof REPLICAS)[number]): Promise<readonly string[]> => {
  const { data } = await ask<{ data: { alerts: readonly Alert[] } }>(replica, 9090, '/api/v1/alerts')
  return data.alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels.alertname)
}

const heldBy = async (member: (typeof ALERTMANAGERS)[number]): Promise<readonly string[]> =>
  (await ask<readonly Alert[]>(member, 9093, '/api/v2/alerts')).map(({ labels }) => labels.alertname)
