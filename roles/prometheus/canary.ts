import { SHARD_LABEL } from '../../lib/ledger/schedule.ts'
import type { Host, Inventory, Scope } from '../../lib/model.ts'
import { scrapeOf } from '../../lib/program/web.ts'
import { EVERYWHERE_LABEL } from '../../lib/sharding/hash.ts'
import { nodeExporter } from '../node-exporter/role.ts'
import { type Job, type Target, targetOf } from './job.ts'
import { SHARD_GROUP, scrapesNothing, shardingOf, shardOf } from './shards.ts'
import type { PrometheusVars } from './vars.ts'

/** The job that reads the metrics of a shard's canaries. */
export const CANARY_JOB = 'vestal_canary'

/**
 * The machines whose node_exporter has the metrics of a shard's canaries, the better ones first, two of which are read. Each shard begins at another
 * place of the list; without shards it is the list.
 */
export const canaryMachines = (inventory: Inventory, shard = '0'): readonly Host[] => {
  const machines = turnAbout(inventory.hosts.filter(({ groups }) => groups.includes('node_exporter')))
  const first = (Number(shard) * READ) % Math.max(1, machines.length)
  return [...machines.slice(first), ...machines.slice(0, first)]
}
/** One machine that restarts must not end every canary. */
const READ = 2

type Jobs = Readonly<Record<string, Omit<Job, 'name'> | null>>

/**
 * Where targets are spread, each shard reads metrics of canaries from targets of its own, so that a watched run goes through every shard; the job of
 * machines leaves those metrics out.
 */
export const canaryJobs = ({ host, inventory }: Scope<PrometheusVars>, { node }: Jobs): Jobs => {
  if (!shardingOf(inventory) || !node || scrapesNothing(host, inventory)) return {}
  const shard = shardOf(host, inventory)
  const { metric_relabel_configs: own } = node.config
  return {
    node: {
      ...node,
      config: {
        ...node.config,
        metric_relabel_configs: [
          ...(Array.isArray(own) ? own : []),
          { source_labels: [SHARD_LABEL], regex: '.+', action: 'drop' },
        ],
      },
    },
    [CANARY_JOB]: {
      targets: canaryTargets(inventory, shard),
      config: {
        ...textfileOnly(node.config),
        relabel_configs: [{ target_label: EVERYWHERE_LABEL, replacement: 'canary' }],
        metric_relabel_configs: [{ source_labels: [SHARD_LABEL], regex: shard, action: 'keep' }],
      },
    },
  }
}

/** What is scraped for a shard's canaries. */
export const canaryTargets = (inventory: Inventory, shard?: string): readonly Target[] =>
  canaryMachines(inventory, shard)
    .slice(0, READ)
    .map((machine) => {
      const { port, labels = {} } = scrapeOf('node', nodeExporter.varsOf(machine))
      return targetOf(machine, { port, labels })
    })

/** How machines are scraped, for their files of metrics alone, and without what is done to other metrics. */
export const textfileOnly = ({
  metric_relabel_configs: _,
  relabel_configs: __,
  params: ___,
  ...asked
}: Job['config']): Job['config'] => ({ ...asked, params: { 'collect[]': ['textfile'] } })

/** Hosts of different groups by turns, shards apart, so that the first two are not restarted in one play. */
const turnAbout = (hosts: readonly Host[]): readonly Host[] => {
  const turn = new Map(
    [...Map.groupBy(hosts, ({ groups }) => groups.filter((group) => !SHARD_GROUP.test(group)).join()).values()].flatMap(
      (alike) => alike.map((host, at) => [host, at] as const),
    ),
  )
  return [...hosts].sort((one, other) => (turn.get(one) ?? 0) - (turn.get(other) ?? 0))
}
