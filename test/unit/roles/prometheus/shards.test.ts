import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { scopeOf } from '../../../../lib/playbook.ts'
import { relabel } from '../../../../lib/routing/relabel.ts'
import { bucketOf } from '../../../../lib/sharding/hash.ts'
import { evenOwners, type ShardTable, shardsOf, tableOf, tableText } from '../../../../lib/sharding/table.ts'
import { canaryMachines } from '../../../../roles/prometheus/canary.ts'
import { prometheus } from '../../../../roles/prometheus/role.ts'
import { replicasOf, scrapesNothing, shardOf } from '../../../../roles/prometheus/shards.ts'
import { ownTargets } from '../../../../roles/prometheus/spread.ts'
import { jobsOf } from '../../../../roles/prometheus/targets.ts'
import { type Fleet, fleet, hostsFile, route } from '../fleet.ts'

const hosts = (...names: readonly string[]) =>
  Object.fromEntries(names.map((name, at) => [name, { ansible_host: `10.0.0.${at + 1}` }]))
const SIX = hosts('p-1', 'p-2', 'p-3', 'p-4', 'p-5', 'p-6')

const sharded = (
  settings: object,
  {
    table,
    groups = { prometheus: SIX },
  }: { readonly table?: ShardTable; readonly groups?: Parameters<typeof hostsFile>[0] } = {},
): Promise<Fleet> =>
  fleet({
    'hosts.yml': hostsFile(
      {
        alertmanager: { am: { ansible_host: '10.0.1.1' } },
        node_exporter: { am: {}, n: { ansible_host: '10.0.1.2' } },
        ...groups,
      },
      { prometheus: { version: '3.5.3', ...settings }, alertmanager: { version: '0.33.1', config: route } },
    ),
    ...(table && { 'shards.yml': tableText(table) }),
  })

interface Config {
  readonly global: { readonly external_labels: object }
  readonly alerting: { readonly alert_relabel_configs: readonly unknown[] }
  readonly scrape_configs: readonly {
    readonly job_name: string
    readonly keep_dropped_targets?: number
    readonly relabel_configs: Parameters<typeof relabel>[1]
    readonly metric_relabel_configs?: readonly unknown[]
  }[]
}
const configOf = (made: Fleet, host: string): Config =>
  parse(made.text('prometheus', host, '/etc/prometheus/prometheus.yml')) as Config

const THREE = tableOf(evenOwners(3))

describe('which shard a host is a replica of', () => {
  test('hosts are handed out in order, as many to each', async () => {
    using made = await sharded({ shards: 3 }, { table: THREE })
    expect(made.inventory.hosts.slice(0, 2).map(({ name }) => name)).not.toEqual([])
    expect(Object.keys(SIX).map((name) => shardOf(made.host(name), made.inventory))).toEqual([
      '0',
      '0',
      '1',
      '1',
      '2',
      '2',
    ])
    expect([...replicasOf(made.inventory)].map(([shard, some]) => [shard, some.length])).toEqual([
      ['0', 2],
      ['1', 2],
      ['2', 2],
    ])
  })

  test('a group says it, and a setting goes before the group', async () => {
    using made = await sharded(
      {},
      { groups: { prometheus: SIX, shard_0: { 'p-1': {}, 'p-2': {} }, shard_10: { 'p-3': {} } } },
    )
    expect(['p-1', 'p-3', 'p-4'].map((name) => shardOf(made.host(name), made.inventory))).toEqual(['0', '10', '0'])
  })

  test.each([
    [{ shards: 4 }, THREE, /prometheus\.shards: is 4, and 6 hosts can’t be handed out evenly/],
    [{ shards: 3 }, undefined, /shards\.yml: there is no table of shards\n.*vestal shards move --to NUMBER/],
    [{ shards: 2 }, THREE, /shards\.yml: no host is of shard 2, so nobody would scrape its targets/],
    [{ shard: 'b' }, tableOf(evenOwners(1)), /prometheus\.shard: is "b", no number/],
    [{ shard: 1, sharding: 'hashmod' }, undefined, /is 2, but no host is of shard 0/],
  ])('%j is refused', async (settings, table, message) => {
    using made = await sharded(settings, { table })
    expect(() => configOf(made, 'p-1')).toThrow(message)
  })

  test('replicas of a shard on one machine are refused', async () => {
    const shared = { 'p-1': { ansible_host: '10.0.0.1' }, 'p-2': { ansible_host: '10.0.0.1', ansible_port: 2222 } }
    await expect(sharded({ shards: 1, sharding: 'hashmod' }, { groups: { prometheus: shared } })).rejects.toThrow(
      'p-2 has the address of p-1 among the machines: 10.0.0.1',
    )
  })
})

