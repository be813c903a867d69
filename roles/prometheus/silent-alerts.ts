import compare from 'semver/functions/compare.js'
import type { Scope } from '../../lib/model.ts'
import { literal } from '../../lib/routing/regex/literal.ts'
import { RegexError } from '../../lib/routing/regex/regex-error.ts'
import { type RelabelStep, relabel } from '../../lib/routing/relabel.ts'
import { HASH_LABEL } from '../../lib/sharding/hash.ts'
import { rangesRegex } from '../../lib/sharding/ranges.ts'
import { mayBeWritten } from '../../lib/sharding/rules/scrapes.ts'
import { labelsFor, placeOf } from '../../lib/sharding/scrape.ts'
import type { Target } from './job.ts'
import { type Sharding, shardingOf, shardOf } from './shards.ts'
import { relabellingOf } from './spread.ts'
import { jobsOf } from './targets.ts'
import type { PrometheusVars } from './vars.ts'

type ScrapeConfig = Readonly<Record<string, unknown>>

/**
 * Drops alerts that another shard is to send. Of targets that this one has let go of it would say that each is over: for a quarter of an hour, against
 * the new shard, which says that it fires (prometheus `rules/alerting.go`, resolvedRetention). Of targets that it has begun to scrape its rules see a
 * part of what they look back at: a rate that is too low, nothing for an hour. An alert is a target's that has its `job` and `instance`. Where
 * targets are discovered, their bucket is worked out of the alert itself, if its labels are those that were hashed.
 */
export const stepsForSilent = (scope: Scope<PrometheusVars>): readonly RelabelStep[] => {
  const { host, inventory, vars } = scope
  const sharding = shardingOf(inventory)
  const silent = sharding?.silent(shardOf(host, inventory)) ?? []
  if (!sharding || silent.length === 0) return []
  const known = [
    ...jobsOf(scope).map(({ name, targets, config }) => ({ name, config, targets })),
    ...vars.scrape_configs.map((config) => ({ name: config.job_name, config, targets: staticTargets(config) })),
  ]
  const named = known.flatMap(({ name, config, targets }) => {
    const find = finderOf(scope, { name, config, sharding })
    return targets.flatMap((target) => find(target) ?? [])
  })
  const gone = new Set(silent)
  // One that is called as a target which stays is: its alerts may be the other's.
  const here = new Set(named.filter(({ bucket }) => bucket === null || !gone.has(bucket)).map(nameOf))
  const byJob = Map.groupBy(
    named.filter((one) => !here.has(nameOf(one))),
    ({ job }) => job,
  )
  return [
    ...[...byJob].map(([job, some]) => ({
      source_labels: ['job', 'instance'],
      regex: `${literal(job)};(?:${[...new Set(some.map(({ instance }) => literal(instance)))].sort().join('|')})`,
      action: 'drop',
    })),
    ...stepsForDiscovered(
      vars.scrape_configs.filter((config) => canBeHashed(config, { sharding, version: vars.version, host: host.name })),
      sharding,
      silent,
    ),
  ]
}

interface Named {
  readonly job: string
  readonly instance: string
  /** null where every shard scrapes it. */
  readonly bucket: number | null
}

const nameOf = ({ job, instance }: Named): string => JSON.stringify([job, instance])

/** What a known target is called and which bucket it is in; null where that can't be worked out, and where no shard scrapes it. */
const finderOf = (
  { host, vars }: Scope<PrometheusVars>,
  {
    name,
    config,
    sharding: { labels, buckets },
  }: { readonly name: string; readonly config: ScrapeConfig; readonly sharding: Sharding },
): ((target: Target) => Named | null) => {
  const own = relabellingOf(config, host.name)
  const dotAll = compare(vars.version, '3.0.0') >= 0
  return ({ address, labels: given }) => {
    const discovered = { __address__: address, job: name, ...given }
    try {
      const place = placeOf(discovered, own, { labels, buckets, dotAll })
      const { job = name, instance, __address__: at = '' } = relabel(discovered, own, dotAll) ?? {}
      if (place === 'nowhere' || (instance === undefined && !isWhole(at, vars.version))) return null
      return { job, instance: instance ?? at, bucket: place === 'everywhere' ? null : place }
    } catch (error) {
      if (error instanceof RegexError) return null
      throw error
    }
  }
}

/** Before 3.0 an address without a port gets one, after it was hashed. */
const isWhole = (address: string, version: string): boolean => compare(version, '3.0.0') >= 0 || /:\d+$/.test(address)

const staticTargets = ({ static_configs: configs }: ScrapeConfig): readonly Target[] =>
  (Array.isArray(configs) ? configs : []).flatMap(({ targets, labels }) =>
    (Array.isArray(targets) ? targets : []).map((address) => ({ address: String(address), labels: labels ?? {} })),
  )

/** The labels of an alert that stand for what its target is hashed by. */
const standIns = (labels: readonly string[]): readonly string[] =>
  labels.map((name) => (name === '__address__' ? 'instance' : name))

/** Whether targets of a job are discovered, and have what they are hashed by as labels that nothing else writes. */
const canBeHashed = (
  config: ScrapeConfig,
  {
    sharding: { labels },
    version,
    host,
  }: { readonly sharding: Sharding; readonly version: string; readonly host: string },
): boolean => {
  const own = relabellingOf(config, host)
  const metrics = Array.isArray(config.metric_relabel_configs) ? (config.metric_relabel_configs as RelabelStep[]) : []
  const byAddress = labels.includes('__address__')
  return (
    Object.keys(config).some((name) => name.endsWith('_sd_configs')) &&
    !config.honor_labels &&
    labelsFor(labels, own).join() === labels.join() &&
    standIns(labels).every((name) => !name.startsWith('__')) &&
    !mayBeWritten(own, ['job', HASH_LABEL, ...(byAddress ? ['instance'] : [])]) &&
    !mayBeWritten(metrics, ['job', ...standIns(labels)]) &&
    (!byAddress || compare(version, '3.0.0') >= 0)
  )
}

const stepsForDiscovered = (
  configs: readonly { readonly job_name: string }[],
  { labels, buckets }: Sharding,
  silent: readonly number[],
): readonly RelabelStep[] => {
  if (configs.length === 0) return []
  const by = standIns(labels)
  const jobs = configs.map(({ job_name }) => literal(job_name)).join('|')
  return [
    { source_labels: by, modulus: buckets, target_label: HASH_LABEL, action: 'hashmod' },
    {
      source_labels: ['job', ...by, HASH_LABEL],
      regex: [`(?:${jobs})`, ...by.map(() => '[^;]+'), `(?:${rangesRegex(silent)})`].join(';'),
      action: 'drop',
    },
    { regex: HASH_LABEL, action: 'labeldrop' },
  ]
}
