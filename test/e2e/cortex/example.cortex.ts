/** The example inventory, as it is: a ring, three tenants, and a Prometheus that sends as one of them. */
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { clearNotifications } from '../../../lib/lab/receiver.ts'
import { testLab } from '../lab-setup.ts'
import { project } from '../vestal.ts'
import { deliveries, deploy, emptyStore, on, until } from './ring.ts'

const inventory = join(project, 'inventory/cortex')
beforeAll(async () => {
  await emptyStore()
  clearNotifications(testLab)
})

test('the example runs on a lab as it is; an alert of its Prometheus reaches the tenant’s receiver', async () => {
  await deploy(inventory)
  await on(inventory, ['tenants', 'sync'])
  await until(
    'the watchdog of Prometheus is notified',
    async () => (deliveries().get('/checkout Watchdog') ?? 0) > 0,
    60_000,
  )
  expect([...deliveries().keys()].filter((one) => !one.startsWith('/checkout '))).toEqual([])
  expect((await on(inventory, ['deploy', '-y', '--no-watch-alerts'])).stdout).toMatch(/: 0 changed,/)
  expect(JSON.parse((await on(inventory, ['status', '--json'])).stdout).healthy).toBe(true)
})