describe('without shards', () => {
  test('nothing is added to jobs, labels or alerts', async () => {
    using made = await sharded({ replica: 'a' })
    const { global, alerting, scrape_configs } = configOf(made, 'p-1')
    expect(global.external_labels).toEqual({ replica: 'a' })
    expect(alerting.alert_relabel_configs).toEqual([{ action: 'labeldrop', regex: 'replica' }])
    expect(scrape_configs.map((one) => one.relabel_configs)).toEqual(scrape_configs.map(() => undefined))
    expect(scrape_configs.map((one) => one.job_name)).not.toContain('vestal_canary')
  })
})

const JOBS = {
  targets: {
    app: { group: 'node_exporter', port: 8080, config: { relabel_configs: [{ target_label: 'x', replacement: 'y' }] } },
  },
  scrape_configs: [
    {
      job_name: 'dynamic',
      kubernetes_sd_configs: [{ role: 'pod' }],
      relabel_configs: [{ action: 'drop', source_labels: ['a'], regex: 'b' }],
    },
    {
      job_name: 'probe',
      static_configs: [{ targets: ['https://a.example', 'https://b.example'] }],
      relabel_configs: [
        { source_labels: ['__address__'], target_label: '__param_target' },
        { target_label: '__address__', replacement: '127.0.0.1:9115' },
      ],
    },
  ],
}

