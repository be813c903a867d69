/** One path of six is broken: the watchdog stays green, and all else says which it is. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { clearNotifications, labNotifications } from '../../../lib/lab/receiver.ts'
import { ADDRESSES, ask, deploy } from '../deploy/fleet.ts'
import { testLab } from '../lab-setup.ts'
import { onHost, vestal } from '../vestal.ts'
import { bringUp, drillInventory, takeDown } from './fleet.ts'

const inventory = drillInventory({
  alertmanager: { heartbeats: { url: 'http://10.88.0.1:9095/ping/{path}', every: '10s' } },
})
beforeAll(() => bringUp(inventory))
afterAll(takeDown)

const PATHS = ['prom-1', 'prom-2'].flatMap((from) =>
  ['am-1', 'am-2', 'am-3'].map((to) => `/ping/${from}-through-${to}`),
)
/** How often each path's heartbeat came since they were cleared. */
const beats = (): Readonly<Record<string, number>> =>
  Object.fromEntries(PATHS.map((path) => [path, labNotifications(testLab).filter((one) => one.path === path).length]))
const statusOf = async () => {
  const { code, stdout } = await vestal(['status', '-i', inventory, '--json'])
  const { paths, healthy } = JSON.parse(stdout)
  return { code, healthy, paths: paths as { from: string; to: string; state: string; receivers?: true }[] }
}

test('every path has a heartbeat, each to a URL of its own', { timeout: 120_000 }, async () => {
  await expect.poll(() => Math.min(...Object.values(beats())), { timeout: 90_000, interval: 2_000 }).toBeGreaterThan(1)
  const { code, healthy, paths } = await statusOf()
  expect([code, healthy]).toEqual([0, true])
  expect(paths.filter(({ receivers }) => !receivers).map(({ state }) => state)).toEqual(Array(6).fill('works'))
  const told = labNotifications(testLab).filter(({ path }) => !path.startsWith('/ping/'))
  expect(JSON.stringify(told)).not.toContain('VestalPath')
})

test('one that is cut is missed alone, by status too, while the watchdog and the five others go on', {
  timeout: 240_000,
}, async () => {
  const cut = 'prom-2-through-am-3'
  const [from, to] = [ADDRESSES['prom-2'], ADDRESSES['am-3']]
  await onHost(
    from,
    'nft -f -',
    `table inet planted { chain out { type filter hook output priority 0; ip daddr ${to} tcp dport 9093 drop; }; }`,
  )
  try {
    // The alert there ends four resend_delays after it was sent last.
    await expect
      .poll(async () => (await statusOf()).paths.filter(({ state }) => state === 'broken'), {
        timeout: 150_000,
        interval: 3_000,
      })
      .toMatchObject([{ from: 'prom-2', to: 'am-3' }])
    expect(await statusOf()).toMatchObject({ code: 1, healthy: false })
    const { stdout } = await vestal(['status', '-i', inventory])
    expect(stdout).toContain('prom-2 through am-3: no heartbeat of it is held there')
    clearNotifications(testLab)
    await expect
      .poll(() => Object.entries(beats()).filter(([, count]) => count > 1).length, { timeout: 60_000, interval: 2_000 })
      .toBe(5)
    expect(beats()[`/ping/${cut}`]).toBe(0)
    expect(await ask<unknown[]>('am-3', 9093, '/api/v2/alerts?filter=alertname%3DWatchdog')).toHaveLength(1)
  } finally {
    await onHost(from, 'nft delete table inet planted')
  }
  await expect.poll(async () => (await statusOf()).code, { timeout: 60_000, interval: 3_000 }).toBe(0)
  await deploy('-i', inventory)
})
