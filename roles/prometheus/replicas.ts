import { everyTargetScraped, prometheusReady } from '../../lib/gates/prometheus.ts'
import type { Gate, Host, PlayScope } from '../../lib/model.ts'
import { endpointOf } from '../../lib/program/web.ts'
import { prometheusOn } from './vars.ts'

/** Replicas with the same answer scrape the same targets. */
export const shardOf = (host: Host): string => prometheusOn(host).shard

/** Before replicas are interrupted: the others of their shards serve, and have scraped what they know. */
export const twinsScrape = ({ inventory, batch }: PlayScope): readonly Gate[] => {
  const shards = new Set(batch.map(shardOf))
  return inventory.hosts
    .filter((host) => host.groups.includes('prometheus') && !batch.includes(host) && shards.has(shardOf(host)))
    .map((host) => endpointOf(host, prometheusOn(host)))
    .flatMap((twin) => [prometheusReady(twin), everyTargetScraped(twin, { expected: [], within: '60s' })])
}
