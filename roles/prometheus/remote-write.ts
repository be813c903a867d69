import compare from 'semver/functions/compare.js'
import { InputError, type Mistake } from '../../lib/errors.ts'
import type { Host, Inventory, Scope } from '../../lib/model.ts'
import { RegexError } from '../../lib/routing/regex/regex-error.ts'
import { type RelabelStep, relabel } from '../../lib/routing/relabel.ts'
import { addedLabels } from './alert-path.ts'
import { shardingOf, shardOf } from './shards.ts'
import { type PrometheusVars, prometheusOn } from './vars.ts'

type Entry = PrometheusVars['remote_write'][number]
type About = Pick<Scope<PrometheusVars>, 'host' | 'vars' | 'inventory'>

/** By what the HA tracker of Cortex and Mimir tells clusters and their replicas apart, unless told otherwise (Cortex, `docs/guides/ha-pair-handling.md`). */
const CLUSTER = 'cluster'
const REPLICA = '__replica__'

/**
 * The `remote_write` entries of a host. One with `ha_tracker` sends `cluster`, with its shard in it, and `__replica__`: of all that have one value of
 * `cluster` the tracker takes the samples of one. One with `deduplicates` sends neither replica nor shard, so that replicas send the same series
 * (VictoriaMetrics, `docs/README.md`, "Deduplication"). Throws InputError where a shard would be dropped, and for a tracker without a cluster.
 */
export const remoteWriteOf = ({ host, vars, inventory }: About): readonly object[] => {
  checkTracked(inventory)
  return vars.remote_write.map((entry) => written(entry, { host, vars, inventory }))
}

/** What a tracker sees of the samples of an entry; null for relabelling that can't be followed here, and where it drops `up`. */
export const trackedLabels = (
  external: Readonly<Record<string, string>>,
  steps: readonly RelabelStep[],
  version: string,
): { readonly cluster: string; readonly replica: string } | null => {
  try {
    const made = relabel(
      { ...external, __name__: 'up', job: 'job', instance: 'instance' },
      steps,
      compare(version, '3.0.0') >= 0,
    )
    return made && { cluster: made[CLUSTER] ?? '', replica: made[REPLICA] ?? '' }
  } catch (error) {
    if (error instanceof RegexError) return null
    throw error
  }
}

/** The labels by which clusters and copies of one series differ; `shard` where targets are spread. */
export interface CopyLabels {
  readonly cluster: string
  readonly replica: string
  readonly shard?: string
}

/** One entry as Prometheus reads it, with the steps behind its own that its receiver needs. */
export const writtenTo = ({ ha_tracker, deduplicates, ...entry }: Entry, labels: CopyLabels): object => {
  const { replica, shard } = labels
  const steps = [
    ...(ha_tracker ? trackerSteps(labels) : []),
    ...(ha_tracker || deduplicates ? [{ regex: [replica, shard ?? []].flat().join('|'), action: 'labeldrop' }] : []),
  ]
  return { ...entry, ...(steps.length > 0 && { write_relabel_configs: [...stepsOf(entry), ...steps] }) }
}

const written = (entry: Entry, { vars, inventory }: About): Readonly<Record<string, unknown>> => ({
  ...writtenTo(entry, {
    cluster: vars.cluster_label,
    replica: vars.replica_label,
    ...(shardingOf(inventory) && { shard: vars.shard_label }),
  }),
})

const stepsOf = ({ write_relabel_configs: steps }: Readonly<Record<string, unknown>>): readonly RelabelStep[] =>
  Array.isArray(steps) ? steps : []

const trackerSteps = ({ cluster, replica, shard }: CopyLabels): readonly RelabelStep[] => [
  { source_labels: [cluster, shard ?? []].flat(), separator: '-', target_label: CLUSTER },
  { source_labels: [replica], target_label: REPLICA },
]

/** Throws for entries of which a tracker would take one shard alone; looked at once for all hosts. */
const checkTracked = (inventory: Inventory): void => {
  if (checked.has(inventory)) return
  const hosts = inventory.hosts.filter(({ groups }) => groups.includes('prometheus'))
  const sent = hosts.flatMap((host) => sentBy(host, inventory))
  const mistakes = [
    ...hosts.flatMap((host) => withoutCluster(host)),
    ...[...Map.groupBy(sent, ({ url, cluster }) => JSON.stringify([url, cluster])).values()].flatMap(shardsAlike),
  ]
  if (mistakes.length > 0) throw new InputError(mistakes)
  checked.add(inventory)
}
const checked = new WeakSet<Inventory>()

interface Sent {
  readonly host: string
  readonly at: number
  readonly shard: string
  readonly url: string
  readonly cluster: string
}

/** What a host sends with `__replica__`, which is for a tracker alone. */
const sentBy = (host: Host, inventory: Inventory): readonly Sent[] => {
  const vars = prometheusOn(host)
  const about = { host, vars, inventory }
  return vars.remote_write.flatMap((entry, at) => {
    const tracked = trackedLabels(addedLabels(about), stepsOf(written(entry, about)), vars.version)
    if (!tracked || tracked.replica === '') return []
    return [{ host: host.name, at, shard: shardOf(host, inventory), url: String(entry.url), cluster: tracked.cluster }]
  })
}

const withoutCluster = (host: Host): readonly Mistake[] => {
  const { remote_write, cluster, cluster_label, external_labels } = prometheusOn(host)
  if (cluster !== undefined || external_labels[cluster_label]) return []
  return remote_write.flatMap(({ ha_tracker }, at) =>
    ha_tracker
      ? [
          {
            where: `host ${host.name}`,
            path: `prometheus.remote_write.${at}.ha_tracker`,
            what: 'needs a value of cluster: the tracker tells by it whose replicas are whose',
            fix: 'Set prometheus.cluster.',
          },
        ]
      : [],
  )
}

const shardsAlike = (sent: readonly Sent[]): readonly Mistake[] => {
  const [first] = sent
  const other = sent.find(({ shard }) => shard !== first?.shard)
  if (!first || !other) return []
  return [
    {
      where: `host ${first.host}, ${other.host}`,
      path: `prometheus.remote_write.${first.at}`,
      what: `shards ${first.shard} and ${other.shard} send the same cluster ${JSON.stringify(first.cluster)}: an HA tracker takes the samples of one and drops the other's`,
      fix: 'Set ha_tracker: true in place of own steps for __replica__, or put the shard into the value of cluster.',
    },
  ]
}
