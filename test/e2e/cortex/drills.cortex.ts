/** The drills of a ring, held on the example. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { clearNotifications, labNotifications } from '../../../lib/lab/receiver.ts'
import { bringUpRing } from '../drill/elsewhere.ts'
import { held } from '../drill/held.ts'
import { testLab } from '../lab-setup.ts'
import { type Ended, reportOf, vestal } from '../vestal.ts'
import { on } from './ring.ts'

let inventory: string
beforeAll(async () => {
  inventory = await bringUpRing()
})

test.each([
  ['ring-member-lost', ['ring-1']],
  ['ring-two-lost', ['ring-1', 'ring-2']],
])('%s: every alert is notified by those that are left', async (name, hosts) => {
  const { drill } = await held(inventory, name)
  expect(drill.faults.map(({ host }) => host)).toEqual(hosts)
})

describe('receivers of a tenant', () => {
  const hook = (path: string) => ({ url: `http://10.88.0.1:${path}` })
  const routes = (...words: readonly string[]) => vestal(['drill', 'routes', ...words, '-i', inventory, '--json'])
  const told = (ended: Ended) =>
    reportOf(ended).gates.map(({ name, pass, why = '' }) => [name.split(' ')[0], pass, why])

  test('those that work are handed a test, and of the one that does not is said why', {
    timeout: 180_000,
  }, async () => {
    writeFileSync(
      join(inventory, 'tenants/search.yml'),
      stringify({
        route: {
          ...{ receiver: 'webhook', group_by: ['alertname'], group_wait: '1s', group_interval: '1m' },
          routes: [{ receiver: 'gone', matchers: ['severity="page"'] }],
        },
        receivers: [
          { name: 'webhook', webhook_configs: [hook('9095/search')] },
          { name: 'gone', webhook_configs: [hook('9/')] },
        ],
      }),
    )
    await on(inventory, ['tenants', 'sync'])
    clearNotifications(testLab)
    const ended = await routes('--tenant', 'search')
    expect(told(ended)).toEqual([
      ['webhook', true, ''],
      ['gone', false, expect.stringMatching(/^ring-\d: .*connection refused/)],
    ])
    expect(ended.code).toBe(1)
    const paths = labNotifications(testLab).filter(({ body }) => JSON.stringify(body).includes('VestalRouteTest'))
    expect(paths.map(({ path }) => path)).toEqual(['/search'])
  })

  test('another tenant with a receiver of the same name is neither notified nor blamed', {
    timeout: 180_000,
  }, async () => {
    clearNotifications(testLab)
    const ended = await routes('--tenant', 'payments')
    expect([ended.code, told(ended)]).toEqual([0, [['webhook', true, '']]])
    expect(labNotifications(testLab).map(({ path }) => path)).toContain('/payments')
  })

  test('a tenant that the ring has not is an error', async () => {
    const { code, stderr } = await vestal(['drill', 'routes', '-i', inventory, '--tenant', 'nobody'])
    expect([code, stderr]).toEqual([1, expect.stringContaining('the ring has no tenant nobody')])
  })
})
