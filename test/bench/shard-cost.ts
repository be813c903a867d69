/**
 * What it costs a server to be a shard: five real ones scrape the same exporter at the same time, on this machine's loopback, each with the configuration
 * that the role writes. Those that have a part of the targets have the same part: the table is the longest that there can be, every fourth bucket, by
 * which each target is where hashmod has it.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { stringify } from 'yaml'
import { loadInventory } from '../../lib/inventory/load.ts'
import type { FileData } from '../../lib/kinds/file.ts'
import { taskId } from '../../lib/model.ts'
import { scopeOf } from '../../lib/playbook.ts'
import { columns } from '../../lib/report/columns.ts'
import { bucketOf } from '../../lib/sharding/hash.ts'
import { hashmodOwners, tableOf, tableText } from '../../lib/sharding/table.ts'
import { configOf as pathOf } from '../../roles/prometheus/config.ts'
import { prometheus } from '../../roles/prometheus/role.ts'
import { shippedRoles } from '../../roles/registry.ts'
import { unpacked, versionsOf } from '../e2e/roles/binaries.ts'

const SHARDS = 4
const EXPORTER = 29_998
const FIRST_PORT = 29_980
const INTERVAL_S = 15
const REFRESH_S = 6

export interface CostOptions {
  readonly targets: number
  /** Of each target. */
  readonly series: number
  /** How long they are watched, while nothing changes and then while targets do. */
  readonly seconds: number
}
/** How a server comes to its targets. */
interface Variant {
  readonly name: string
  readonly settings: Readonly<Record<string, unknown>>
  readonly table?: true
  /** Its part of the targets is all it is told of. */
  readonly told?: true
  /** Beside what its scrape config is. */
  readonly job?: Readonly<Record<string, unknown>>
}
export const VARIANTS = [
  { name: 'no shards, all targets', settings: {} },
  { name: 'no shards, told a shard’s targets', settings: {}, told: true },
  { name: 'hashmod', settings: { sharding: 'hashmod', shards: SHARDS } },
  { name: 'table', settings: { sharding: 'table', shards: SHARDS }, table: true },
  {
    name: 'table, dropped targets kept',
    settings: { sharding: 'table', shards: SHARDS },
    table: true,
    job: { keep_dropped_targets: 0 },
  },
] as const satisfies readonly Variant[]

/** Of one server. */
export interface Cost {
  readonly name: string
  readonly targets: number
  readonly samplesPerSecond: number
  /** Processors that are busy with it while no target changes. */
  readonly cpus: number
  /** Processor time for a thousand samples, in ms. */
  readonly cpuMsPerThousand: number
  /** How long it takes to work out which targets are its own, when one of all has changed. */
  readonly syncMs: number
  /** After a garbage collection. */
  readonly heapBytes: number
  readonly rssBytes: number
  /** Of its configuration. */
  readonly configBytes: number
}

