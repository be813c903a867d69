import compare from 'semver/functions/compare.js'
import { InputError } from '../../lib/errors.ts'
import type { Scope } from '../../lib/model.ts'
import { literal } from '../../lib/routing/regex/literal.ts'
import type { RelabelStep } from '../../lib/routing/relabel.ts'
import { leavingJob } from '../../lib/sharding/leaving.ts'
import { drops, labelsFor, placeOf, shardSteps } from '../../lib/sharding/scrape.ts'
import type { Job, Target } from './job.ts'
import { shardingOf, shardOf } from './shards.ts'
import type { PrometheusVars } from './vars.ts'

type ScrapeConfig = Readonly<Record<string, unknown>>

/** The first version that can forget targets it doesn't scrape (prometheus CHANGELOG, 2.47). */
const FORGETS = '2.47.0'

/**
 * What makes a scrape config one of this host's shard, whatever discovers its targets: steps at the end of its relabelling. While targets leave the shard
 * there is a second one, for those alone. Without shards it is left as it is.
 */
export const shardedScrape = (scope: Scope<PrometheusVars>): ((config: ScrapeConfig) => readonly ScrapeConfig[]) => {
  const { vars, host, inventory } = scope
  const sharding = shardingOf(inventory)
  if (!sharding) return (config) => [config]
  const { labels, buckets } = sharding
  const shard = shardOf(host, inventory)
  const leaving = sharding.leaving(shard)
  const staying = sharding.scraped(shard).filter((bucket) => !leaving.includes(bucket))
  const forgets = compare(vars.version, FORGETS) >= 0
  return (config) => {
    const own = relabellingOf(config, host.name)
    const kept = config.keep_dropped_targets ?? vars.keep_dropped_targets ?? (drops(own) ? 0 : 1)
    const by = labelsFor(labels, own)
    const memory = forgets && kept !== 0 && { keep_dropped_targets: kept }
    const job = String(config.job_name)
    return [
      { ...config, ...memory, relabel_configs: [...own, ...shardSteps(by, { buckets, scraped: staying })] },
      ...(leaving.length > 0
        ? [
            {
              ...config,
              job_name: leavingJob(job),
              ...memory,
              relabel_configs: [
                {
                  source_labels: ['job'],
                  regex: literal(leavingJob(job)),
                  target_label: 'job',
                  replacement: job.replaceAll('$', '$$$$'),
                },
                ...own,
                ...shardSteps(by, { buckets, scraped: leaving, everywhere: false }),
              ],
            },
          ]
        : []),
    ]
  }
}

/** Which targets of the inventory's jobs are this host's to scrape. What cannot be followed here counts as another's, so that none is waited for in vain. */
export const ownTargets = (scope: Scope<PrometheusVars>): ((job: Job, target: Target) => boolean) => {
  const { vars, host, inventory } = scope
  const sharding = shardingOf(inventory)
  if (!sharding) return () => true
  const { labels, buckets } = sharding
  const scraped = new Set(sharding.scraped(shardOf(host, inventory)))
  const dotAll = compare(vars.version, '3.0.0') >= 0
  return ({ name, config }, { address, labels: own }) => {
    const discovered = { __address__: address, job: name, ...own }
    try {
      const place = placeOf(discovered, relabellingOf(config, host.name), { labels, buckets, dotAll })
      return place === 'everywhere' || (place !== 'nowhere' && scraped.has(place))
    } catch (error) {
      if (error instanceof InputError) throw error
      return false
    }
  }
}

/** The steps of a scrape config, without those of the shards. Throws InputError where they are no list. */
export const relabellingOf = (config: ScrapeConfig, host: string): readonly RelabelStep[] => {
  const steps = config.relabel_configs ?? []
  if (Array.isArray(steps)) return steps as readonly RelabelStep[]
  throw new InputError([
    {
      where: `host ${host}`,
      path: 'relabel_configs',
      what: 'expected a list of steps: those of the shards come behind them',
      fix: 'Write each step as an item: `- { action: … }`.',
    },
  ])
}
