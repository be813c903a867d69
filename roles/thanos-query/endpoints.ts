import type { Host, Inventory } from '../../lib/model.ts'
import { bothWays, trustsFleet } from '../../lib/program/certified.ts'
import { hasTls, portOf, type Web } from '../../lib/program/web.ts'
import { prometheusOn } from '../prometheus/vars.ts'
import { grpcWay, type Way } from '../thanos/grpc.ts'
import { rulersIn } from '../thanos-rule/members.ts'
import { WEB as RULE, ruleOn } from '../thanos-rule/vars.ts'
import { sidecarsIn } from '../thanos-sidecar/members.ts'
import { WEB as SIDECAR, sidecarOn } from '../thanos-sidecar/vars.ts'
import type { QueryVars } from './vars.ts'

/** A sidecar or ruler of the inventory, as a Query asks it. */
export interface Asked {
  /** Letters, digits, `_`, `.` and `-`; no other one is called so. */
  readonly name: string
  readonly host: Host
  readonly port: number
  /** The port of its web server, where that can be asked whether it is ready. */
  readonly readyPort: number | undefined
  /** Whether that wants a login: then it is ready while it answers. */
  readonly login: boolean
  /** How it is asked, and by gRPC: in both ways while TLS is turned on or off at it. */
  readonly ways: readonly { readonly ready: Way; readonly grpc: Way }[]
}

/** All sidecars and rulers, in the inventory's order. */
export const askedIn = (inventory: Inventory): readonly Asked[] => [
  ...sidecarsIn(inventory).map(({ host }) => askedOn(host, { role: SIDECAR.role, on: sidecarOn, suffix: '' })),
  ...rulersIn(inventory).map((host) => askedOn(host, { role: RULE.role, on: ruleOn, suffix: '.rule' })),
]

const askedOn = (
  host: Host,
  {
    role,
    on,
    suffix,
  }: {
    readonly role: string
    readonly on: (host: Host) => Web & { readonly grpc_listen: string }
    readonly suffix: string
  },
): Asked => {
  const ways = bothWays(host, role).map(on)
  const { grpc_listen, ...web } = on(host)
  return {
    name: `${host.name.replaceAll(/[^\w.-]/g, '_')}${suffix}`,
    host,
    port: portOf(grpc_listen),
    readyPort: trustsFleet(web) || !hasTls(web) ? portOf(web.listen) : undefined,
    login: 'basic_auth_users' in (web.web_config ?? {}),
    ways: ways.map((way) => ({ ready: hasTls(way) ? 'tls' : 'plain', grpc: grpcWay(way) })),
  }
}

/** Those of them that are asked by gRPC with TLS. */
export const askedWithTls = (inventory: Inventory): readonly Host[] =>
  askedIn(inventory).flatMap(({ host, ways }) => (ways.some(({ grpc }) => grpc === 'tls') ? [host] : []))

/**
 * The file of endpoints, as `--endpoint.sd-config-file` takes it (thanos `cmd/thanos/endpointset.go`). A strict endpoint that is down is
 * asked all the same, so that each answer says that it lacks it; one that is not would be left out without a word.
 */
export const endpointsFile = <E extends { readonly address: string }>(
  endpoints: readonly E[],
  { strict }: { readonly strict: boolean },
) => ({ endpoints: endpoints.map((one) => ({ ...one, strict })) })

/** The labels that tell copies of one series apart. */
export const replicaLabels = (
  { hosts }: Inventory,
  { replica_labels }: Pick<QueryVars, 'replica_labels'> = {},
): readonly string[] =>
  replica_labels ?? distinctLabels(hosts.filter(({ groups }) => groups.includes('prometheus')).map(prometheusOn))

const distinctLabels = (
  all: readonly { readonly replica_label: string; readonly shard_label: string }[],
): readonly string[] => [
  ...new Set([...all.map(({ replica_label }) => replica_label), ...all.map(({ shard_label }) => shard_label)]),
]