/** Throws an Error where a server doesn't come to scrape what it should. */
export const costOfShards = async (
  { targets: count, series, seconds }: CostOptions,
  say: (what: string) => void,
): Promise<{ readonly version: string; readonly costs: readonly Cost[] }> => {
  const version = versionsOf('prometheus').at(-1) ?? ''
  const folder = mkdtempSync(join(tmpdir(), 'vestal-shard-cost-'))
  await using running = new AsyncDisposableStack()
  running.defer(() => rmSync(folder, { recursive: true, force: true }))
  running.use(await exporter(series))
  const targets = Array.from({ length: count }, (_, at) => `127.0.${at >> 8}.${at & 255}:${EXPORTER}`)
  const own = targets.filter((one) => bucketOf({ __address__: one }, ['__address__'], SHARDS) === 0)
  const lists = { all: join(folder, 'all.json'), own: join(folder, 'own.json') }
  const write = (round: number): void => {
    writeTargets(lists.all, { targets, changed: own[0] ?? '', round })
    writeTargets(lists.own, { targets: own, changed: own[0] ?? '', round })
  }
  write(0)
  const servers: Server[] = []
  for (const [at, variant] of VARIANTS.entries()) {
    const list = 'told' in variant ? lists.own : lists.all
    servers.push(running.use(await start(variant, { folder, list, version, port: FIRST_PORT + at })))
  }
  for (const [at, { name, active }] of servers.entries()) {
    const wanted = at === 0 ? count : own.length
    await until(`${name} scrapes ${wanted} targets`, async () => (await active()) === wanted)
  }
  // Every target is scraped, and its series are there.
  await sleep(4 * INTERVAL_S * 1_000)
  say(`${servers.length} servers scrape; ${seconds} s in which no target changes`)
  const still = await over(servers, async () => void (await sleep(seconds * 1_000)))
  say(`${seconds} s in which one target changes every ${REFRESH_S} s`)
  const changing = await over(servers, async () => {
    for (let round = 1; round <= seconds / REFRESH_S; round += 1) {
      write(round)
      await sleep(REFRESH_S * 1_000)
    }
  })
  const costs: Cost[] = []
  for (const [at, server] of servers.entries()) {
    await server.get('/debug/pprof/heap?gc=1')
    const page = await server.get('/metrics')
    const [calm, busy] = [still[at] as Spent, changing[at] as Spent]
    costs.push({
      name: server.name,
      targets: at === 0 ? count : own.length,
      samplesPerSecond: calm.samples / calm.seconds,
      cpus: calm.cpu / calm.seconds,
      cpuMsPerThousand: (1_000 * calm.cpu) / (calm.samples / 1_000),
      syncMs: (1_000 * busy.syncSeconds) / busy.syncs,
      heapBytes: metric(page, 'go_memstats_heap_alloc_bytes'),
      rssBytes: metric(page, 'process_resident_memory_bytes'),
      configBytes: server.configBytes,
    })
  }
  return { version, costs }
}

export const costText = (costs: readonly Cost[]): string =>
  columns(
    ['', 'targets', 'samples/s', 'CPUs', 'CPU for 1,000 samples', 'to sort its targets', 'heap', 'resident', 'config'],
    costs.map((one) => [
      { text: one.name },
      { text: `${one.targets}` },
      { text: one.samplesPerSecond.toFixed(0) },
      { text: one.cpus.toFixed(3) },
      { text: `${one.cpuMsPerThousand.toFixed(2)} ms` },
      { text: `${one.syncMs.toFixed(1)} ms` },
      { text: `${(one.heapBytes / 1024 ** 2).toFixed(0)} MiB` },
      { text: `${(one.rssBytes / 1024 ** 2).toFixed(0)} MiB` },
      { text: `${(one.configBytes / 1024).toFixed(1)} KiB` },
    ]),
  )

interface Server extends AsyncDisposable {
  readonly name: string
  readonly configBytes: number
  get(path: string): Promise<string>
  /** How many targets it scrapes. */
  active(): Promise<number>
}

