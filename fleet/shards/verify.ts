import compare from 'semver/functions/compare.js'
import { discoveredOf } from '../../lib/api/prometheus.ts'
import { HostError, InputError } from '../../lib/errors.ts'
import type { Host, Inventory, Reach } from '../../lib/model.ts'
import { scopeOf } from '../../lib/playbook.ts'
import { endpointOf } from '../../lib/program/web.ts'
import type { RelabelStep } from '../../lib/routing/relabel.ts'
import { type ExactlyOnce, exactlyOnce, type Meant, type ServerTargets } from '../../lib/sharding/exactly-once.ts'
import { drops, placeOf } from '../../lib/sharding/scrape.ts'
import { mayScrape } from '../../lib/sharding/table.ts'
import { prometheus } from '../../roles/prometheus/role.ts'
import { replicasOf, type Sharding, shardingOf, shardOf } from '../../roles/prometheus/shards.ts'
import { relabellingOf } from '../../roles/prometheus/spread.ts'
import { jobsOf } from '../../roles/prometheus/targets.ts'

/** Whether each target has its shard, and the servers that did not say what they scrape. */
export interface Verified extends ExactlyOnce {
  readonly silent: readonly { readonly host: string; readonly why: string }[]
}

/** Asks every Prometheus what it has discovered. Throws InputError where targets are not spread. */
export const verifyShards = async (inventory: Inventory, reach: Reach): Promise<Verified> => {
  const sharding = requireSharding(inventory)
  const { servers, silent } = await serversOf(inventory, reach)
  return { ...exactlyOnce(servers, meantBy(inventory, sharding)), silent }
}

/** What every Prometheus has discovered, and those that don't say. */
export const serversOf = async (
  inventory: Inventory,
  reach: Reach,
): Promise<{ readonly servers: readonly ServerTargets[]; readonly silent: Verified['silent'] }> => {
  const hosts = [...replicasOf(inventory).values()].flat()
  const silent: { host: string; why: string }[] = []
  const asked = await Promise.all(
    hosts.map(async (host): Promise<ServerTargets | null> => {
      try {
        const found = await discoveredOf(reach, endpointOf(host, prometheus.varsOf(host)))
        return { host: host.name, shard: shardOf(host, inventory), ...found }
      } catch (error) {
        if (!(error instanceof HostError)) throw error
        silent.push({ host: host.name, why: error.message })
        return null
      }
    }),
  )
  return { servers: asked.filter((one) => one !== null), silent }
}

/** Throws InputError where an inventory's targets are not spread over shards. */
export const requireSharding = (inventory: Inventory): Sharding => {
  const sharding = shardingOf(inventory)
  if (sharding) return sharding
  throw new InputError([
    {
      where: 'inventory',
      what: 'its targets are not spread over shards',
      fix: 'vestal shards move --to NUMBER writes a first table; or set prometheus.sharding: hashmod',
    },
  ])
}

/** How the inventory wants targets to be spread, by its own jobs. */
export const meantBy = (inventory: Inventory, { labels, buckets, table }: Sharding): Meant => {
  const { ownSteps, dotAll } = relabellingIn(inventory)
  return {
    place(job, discovered) {
      try {
        return placeOf(discovered, ownSteps(job), { labels, buckets, dotAll })
      } catch {
        return null
      }
    },
    shards: (bucket) => (table ? mayScrape(table, bucket).map(String) : [String(bucket)]),
    dropsItself: (job) => drops(ownSteps(job)),
  }
}

/** How the inventory's own jobs relabel, without the steps of shards. */
export const relabellingIn = (inventory: Inventory) => {
  const [first] = [...replicasOf(inventory).values()].flat()
  const steps = first ? stepsOf(first, inventory) : new Map<string, readonly RelabelStep[]>()
  return {
    ownSteps: (job: string): readonly RelabelStep[] => steps.get(job) ?? [],
    dotAll: first !== undefined && compare(prometheus.varsOf(first).version, '3.0.0') >= 0,
  }
}

const stepsOf = (host: Host, inventory: Inventory): ReadonlyMap<string, readonly RelabelStep[]> => {
  const scope = scopeOf(prometheus, host, inventory)
  return new Map([
    ...jobsOf(scope).map(({ name, config }) => [name, relabellingOf(config, host.name)] as const),
    ...scope.vars.scrape_configs.map((config) => [config.job_name, relabellingOf(config, host.name)] as const),
  ])
}
