/** Two agents scrape a site and send to one VictoriaMetrics; the fleet's Prometheus watches the agents. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, expect, test } from 'vitest'
import { inventoryOf } from '../deploy/inventories.ts'
import { changesOf, type Ended, onHost, planOf, vestal } from '../vestal.ts'
import { HOSTS, query } from './site.ts'
import { gapsOf, nameOf, STORE, stored, storeStands } from './store.ts'

const inventory = inventoryOf({
  'hosts.yml': {
    all: {
      children: {
        prometheus: { hosts: { prom: { ansible_host: HOSTS.prom } } },
        prometheus_agent: { hosts: { cache: { ansible_host: HOSTS.cache }, web: { ansible_host: HOSTS.web } } },
        node_exporter: { children: { site: null } },
        site: { children: { prometheus_agent: null }, hosts: { hardware: { ansible_host: HOSTS.hardware } } },
      },
    },
  },
  'group_vars/all/versions.yml': {
    node_exporter: { version: '1.11.1' },
    prometheus: { version: '3.5.3', scrape_interval: '2s', evaluation_interval: '2s' },
    rules: { watchdog: false },
  },
  'group_vars/prometheus_agent.yml': {
    prometheus_agent: {
      version: '3.5.3',
      cluster: 'site',
      scrape_interval: '2s',
      targets: { node: { group: 'site', port: 9100 } },
      remote_write: [
        { url: `http://${STORE}/api/v1/write`, deduplicates: true, queue_config: { batch_send_deadline: '1s' } },
      ],
    },
  },
})
const SITE = ['node cache:9100', 'node hardware:9100', 'node web:9100']

/** What makes a roll restart them. */
const setLevel = (level: string): void => {
  const path = join(inventory, 'group_vars/prometheus_agent.yml')
  const text = readFileSync(path, 'utf8').replace(/^ {2}log_level: .*\n/m, '')
  writeFileSync(path, text.replace('prometheus_agent:\n', `prometheus_agent:\n  log_level: ${level}\n`))
}
const run = (...words: readonly string[]): Promise<Ended> => vestal([...words, '-i', inventory])
const well = async (...words: readonly string[]): Promise<Ended> => {
  const ended = await run(...words)
  expect({ code: ended.code, said: ended.code === 0 ? '' : ended.stdout + ended.stderr }).toEqual({ code: 0, said: '' })
  return ended
}

beforeAll(async () => {
  await storeStands()
  await well('deploy')
}, 300_000)

test('a second deploy has nothing to do, and status knows them', async () => {
  expect(changesOf(planOf(await run('plan', '--json')))).toEqual({})
  const { instances } = JSON.parse((await well('status', '--json')).stdout) as {
    instances: readonly { instance: string; role: string; healthy: boolean; targets?: object }[]
  }
  expect(instances.filter(({ role }) => role === 'prometheus-agent')).toEqual(
    ['cache', 'web'].map((instance) => expect.objectContaining({ instance, healthy: true, targets: { up: 3, of: 3 } })),
  )
})

test('each target of the site is stored once, and the fleet’s Prometheus watches the agents', async () => {
  const began = Date.now()
  await sleep(10_000)
  expect((await stored(began)).map(nameOf).sort()).toEqual(SITE)
  expect(await query('up{job="prometheus-agent"}', ({ instance = '' }) => instance)).toEqual({
    'cache:9090': 1,
    'web:9090': 1,
  })
})

test('a roll of both leaves no gap in what is stored', async () => {
  const began = Date.now()
  await sleep(4_000)
  setLevel('warn')
  const rolled = await well('rolling-upgrade', '-y', '--no-watch-alerts')
  expect(rolled.stdout).toContain('Prometheus agents, one at a time')
  await sleep(4_000)
  const series = await stored(began)
  console.log(JSON.stringify(Object.fromEntries(series.map((one) => [nameOf(one), Math.max(...gapsOf(one))]))))
  expect(series.map(nameOf).sort()).toEqual(SITE)
  for (const one of series) expect(Math.max(...gapsOf(one)), nameOf(one)).toBeLessThanOrEqual(4_000)
})

test('where the receiver is away, a roll ends with the first agent', async () => {
  const since = await Promise.all([HOSTS.cache, HOSTS.web].map((address) => onHost(address, STARTED)))
  await onHost(HOSTS.hardware, 'systemctl stop victoria-metrics')
  // The agents have sent something since their own start: it is the one that is restarted whose samples don't arrive.
  setLevel('error')
  const ended = await run('rolling-upgrade', '-y', '--no-watch-alerts')
  expect(ended.code).toBe(1)
  expect(ended.stdout + ended.stderr).toContain('nothing of this start was taken by')
  const now = await Promise.all([HOSTS.cache, HOSTS.web].map((address) => onHost(address, STARTED)))
  expect(now.filter((one, at) => one === since[at])).toHaveLength(1)
  await onHost(HOSTS.hardware, 'systemctl start victoria-metrics')
  await well('rolling-upgrade', '-y', '--no-watch-alerts')
})

const STARTED = 'systemctl show -P ActiveEnterTimestampMonotonic prometheus-agent'