/** It ends when it is disposed. */
const start = async (
  variant: Variant,
  {
    folder,
    list,
    version,
    port,
  }: { readonly folder: string; readonly list: string; readonly version: string; readonly port: number },
): Promise<Server> => {
  const home = join(folder, `${port}`)
  mkdirSync(home)
  const text = await configOf(variant, { home, list, version })
  writeFileSync(join(home, 'prometheus.yml'), text)
  const log = openSync(join(home, 'log'), 'w')
  const child = spawn(
    join(unpacked('prometheus', version), 'prometheus'),
    [
      `--config.file=${home}/prometheus.yml`,
      `--storage.tsdb.path=${home}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=warn',
    ],
    { stdio: ['ignore', log, log] },
  )
  const get = async (path: string): Promise<string> => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(120_000) })
    if (!answer.ok) throw new Error(`${variant.name} answered ${answer.status} for ${path}`)
    return answer.text()
  }
  return {
    name: variant.name,
    configBytes: text.length,
    get,
    active: async () => metric(await get('/metrics'), ofJob('prometheus_target_scrape_pool_targets')),
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

/** prometheus.yml as the role writes it for a replica of shard 0. */
const configOf = async (
  { settings, table, job }: Variant,
  { home, list, version }: { readonly home: string; readonly list: string; readonly version: string },
): Promise<string> => {
  const inventory = join(home, 'inventory')
  mkdirSync(inventory)
  const hosts = Object.fromEntries(
    Array.from({ length: 'shards' in settings ? SHARDS : 1 }, (_, shard) => [
      `shard-${shard}`,
      { ansible_host: `127.0.0.${shard + 1}`, ansible_connection: 'local' },
    ]),
  )
  const many = { job_name: 'many', file_sd_configs: [{ files: [list] }], ...job }
  const prometheusVars = { version, scrape_interval: `${INTERVAL_S}s`, ...settings, scrape_configs: [many] }
  writeFileSync(
    join(inventory, 'hosts.yml'),
    stringify({ prometheus: { hosts, vars: { prometheus: prometheusVars } } }),
  )
  if (table) writeFileSync(join(inventory, 'shards.yml'), tableText(tableOf(hashmodOwners(SHARDS))))
  const loaded = await loadInventory([inventory], shippedRoles)
  const host = loaded.hosts.find(({ name }) => name === 'shard-0')
  const task =
    host && prometheus.tasks(scopeOf(prometheus, host, loaded)).find((one) => taskId(one) === `file ${pathOf(host)}`)
  return String((task?.data as FileData | undefined)?.content)
}

/** In one step, so that nobody reads half of it. `changed` has another label in each round. */
const writeTargets = (
  file: string,
  {
    targets,
    changed,
    round,
  }: { readonly targets: readonly string[]; readonly changed: string; readonly round: number },
): void => {
  const groups = [
    { targets: targets.filter((one) => one !== changed) },
    { targets: [changed], labels: { round: `${round}` } },
  ]
  writeFileSync(`${file}.new`, JSON.stringify(groups))
  renameSync(`${file}.new`, file)
}

/** One that answers on every address of the loopback, as long as it isn't disposed: so many series, whose values change. */
const exporter = async (series: number): Promise<AsyncDisposable> => {
  let scrapes = 0
  const server = createServer((_, response) => {
    scrapes += 1
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' })
    response.end(
      Array.from({ length: series }, (_, at) => `app_requests_total{path="/p${at}"} ${scrapes * at}\n`).join(''),
    )
  })
  server.keepAliveTimeout = 10 * INTERVAL_S * 1_000
  server.listen(EXPORTER, '0.0.0.0')
  await once(server, 'listening')
  return {
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
    },
  }
}

/** What a server has done in some time. */
interface Spent {
  readonly seconds: number
  readonly cpu: number
  readonly samples: number
  readonly syncs: number
  readonly syncSeconds: number
}

const over = async (servers: readonly Server[], work: () => Promise<void>): Promise<readonly Spent[]> => {
  const read = () => Promise.all(servers.map(({ get }) => get('/metrics')))
  const [began, before] = [Date.now(), await read()]
  await work()
  const [ended, after] = [Date.now(), await read()]
  return servers.map((_, at) => {
    const grown = (name: string): number => metric(after[at] ?? '', name) - metric(before[at] ?? '', name)
    return {
      seconds: (ended - began) / 1_000,
      cpu: grown('process_cpu_seconds_total'),
      samples: grown('prometheus_tsdb_head_samples_appended_total{type="float"}'),
      syncs: grown(ofJob('prometheus_target_sync_length_seconds_count')),
      syncSeconds: grown(ofJob('prometheus_target_sync_length_seconds_sum')),
    }
  })
}

const ofJob = (name: string): string => `${name}{scrape_job="many"}`

/** Throws an Error where a page doesn't have it. */
const metric = (page: string, name: string): number => {
  const line = page.split('\n').find((one) => one.startsWith(`${name} `))
  if (line === undefined) throw new Error(`there is no ${name}`)
  return Number(line.slice(name.length + 1))
}

const until = async (what: string, question: () => Promise<boolean>): Promise<void> => {
  const deadline = Date.now() + 300_000
  while (!(await question().catch(() => false))) {
    if (Date.now() > deadline) throw new Error(`not within 300 s: ${what}`)
    await sleep(500)
  }
}
