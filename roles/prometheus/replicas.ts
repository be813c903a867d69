import { everyTargetScraped, prometheusReady } from '../../lib/gates/prometheus.ts'
import type { Gate, Host, PlayScope } from '../../lib/model.ts'
import { endpointOf } from '../../lib/program/web.ts'
import { shardOf } from './shards.ts'
import { prometheusOn } from './vars.ts'

/** Before replicas are interrupted: the others of their shards serve, and have scraped what they know. */
export const twinsScrape = ({ inventory, batch }: PlayScope): readonly Gate[] => {
  const of = (host: Host): string => shardOf(host, inventory)
  const shards = new Set(batch.map(of))
  return inventory.hosts
    .filter((host) => host.groups.includes('prometheus') && !batch.includes(host) && shards.has(of(host)))
    .map((host) => endpointOf(host, prometheusOn(host)))
    .flatMap((twin) => [prometheusReady(twin), everyTargetScraped(twin, { expected: [], within: '60s' })])
}