describe('with a table', () => {
  test('each server carries its shard and its replica, and no alert does', async () => {
    using made = await sharded({ shards: 3 }, { table: THREE })
    const { global, alerting } = configOf(made, 'p-3')
    expect(global.external_labels).toEqual({ shard: '1', replica: 'p-3' })
    expect(alerting.alert_relabel_configs[0]).toEqual({ action: 'labeldrop', regex: 'replica|shard' })
  })

  test('every job, whatever finds its targets, ends with the bucket and one keep', async () => {
    using made = await sharded({ shards: 3, ...JOBS }, { table: THREE })
    for (const { job_name, relabel_configs } of configOf(made, 'p-1').scrape_configs) {
      expect({ job_name, last: relabel_configs.slice(-2) }).toEqual({
        job_name,
        last: [
          { source_labels: ['__tmp_hash'], modulus: 1_024, target_label: '__tmp_hash', action: 'hashmod' },
          {
            source_labels: ['__tmp_hash', '__tmp_disable_sharding'],
            regex: String.raw`(?:\d|[1-9]\d|[12]\d\d|3[0-3]\d|34[01]);|.+;.+`,
            action: 'keep',
          },
        ],
      })
    }
  })

  test('a shard forgets the targets of others, except where a job drops some itself', async () => {
    using made = await sharded({ shards: 3, ...JOBS }, { table: THREE })
    const kept = (one: Fleet) =>
      Object.fromEntries(configOf(one, 'p-1').scrape_configs.map((job) => [job.job_name, job.keep_dropped_targets]))
    expect(kept(made)).toMatchObject({ node: 1, app: 1, dynamic: undefined, probe: 1 })
    using chosen = await sharded({ shards: 3, keep_dropped_targets: 50, ...JOBS }, { table: THREE })
    expect(kept(chosen)).toMatchObject({ node: 50, dynamic: 50 })
    using old = await sharded({ shards: 3, version: '2.42.0', ...JOBS }, { table: THREE })
    expect(kept(old)).toMatchObject({ node: undefined })
  })

  const discovered: readonly Readonly<Record<string, string>>[] = [
    ...Array.from({ length: 300 }, (_, at) => ({ job: 'app', __address__: `10.1.2.3:${at}` })),
    { job: 'app', __address__: 'élan:1', __tmp_hash: 'mine' },
    { job: 'app', __address__: 'x\ny' },
    { job: 'app' },
  ]
  test.each([
    ['a still table', THREE],
    [
      'a bucket that moves',
      { ...THREE, moving: [{ buckets: [0, 1, 2, 3, 100, 200], from: 0, to: 2, state: 'scraping' as const }] },
    ],
    [
      'one that was seen',
      { ...THREE, moving: [{ buckets: [0, 1, 2, 3, 100, 200], from: 0, to: 2, state: 'seen' as const }] },
    ],
  ])('%s: a target is kept by exactly the shards of its bucket', async (_, table) => {
    using made = await sharded({ shards: 3, ...JOBS }, { table })
    // What leaves is scraped by a job for that alone, as the same series.
    const jobs = ['p-1', 'p-3', 'p-5'].map((host) =>
      configOf(made, host).scrape_configs.filter(({ job_name }) => /^app\b/.test(job_name)),
    )
    const keepers = (labels: Readonly<Record<string, string>>) =>
      jobs.flatMap((some, shard) =>
        some.flatMap(({ job_name, relabel_configs: steps = [] }) => {
          const discovered = labels.job === undefined ? labels : { ...labels, job: job_name }
          const kept = relabel(discovered, steps, true)
          if (kept) expect(kept.job).toBe(labels.job)
          return kept ? [shard] : []
        }),
      )
    for (const labels of discovered) {
      const bucket = bucketOf(labels, ['__address__'], 1_024)
      expect(keepers(labels)).toEqual([...shardsOf(table, bucket ?? -1)].sort())
    }
    expect(keepers({ ...discovered[0], __tmp_disable_sharding: 'yes' })).toEqual([0, 1, 2])
  })

  test('probes are spread by what they probe, not by their prober', async () => {
    using made = await sharded({ shards: 3, ...JOBS }, { table: THREE })
    const job = configOf(made, 'p-1').scrape_configs.find(({ job_name }) => job_name === 'probe')
    expect(job?.relabel_configs.at(-3)).toMatchObject({ source_labels: ['__param_target', '__tmp_hash'] })
  })

  test('a shard is asked only for its own targets, and each target is asked of one', async () => {
    const machines = hosts(...Array.from({ length: 40 }, (_, at) => `p-${at + 1}`))
    using made = await sharded(
      { targets: { app: { group: 'many', port: 8080 } } },
      {
        table: THREE,
        groups: {
          many: machines,
          prometheus: { 'p-1': {}, 'p-2': {}, 'p-3': {} },
          shard_1: { 'p-2': {} },
          shard_2: { 'p-3': {} },
        },
      },
    )
    const asked = ['p-1', 'p-2', 'p-3'].map((name) => {
      const scope = scopeOf(prometheus, made.host(name), made.inventory)
      const mine = ownTargets(scope)
      const app = jobsOf(scope).find((job) => job.name === 'app')
      return (app?.targets ?? []).filter((target) => app && mine(app, target)).map(({ address }) => address)
    })
    expect(asked.every((some) => some.length > 0)).toBe(true)
    expect(asked.flat().sort()).toEqual(
      Object.values(machines)
        .map((host) => `${host.ansible_host}:8080`)
        .sort(),
    )
  })

  test('each shard reads its canaries from machines of its own, and the job of machines leaves them out', async () => {
    using made = await sharded({ shards: 3 }, { table: THREE })
    const { scrape_configs } = configOf(made, 'p-3')
    expect(scrape_configs.find(({ job_name }) => job_name === 'node')?.metric_relabel_configs).toEqual([
      { source_labels: ['vestal_shard'], regex: '.+', action: 'drop' },
    ])
    expect(scrape_configs.find(({ job_name }) => job_name === 'vestal_canary')).toMatchObject({
      params: { 'collect[]': ['textfile'] },
      metric_relabel_configs: [{ source_labels: ['vestal_shard'], regex: '1', action: 'keep' }],
    })
    using large = await sharded(
      { shards: 3 },
      { table: THREE, groups: { prometheus: SIX, node_exporter: { am: {}, ...SIX } } },
    )
    const names = ['0', '1', '2'].map((shard) => canaryMachines(large.inventory, shard).slice(0, 2))
    expect(names.map((some) => some.map(({ name }) => name))).toEqual([
      ['am', 'p-1'],
      ['p-2', 'p-3'],
      ['p-4', 'p-5'],
    ])
  })

  test('a shard without buckets scrapes nothing, and its hosts can go', async () => {
    using made = await sharded({ shards: 3 }, { table: tableOf(evenOwners(2), { shards: [2] }) })
    expect(scrapesNothing(made.host('p-5'), made.inventory)).toBe(true)
    expect(
      configOf(made, 'p-5').scrape_configs.every(({ relabel_configs }) => relabel_configs.at(-1)?.regex === '.+;.+'),
    ).toBe(true)
    const left = (...names: readonly string[]) => names.map(made.host)
    expect(prometheus.minimum?.(made.host('p-5'), left('p-1', 'p-3'), made.inventory)).toBeNull()
    expect(prometheus.minimum?.(made.host('p-3'), left('p-1', 'p-5'), made.inventory)?.fix).toContain(
      'vestal shards move',
    )
  })
})

test('hashmod spreads by the number of shards, by labels of one’s own', async () => {
  using made = await sharded({ shards: 3, sharding: 'hashmod', shard_labels: ['namespace'] })
  expect(configOf(made, 'p-5').scrape_configs[0]?.relabel_configs).toEqual([
    { source_labels: ['namespace', '__tmp_hash'], regex: '([\\s\\S]*);', target_label: '__tmp_hash' },
    { source_labels: ['__tmp_hash'], modulus: 3, target_label: '__tmp_hash', action: 'hashmod' },
    { source_labels: ['__tmp_hash', '__tmp_disable_sharding'], regex: '(?:2);|.+;.+', action: 'keep' },
  ])
})
