import { metricIsZero } from '../../lib/gates/metric.ts'
import type { Gate, Host, Scope, TooFew } from '../../lib/model.ts'
import { endpointOf } from '../../lib/program/web.ts'
import { shardOf, twinsScrape } from './replicas.ts'
import type { PrometheusVars } from './vars.ts'

/** The others of its shard scrape what it did, and no alert waits in it to be sent. */
export const drained = ({ host, vars, inventory }: Scope<PrometheusVars>): readonly Gate[] => [
  ...twinsScrape({ inventory, hosts: [host], batch: [host] }),
  metricIsZero('Prometheus has sent every alert', endpointOf(host, vars), {
    metric: 'prometheus_notifications_queue_length',
    of: 'alerts wait to be sent',
  }),
]

export const minimum = (host: Host, left: readonly Host[]): TooFew | null =>
  left.some((one) => shardOf(one) === shardOf(host))
    ? null
    : {
        what: `is the last Prometheus of shard ${shardOf(host)}: nothing would watch its targets`,
        fix: 'add a replica first',
      }
