/**
 * The fleet of tests that count what people are told: three shards of two replicas and the hosts of a fourth, and 240 targets, each with alerts of its
 * own, whose exporter is in this process. As many as two cores scrape without missing a moment: what a move costs is seen against targets that stay.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { labNotifications } from '../../../lib/lab/receiver.ts'
import { bucketOf } from '../../../lib/sharding/hash.ts'
import { parseTable, type ShardTable } from '../../../lib/sharding/table.ts'
import { testLab } from '../lab-setup.ts'
import { project } from '../vestal.ts'
import { type Exporter, exporterOn } from './exporter.ts'

export const COUNT = 240
/** One alert as it is, one that is due after a time, and one that looks back further than a sample is looked for. */
export const ALERTS = [
  { alert: 'AtOnce', expr: 'alarm == 1' },
  { alert: 'AfterSomeTime', expr: 'alarm == 1', for: '15s' },
  { alert: 'LooksBack', expr: 'max_over_time(alarm[1m]) == 1' },
]

/** One that is never to fire once all targets have been scraped for a minute: a server that has samples of a part of it takes the counter for slower. */
const SLOWS_DOWN = { alert: 'SlowsDown', expr: 'rate(ticks_total[1m]) < 7' }

export interface AlarmFleet extends AsyncDisposable {
  /** The inventory. Nothing is deployed yet. */
  readonly folder: string
  readonly exporter: Exporter
  table(): ShardTable
  ownerOf(target: string): number
  /** Lets the alerts of these targets fire, or be over. */
  alarm(targets: readonly string[], raised: boolean): void
  /**
   * Every twentieth target, from the one at `offset` on: a part that has had no alert for as long as its servers say that one is over, a quarter of an
   * hour. One that fires again within it may be said to be over by a replica that sees that last.
   */
  part(offset: number): readonly string[]
}

/** With `askable` there is one place to ask, too. */
export const alarmFleet = async (askable: boolean): Promise<AlarmFleet> => {
  const folder = mkdtempSync(join(tmpdir(), 'vestal-alarms-'))
  const exporter = await exporterOn('10.88.0.1', 21_000, COUNT)
  exporter.clock()
  cpSync(join(project, 'inventory/sharded'), folder, { recursive: true })
  const edited = (name: string, edit: (text: string) => string): void => {
    const path = join(folder, name)
    writeFileSync(path, edit(readFileSync(path, 'utf8')))
  }
  const asking = `    thanos_sidecar: { children: { prometheus: } }
    thanos_query: { hosts: { am-1: , am-2: } }
    gateway: { hosts: { am-1: , am-2: } }
`
  edited('hosts.yml', (text) =>
    text.replace(/ +am-3: .*\n/, '').replace(
      '    alertmanager:',
      `        shard_3:
          hosts:
            prom-3a: { ansible_host: 10.88.0.19 }
            prom-3b: { ansible_host: 10.88.0.20 }
${askable ? asking : ''}    alertmanager:`,
    ),
  )
  // Six intervals, ten times shorter than by itself: old shards see the end of what moved while the test still looks.
  const many = { job_name: 'many', static_configs: [{ targets: exporter.targets }] }
  edited(
    'group_vars/prometheus.yml',
    (text) => `${text}  scrape_configs: [${JSON.stringify(many)}]\n  extra_flags: { query.lookback-delta: 30s }\n`,
  )
  const query = {
    thanos_sidecar: { version: '0.42.4', check_interval: '2s' },
    thanos_query: { version: '0.42.4', endpoint_timeout: '3s' },
    gateway: { floating: { address: '10.88.0.200/24' } },
  }
  const more = { ...(askable && query), rules: { folders: ['test-rules'], self_monitoring: false } }
  edited('group_vars/all.yml', (text) => `${text}${stringify(more)}`)
  // Each alert is a group of its own, so that whatever happens to one is notified.
  edited('group_vars/alertmanager.yml', (text) =>
    text
      .replace('group_by: [alertname, cluster]', "group_by: ['...']")
      .replace('group_interval: 1m', 'group_interval: 10s'),
  )
  mkdirSync(join(folder, 'test-rules'))
  const rules = [...ALERTS, ...(askable ? [SLOWS_DOWN] : [])].map((one) => ({ ...one, labels: { severity: 'info' } }))
  writeFileSync(join(folder, 'test-rules/alarms.yml'), stringify({ groups: [{ name: 'alarms', rules }] }))
  const table = (): ShardTable =>
    parseTable({ file: 'shards.yml', text: readFileSync(join(folder, 'shards.yml'), 'utf8') })
  return {
    folder,
    exporter,
    table,
    ownerOf: (target) => table().owners[bucketOf({ __address__: target }, ['__address__'], 1_024) ?? -1] ?? -1,
    alarm(targets, raised) {
      for (const target of targets) exporter.alarm(target, raised)
    },
    part: (offset) => exporter.targets.filter((_, at) => at % 20 === offset),
    async [Symbol.asyncDispose]() {
      await exporter[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true })
    },
  }
}

export interface Told {
  readonly firing: number
  readonly resolved: number
}

/** How often each alert of these targets was notified as firing and as over, `AtOnce 10.88.0.1:21000` being its name. */
export const told = (targets: readonly string[]): ReadonlyMap<string, Told> => {
  const counts = new Map<string, { firing: number; resolved: number }>(
    targets.flatMap((target) => ALERTS.map(({ alert }) => [`${alert} ${target}`, { firing: 0, resolved: 0 }] as const)),
  )
  for (const { status, labels } of alertsTold()) {
    const count = counts.get(`${labels.alertname} ${labels.instance}`)
    if (count) count[status] += 1
  }
  return counts
}

/** The targets of which an alert of this name was notified as firing, of those that began to since a time. */
export const toldSince = (since: number, name: string): readonly string[] => [
  ...new Set(
    alertsTold().flatMap(({ status, labels, startsAt }) =>
      status === 'firing' && labels.alertname === name && Date.parse(startsAt) >= since ? [labels.instance ?? ''] : [],
    ),
  ),
]

interface AlertTold {
  readonly status: 'firing' | 'resolved'
  readonly labels: Readonly<Record<string, string>>
  readonly startsAt: string
}

const alertsTold = (): readonly AlertTold[] =>
  labNotifications(testLab).flatMap(({ body }) => (body as { alerts?: readonly AlertTold[] }).alerts ?? [])

/** The alerts of these targets that were not notified so often, in words. */
export const toldOtherwise = (targets: readonly string[], expected: Told): readonly string[] =>
  [...told(targets)].flatMap(([name, { firing, resolved }]) =>
    firing === expected.firing && resolved === expected.resolved
      ? []
      : [`${name}: ${firing} times firing, ${resolved} times resolved`],
  )
