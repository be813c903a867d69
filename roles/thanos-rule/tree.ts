/**
 * Whom a ruler asks: a query of its own, that asks one query for each shard, which asks that shard's sidecars, all on the ruler's machine.
 *
 * Thanos leaves out an endpoint that is down without a word, so that over one query of all sidecars `absent()` fires once a whole shard is gone; and
 * with every sidecar strict no rule is evaluated while one replica is down. A shard's query forgets replicas that are down, and says "no StoreAPIs
 * available" once it has none (thanos `pkg/store/proxy.go`, ErrorNoStoresAvailable): so an evaluation fails when, and only when, a shard has nobody left.
 */
import type { Host, Inventory, Task } from '../../lib/model.ts'
import type { Flags } from '../../lib/program/flags.ts'
import { replicasOf } from '../prometheus/shards.ts'
import { endpointBy, grpcWays } from '../thanos/grpc.ts'
import { endpointsFile, replicaLabels } from '../thanos-query/endpoints.ts'
import { sidecarsIn } from '../thanos-sidecar/members.ts'
import { WEB as SIDECAR, sidecarOn } from '../thanos-sidecar/vars.ts'
import { grpcOf, rulersIn } from './members.ts'
import { type RuleVars, ruleOn, WEB } from './vars.ts'

/** One query of a ruler's machine. */
export interface InnerQuery {
  /** Its systemd unit, without `.service`. */
  readonly service: string
  readonly title: string
  readonly httpPort: number
  readonly grpcPort: number
  /** The file of whom it asks, on the host. */
  readonly endpoints: string
  readonly asks: ReturnType<typeof endpointsFile>
}

export const FOLDER = '/etc/thanos-rule'

/** Whether a task writes whom one of them asks. */
export const isEndpoints = ({ kind, key }: Task): boolean =>
  kind.name === 'file' && /^\/etc\/thanos-rule\/(query|shard-[\w.-]+)\.yml$/.test(key)

/** How often the file of whom it asks is read again, and, later than that, how often those in it are asked what they are (thanos `cmd/thanos/query.go`). */
export const READ_EVERY_S = 5

/** The query that a ruler asks, and those of the shards, which that one asks. */
export const treeOf = (
  inventory: Inventory,
  { inner_port }: Pick<RuleVars, 'inner_port'>,
): { readonly root: InnerQuery; readonly shards: readonly InnerQuery[] } => {
  const sidecars = sidecarsIn(inventory)
  const shards = [...replicasOf(inventory).keys()].map((shard, at): InnerQuery => {
    const name = `shard-${shard.replaceAll(/[^\w.-]/g, '_')}`
    return {
      service: `thanos-rule-${name}`,
      title: `Thanos Query of Thanos Rule, shard ${shard}`,
      httpPort: inner_port + 2 + 2 * at,
      grpcPort: inner_port + 3 + 2 * at,
      endpoints: `${FOLDER}/${name}.yml`,
      asks: endpointsFile(
        sidecars
          .filter((one) => one.shard === shard)
          .flatMap(({ host, address }) =>
            grpcWays(host, SIDECAR.role, sidecarOn).map((way) => endpointBy(way, address, WEB)),
          ),
        { strict: false },
      ),
    }
  })
  const root: InnerQuery = {
    service: 'thanos-rule-query',
    title: 'Thanos Query of Thanos Rule',
    httpPort: inner_port,
    grpcPort: inner_port + 1,
    endpoints: `${FOLDER}/query.yml`,
    asks: {
      endpoints: [
        ...endpointsFile(
          shards.map(({ grpcPort }) => endpointBy('plain', `127.0.0.1:${grpcPort}`, WEB)),
          { strict: true },
        ).endpoints,
        // What rules record, so that others can go by it: each ruler has all of it.
        ...endpointsFile(
          rulersIn(inventory).flatMap((host) =>
            grpcWays(host, WEB.role, ruleOn).map((way) => endpointBy(way, grpcOf(host), WEB)),
          ),
          { strict: false },
        ).endpoints,
      ],
    },
  }
  return { root, shards }
}

/** The command line of one of them. */
export const innerFlags = (
  inventory: Inventory,
  query: InnerQuery,
  { endpoint_timeout, log_level }: Pick<RuleVars, 'endpoint_timeout' | 'log_level'>,
): Flags => ({
  'http-address': `127.0.0.1:${query.httpPort}`,
  'grpc-address': `127.0.0.1:${query.grpcPort}`,
  'http-grace-period': '5s',
  'grpc-grace-period': '5s',
  'endpoint.sd-config-file': query.endpoints,
  'endpoint.sd-config-reload-interval': `${READ_EVERY_S}s`,
  'query.replica-label': replicaLabels(inventory),
  'deduplication.func': 'penalty',
  'query.partial-response': false,
  'store.response-timeout': endpoint_timeout,
  'log.level': log_level,
})

/** Hosts of Prometheus whose data no sidecar shows. */
export const withoutSidecar = ({ hosts }: Pick<Inventory, 'hosts'>): readonly Host[] =>
  hosts.filter(({ groups }) => groups.includes('prometheus') && !groups.includes('thanos_sidecar'))
