import { describe, expect, test } from 'vitest'
import { watchedFleet } from '../../../fleet/watched-fleet.ts'
import { fleet, hostsFile, route } from '../roles/fleet.ts'

const groups = {
  prometheus: { 'prom-1': { ansible_host: '10.0.0.1' }, 'prom-2': { ansible_host: '10.0.0.2' } },
  alertmanager: {
    'am-1': { ansible_host: '10.0.0.3' },
    'am-2': { ansible_host: '10.0.0.4' },
    'am-3': { ansible_host: '10.0.0.5' },
  },
  node_exporter: { 'prom-1': {}, 'prom-2': {}, 'am-1': {}, 'am-2': {} },
}
const watched = async (
  { alertmanager = {}, prometheus = {} }: { alertmanager?: object; prometheus?: object } = {},
  some: Parameters<typeof hostsFile>[0] = groups,
) => {
  using made = await fleet({
    'hosts.yml': hostsFile(some, {
      prometheus: { version: '3.5.3', ...prometheus },
      alertmanager: { version: '0.33.1', config: route, ...alertmanager },
    }),
  })
  return watchedFleet(made.inventory)
}

test('the pace is that of the slowest part', async () => {
  const { pace } = await watched({
    alertmanager: { cluster: { peer_timeout: '5s' }, canary: { every: '2s', group_interval: '50s' } },
    prometheus: { scrape_interval: '30s' },
  })
  expect(pace).toEqual({
    everyMs: 2_000,
    scrapeMs: 30_000,
    evaluateMs: 5_000,
    groupIntervalMs: 50_000,
    peerWaitMs: 10_000,
  })
})

test('the job of machines may be scraped at another pace than others', async () => {
  const node = { group: 'node_exporter', port: 9100, config: { scrape_interval: '2m' } }
  expect((await watched({ prometheus: { targets: { node } } })).pace.scrapeMs).toBe(120_000)
})

test('metrics stand on machines that are not restarted in one play', async () => {
  const { machines } = await watched()
  expect(machines.map(({ host }) => host.name)).toEqual(['prom-1', 'am-1', 'prom-2', 'am-2'])
  expect(machines[1]).toMatchObject({ folder: '/var/lib/node_exporter/textfile', address: '10.0.0.3:9100' })
})

describe('what cannot be watched is refused with what to do', () => {
  test('canary alerts turned off', async () => {
    await expect(watched({ alertmanager: { canary: { enabled: false } } })).rejects.toThrow(
      /alertmanager\.canary\.enabled: is false on am-1, so alerts cannot be watched\n.*--no-watch-alerts/,
    )
  })

  test.each(['prometheus', 'alertmanager', 'node_exporter'] as const)('nobody in group %s', async (group) => {
    const { [group]: _, ...others } = groups
    await expect(watched({}, others)).rejects.toThrow(`group ${group}: is empty`)
  })
})
