import { metricIsZero } from '../../lib/gates/metric.ts'
import type { Gate, Host, Inventory, Scope, TooFew } from '../../lib/model.ts'
import { endpointOf } from '../../lib/program/web.ts'
import { twinsScrape } from './replicas.ts'
import { scrapesNothing, shardingOf, shardOf } from './shards.ts'
import type { PrometheusVars } from './vars.ts'

/** The others of its shard scrape what it did, and no alert waits in it to be sent. */
export const drained = ({ host, vars, inventory }: Scope<PrometheusVars>): readonly Gate[] => [
  ...twinsScrape({ inventory, hosts: [host], batch: [host] }),
  metricIsZero('Prometheus has sent every alert', endpointOf(host, vars), {
    metric: 'prometheus_notifications_queue_length',
    of: 'alerts wait to be sent',
  }),
]

export const minimum = (host: Host, left: readonly Host[], inventory: Inventory): TooFew | null => {
  const shard = shardOf(host, inventory)
  if (left.some((one) => shardOf(one, inventory) === shard)) return null
  if (left.length > 0 && scrapesNothing(host, inventory)) return null
  return {
    what: `is the last Prometheus of shard ${shard}: nothing would watch its targets`,
    fix: shardingOf(inventory)
      ? 'add a replica first, or let other shards have its targets: vestal shards move'
      : 'add a replica first',
  }
}
