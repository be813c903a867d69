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
  const { entries } = await watched()
  const machines = entries[0]?.machines ?? []
  expect(entries).toHaveLength(1)
  expect(machines.map(({ host }) => host.name)).toEqual(['prom-1', 'am-1', 'prom-2', 'am-2'])
  expect(machines[1]).toMatchObject({ folder: '/var/lib/node_exporter/textfile', address: '10.0.0.3:9100' })
})

describe('a ring', () => {
  const ring = {
    'ring-1': { ansible_host: '10.0.0.11' },
    'ring-2': { ansible_host: '10.0.0.12' },
    'ring-3': { ansible_host: '10.0.0.13' },
    'ring-4': { ansible_host: '10.0.0.14' },
  }
  const { alertmanager: _, ...alone } = { ...groups, cortex_alertmanager: ring }
  const watchedRing = async (
    { cortex = {}, prometheus = { tenants: ['shop'] } }: { cortex?: object; prometheus?: object } = {},
    some: Parameters<typeof hostsFile>[0] = alone,
  ) => {
    using made = await fleet({
      'hosts.yml': hostsFile(some, {
        prometheus: { version: '3.5.3', ...prometheus },
        alertmanager: { version: '0.33.1', config: route, cluster: { peer_timeout: '1s' } },
        cortex_alertmanager: {
          version: '1.21.1',
          storage: { backend: 'filesystem', dir: '/srv/shared' },
          ...cortex,
        },
      }),
    })
    return watchedFleet(made.inventory)
  }

  test('is watched without any Alertmanager, each instance as the tenant of canary alerts', async () => {
    const { alertmanagers, pace } = await watchedRing({ cortex: { peer_timeout: '5s' } })
    expect(alertmanagers.map(({ endpoint, way }) => [endpoint.host.name, endpoint.headers, way])).toEqual(
      Object.keys(ring).map((name) => [name, { 'X-Scope-OrgID': 'vestal-canary' }, undefined]),
    )
    expect(alertmanagers[0]).toMatchObject({ port: 19_095, endpoint: { port: 9009, prefix: '/alertmanager' } })
    // The tenant is on three of the four.
    expect(pace).toMatchObject({ everyMs: 3_000, groupIntervalMs: 45_000, peerWaitMs: 10_000 })
    expect((await watchedRing({ cortex: { sharding: false, peer_timeout: '5s' } })).pace.peerWaitMs).toBe(15_000)
  })

  test('beside Alertmanagers is a way of its own; alone these are watched where nobody sends to it', async () => {
    const both = { ...alone, alertmanager: groups.alertmanager }
    const ways = async (more: Parameters<typeof watchedRing>[0]) =>
      (await watchedRing(more, both)).alertmanagers.map(({ way }) => way)
    expect(await ways({})).toEqual([...Array(3).fill('Alertmanagers'), ...Array(4).fill('ring')])
    expect(await ways({ prometheus: {} })).toEqual(Array(3).fill(undefined))
    expect(await ways({ cortex: { canary: { enabled: false } } })).toEqual(Array(3).fill(undefined))
  })

  test.each([
    [{ prometheus: {} }, /prometheus\.tenants: is empty on every Prometheus/],
    [{ cortex: { canary: { enabled: false } } }, /cortex_alertmanager\.canary\.enabled: is false on ring-1/],
    [
      { cortex: { limits: { receivers_firewall_block_private_addresses: true } } },
      /receivers_firewall_block_private_addresses: keeps ring-1 from its own loopback/,
    ],
    [
      { cortex: { limits: { receivers_firewall_block_cidr_networks: ['10.0.0.0/8', '127.0.0.0/8'] } } },
      /receivers_firewall_block_cidr_networks: keeps ring-1 from its own loopback/,
    ],
  ])('that canaries cannot go through is refused: %j', async (more, said) => {
    await expect(watchedRing(more)).rejects.toThrow(said)
  })
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
