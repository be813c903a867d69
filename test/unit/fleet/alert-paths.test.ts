import { expect, test } from 'vitest'
import { alertPaths } from '../../../fleet/alert-paths.ts'
import { LinkError } from '../../../lib/errors.ts'
import { loadInventory } from '../../../lib/inventory/load.ts'
import type { Connection, Host, HttpRequest } from '../../../lib/model.ts'
import { shippedRoles } from '../../../roles/registry.ts'

const inventory = await loadInventory(['inventory/ha'], shippedRoles)
const withRing = await loadInventory(['inventory/cortex'], shippedRoles)

const sample = (leg: string, labels: Readonly<Record<string, string>>, count: number) => ({
  metric: { leg, ...labels },
  value: [0, String(count)],
})
const sending = (from: string, address: string, tried: number, failed: number) => {
  const labels = { instance: `${from}:9090`, alertmanager: `http://${address}:9093/api/v2/alerts` }
  return [sample('sent', labels, tried), sample('unsent', labels, failed)]
}

/** What each Prometheus answers; one that is left out can't be reached. */
const pathsWith = (answers: Readonly<Record<string, readonly object[]>>, of = inventory) =>
  alertPaths(of, {
    hosts: of.hosts,
    reach: async (host: Host) => {
      const result = answers[host.name]
      if (!result) throw new LinkError(host.name, 'it is gone')
      const request = async ({ path }: HttpRequest) => {
        expect(decodeURIComponent(path)).toContain('increase(prometheus_notifications_errors_total[2m])')
        return { status: 200, headers: {}, body: JSON.stringify({ status: 'success', data: { result } }) }
      }
      return { host, request } as unknown as Connection
    },
  })
const stateOf = (paths: Awaited<ReturnType<typeof pathsWith>>, from: string, to: string) =>
  paths.find((one) => one.from === from && one.to === to)?.state

test('what a Prometheus that is down has counted is known from its replica, which scrapes it', async () => {
  const counts = [
    ...sending('prom-1', '10.88.0.13', 12, 0),
    ...sending('prom-1', '10.88.0.14', 12, 12),
    ...sending('prom-2', '10.88.0.13', 12, 1),
    sample('notified', { instance: 'am-2:9093', integration: 'webhook' }, 3),
    sample('unnotified', { instance: 'am-2:9093', integration: 'webhook' }, 3),
  ]
  const paths = await pathsWith({ 'prom-2': counts })
  expect(paths.filter(({ receivers }) => !receivers)).toHaveLength(6)
  expect(stateOf(paths, 'prom-1', 'am-1')).toBe('works')
  expect(stateOf(paths, 'prom-1', 'am-2')).toBe('broken')
  expect(stateOf(paths, 'prom-1', 'am-3')).toBe('unknown')
  expect(stateOf(paths, 'prom-2', 'am-1')).toBe('fails')
  expect(paths.at(-1)).toMatchObject({ from: 'am-2', to: 'webhook', receivers: true, state: 'broken' })
})

test('of replicas that have counted the same leg it is one leg, by the most that was seen', async () => {
  const paths = await pathsWith({
    'prom-1': sending('prom-1', '10.88.0.13', 4, 0),
    'prom-2': sending('prom-1', '10.88.0.13', 5, 2),
  })
  expect(paths.find(({ from, to }) => from === 'prom-1' && to === 'am-1')?.why).toBe(
    '2 of 5 failed in the last 2 minutes',
  )
})

test('what no host of the inventory has counted, or goes to no Alertmanager of it, is left out', async () => {
  const odd = [...sending('evil\u001b[2J', '10.88.0.13', 9, 9), ...sending('prom-1', '10.0.0.9', 9, 9)]
  const paths = await pathsWith({ 'prom-1': odd, 'prom-2': [] })
  expect(new Set(paths.map(({ state }) => state))).toEqual(new Set(['unknown']))
})

test('a fleet without Alertmanagers has no paths', async () => {
  expect(await alertPaths(inventory, { hosts: [], reach: () => Promise.reject(new Error('nobody is asked')) })).toEqual(
    [],
  )
})

test('the instances of a ring are ends of paths, by their own port, and hand over as Cortex counts it', async () => {
  const url = (address: string) => ({
    instance: 'prom-1:9090',
    alertmanager: `http://${address}:9009/api/prom/alertmanager/api/v2/alerts`,
  })
  const paths = await pathsWith(
    {
      'prom-1': [
        sample('sent', url('10.88.0.11'), 8),
        sample('sent', url('10.88.0.12'), 8),
        sample('unsent', url('10.88.0.12'), 8),
        sample('notified', { instance: 'ring-3:9009', integration: 'webhook' }, 4),
      ],
    },
    withRing,
  )
  expect(paths.map(({ from, to, state }) => `${from} ${to} ${state}`)).toEqual([
    'prom-1 ring-1 works',
    'prom-1 ring-2 broken',
    'prom-1 ring-3 unknown',
    'ring-3 webhook works',
  ])
})
