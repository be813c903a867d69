/** Rules on real servers: one Prometheus with all targets, and three shards with the relabelling that the role writes, all with all of the rules. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { lintFiles } from '../../../lib/sharding/rules/rule-files.ts'
import { shardingBy } from '../../../lib/sharding/rules/sharding.ts'
import { shardSteps } from '../../../lib/sharding/scrape.ts'
import { evenOwners } from '../../../lib/sharding/table.ts'
import { unpacked, versionsOf } from '../roles/binaries.ts'

const SHARDS = [0, 1, 2]
const TARGETS = Array.from({ length: 24 }, (_, at) => at + 1)
const NAMESPACES = ['red', 'blue', 'green']

const RULES: Readonly<Record<string, string>> = {
  Level: 'level > 3',
  Ratio: 'sum without (slot) (busy) / on (job, instance) level > 1',
  Instance: 'max by (instance) (busy{job="app"}) >= 3',
  Recorded: 'instance:busy:sum{job="db"} > 2 unless on (job, instance) level == 1',
  Rate: 'rate(ticks_total[20s]) > 0.5',
  Quantile: 'histogram_quantile(0.5, took_bucket) > 1',
  Again: 'ALERTS{alertname="Level", alertstate="firing"}',
  Always: 'vector(1)',
  TooFew: 'count(up) < 20',
  Gone: 'absent(up{instance="t7"})',
  Sum: 'sum by (namespace) (level) > 15',
  Most: 'topk(1, level * 100 + on (job, instance) group_right () busy{slot="a"})',
  Beside: 'level > 4 unless on (namespace) level == 2',
  Of: 'namespace:level:sum > 15',
}

let [folder, ports] = ['', [] as number[]]
const processes: ChildProcess[] = []
const exporter = createServer(({ headers }, answer) => {
  const of = Number(/^127\.0\.0\.(\d+):/.exec(headers.host ?? '')?.[1])
  answer.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(metricsOf(of))
})

/** What a target shows follows from its address alone. */
const metricsOf = (of: number): string => {
  const lines = [
    `level ${of % 6}`,
    `busy{slot="a"} ${of % 4}`,
    `busy{slot="b"} ${of % 5}`,
    `ticks_total ${of % 3 === 0 ? Math.floor(Date.now() / 1000) : 1}`,
    ...['1', '5', '+Inf'].map((le, at) => `took_bucket{le="${le}"} ${at * (of % 3)}`),
  ]
  return `${lines.join('\n')}\n`
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vestal-servers-'))
  exporter.listen(0, '0.0.0.0')
  await once(exporter, 'listening')
  const { port } = exporter.address() as AddressInfo
  writeFileSync(join(folder, 'rules.yml'), rulesText())
  const binary = join(unpacked('prometheus', versionsOf('prometheus').at(-1) ?? ''), 'prometheus')
  for (const shard of [undefined, ...SHARDS]) {
    const at = join(folder, `${shard ?? 'all'}`)
    mkdirSync(at)
    writeFileSync(join(at, 'prometheus.yml'), configOf(port, shard))
    const own = await freePort()
    ports.push(own)
    const flags = [
      `--config.file=${at}/prometheus.yml`,
      `--storage.tsdb.path=${at}/data`,
      `--web.listen-address=127.0.0.1:${own}`,
    ]
    processes.push(spawn(binary, flags, { stdio: 'ignore' }))
  }
}, 60_000)

afterAll(async () => {
  for (const one of processes) {
    one.kill('SIGKILL')
    if (one.exitCode === null && one.signalCode === null) await once(one, 'exit')
  }
  exporter.closeAllConnections()
  exporter.close()
  rmSync(folder, { recursive: true, force: true })
})

const rulesText = (): string =>
  stringify({
    groups: [
      {
        name: 'g',
        interval: '1s',
        rules: [
          { record: 'instance:busy:sum', expr: 'sum without (slot) (busy)' },
          { record: 'namespace:level:sum', expr: 'sum by (namespace) (level)' },
          ...Object.entries(RULES).map(([alert, expr]) => ({ alert, expr, for: '3s' })),
        ],
      },
    ],
  })

const configOf = (port: number, shard: number | undefined): string => {
  const owners = evenOwners(SHARDS.length)
  const scraped = owners.flatMap((owner, bucket) => (owner === shard ? [bucket] : []))
  const steps = shard === undefined ? [] : shardSteps(['instance'], { buckets: owners.length, scraped })
  return stringify({
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: [join(folder, 'rules.yml')],
    scrape_configs: ['app', 'db'].map((job, at) => ({
      job_name: job,
      static_configs: TARGETS.filter((of) => of % 2 === at).map((of) => ({
        targets: [`127.0.0.${of}:${port}`],
        // By their name, so that each run has the same targets on each shard.
        labels: { namespace: NAMESPACES[of % 3], instance: `t${of}` },
      })),
      relabel_configs: steps,
    })),
  })
}

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}

/** The alerts that fire on a server, by the name of their rule; their labels in one order. */
const firing = async (port: number): Promise<ReadonlyMap<string, readonly string[]>> => {
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1/alerts`)
  const { data } = (await answer.json()) as { data: { alerts: { state: string; labels: Record<string, string> }[] } }
  const alerts = data.alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels)
  return new Map(
    [...Map.groupBy(alerts, ({ alertname }) => alertname ?? '')].map(([name, some]) => [
      name,
      some.map((labels) => JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))).sort(),
    ]),
  )
}

test('alerts of rules called safe are the same on three servers as on one, those of others are not', async () => {
  const verdicts = lintFiles([{ path: 'rules.yml', text: rulesText() }], shardingBy(['__address__']))
  const safe = verdicts.filter((one) => one.safe && one.rule.kind === 'alert').map(({ rule }) => rule.name)
  expect(safe).toEqual(['Level', 'Ratio', 'Instance', 'Recorded', 'Rate', 'Quantile', 'Again', 'Always'])
  const seen = async () => {
    const [whole, ...parts] = await Promise.all(ports.map(firing))
    return Object.keys(RULES).map((name) => {
      const all = parts.flatMap((one) => one.get(name) ?? [])
      return { name, one: whole?.get(name) ?? [], three: [...new Set(all)].sort() }
    })
  }
  const alike = (found: Awaited<ReturnType<typeof seen>>) =>
    found.filter(({ one, three }) => JSON.stringify(one) === JSON.stringify(three)).map(({ name }) => name)
  let found: Awaited<ReturnType<typeof seen>> = []
  for (let tries = 0; tries < 90; tries++) {
    await sleep(1_000)
    found = await seen().catch(() => [])
    // The rate needs its window, and each alert its time.
    const told = safe.every((name) => found.some((one) => one.name === name && one.one.length > 0))
    if (tries > 20 && told && JSON.stringify(alike(found)) === JSON.stringify(safe)) break
  }
  expect(found.filter(({ name, one }) => safe.includes(name) && one.length === 0)).toEqual([])
  expect(alike(found)).toEqual(safe)
}, 150_000)
