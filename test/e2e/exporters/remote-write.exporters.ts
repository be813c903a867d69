/** Two shards of two replicas write to one VictoriaMetrics, which keeps one of equal samples. */
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, expect, test } from 'vitest'
import { inventoryOf } from '../deploy/inventories.ts'
import { type Ended, onHost, vestal } from '../vestal.ts'
import { HOSTS } from './site.ts'
import { gapsOf, INTERVAL_MS, nameOf, STORE, stored, storeStands } from './store.ts'

const WRITES = { url: `http://${STORE}/api/v1/write`, deduplicates: true, queue_config: { batch_send_deadline: '1s' } }
const inventory = inventoryOf({
  'hosts.yml': {
    all: {
      children: {
        prometheus: { hosts: Object.fromEntries(Object.keys(HOSTS).map((name) => [name, null])) },
        node_exporter: { children: { prometheus: null } },
      },
    },
  },
  ...Object.fromEntries(
    Object.entries(HOSTS).map(([name, address]) => [`host_vars/${name}.yml`, { ansible_host: address }]),
  ),
  'group_vars/node_exporter.yml': { node_exporter: { version: '1.11.1' } },
  'group_vars/prometheus.yml': {
    prometheus: {
      version: '3.5.3',
      shards: 2,
      sharding: 'hashmod',
      scrape_interval: '2s',
      evaluation_interval: '2s',
      remote_write: [WRITES],
    },
    rules: { watchdog: false },
  },
})

const run = async (...words: readonly string[]): Promise<Ended> => {
  const ended = await vestal([...words, '-i', inventory])
  expect({ code: ended.code, said: ended.code === 0 ? '' : ended.stdout + ended.stderr }).toEqual({ code: 0, said: '' })
  return ended
}

/** What Prometheus scrapes, by shard: each replica's own list. */
const scrapedBy = async (address: string): Promise<readonly string[]> => {
  const answer = await fetch(`http://${address}:9090/api/v1/targets?state=active`, {
    signal: AbortSignal.timeout(10_000),
  })
  const { data } = (await answer.json()) as {
    data: { activeTargets: readonly { labels: Readonly<Record<string, string>> }[] }
  }
  return data.activeTargets.map(({ labels }) => `${labels.job} ${labels.instance}`).sort()
}
beforeAll(async () => {
  await storeStands()
  await run('deploy')
}, 300_000)

test('the store has each target of both shards once, without the names of replicas and shards', async () => {
  const began = Date.now()
  await sleep(20_000)
  const lists = await Promise.all(Object.values(HOSTS).map(scrapedBy))
  // Two replicas have the same targets, and no target is of both shards.
  expect([lists[0], lists[2]]).toEqual([lists[1], lists[3]])
  const targets = [...(lists[0] ?? []), ...(lists[2] ?? [])].sort()
  expect(new Set(targets).size).toBe(targets.length)
  expect(lists[0]?.length).toBeGreaterThan(0)
  expect(lists[2]?.length).toBeGreaterThan(0)

  const series = await stored(began)
  expect(series.map(nameOf).sort()).toEqual(targets)
  expect(series.filter(({ metric }) => 'replica' in metric || 'shard' in metric)).toEqual([])
  // Both replicas write every sample: without deduplication there were twice as many.
  const most = 20_000 / INTERVAL_MS + 3
  for (const { timestamps } of series) expect(timestamps.length).toBeLessThanOrEqual(most)
})

test('the loss of one replica of each shard leaves no gap in it', async () => {
  const began = Date.now()
  await sleep(6_000)
  await Promise.all(
    [HOSTS.prom, HOSTS.web].map((address) =>
      onHost(address, 'systemctl kill -s KILL prometheus; systemctl stop prometheus'),
    ),
  )
  await sleep(20_000)
  const series = await stored(began)
  console.log(JSON.stringify(Object.fromEntries(series.map((one) => [nameOf(one), Math.max(...gapsOf(one))]))))
  expect(series.length).toBeGreaterThan(0)
  for (const one of series) {
    // The targets that are lost with the replicas are still asked.
    expect(Math.max(...gapsOf(one)), nameOf(one)).toBeLessThanOrEqual(2 * INTERVAL_MS)
    expect(Date.now() - (one.timestamps.at(-1) ?? 0), nameOf(one)).toBeLessThan(10_000)
  }
})
