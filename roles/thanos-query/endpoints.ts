import type { Inventory } from '../../lib/model.ts'
import { prometheusOn } from '../prometheus/vars.ts'
import { grpcOf, rulersIn } from '../thanos-rule/members.ts'
import { sidecarsIn } from '../thanos-sidecar/members.ts'
import type { QueryVars } from './vars.ts'

/** All that a Query asks, as `address:port`, in the inventory's order. */
export const endpointsOf = (inventory: Inventory, vars: Pick<QueryVars, 'endpoints'>) => [
  ...new Set([
    ...sidecarsIn(inventory).map(({ address }) => address),
    ...rulersIn(inventory).map(grpcOf),
    ...vars.endpoints,
  ]),
]

/**
 * The file of endpoints, as `--endpoint.sd-config-file` takes it (thanos `cmd/thanos/endpointset.go`). A strict endpoint that is down is
 * asked all the same, so that each answer says that it lacks it; one that is not would be left out without a word.
 */
export const endpointsFile = (addresses: readonly string[], { strict }: { readonly strict: boolean }) => ({
  endpoints: addresses.map((address) => ({ address, strict })),
})

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
