import type { Host, Inventory } from '../../lib/model.ts'
import { joined, portOf } from '../../lib/program/web.ts'
import { shardOf } from '../prometheus/shards.ts'
import { sidecarOn } from './vars.ts'

export const GROUP = 'thanos_sidecar'

/** A sidecar as those see it who ask it. */
export interface Sidecar {
  readonly host: Host
  /** Where it is asked over gRPC, as `address:port`. */
  readonly address: string
  /** Whose data it shows. */
  readonly shard: string
}

/** All sidecars of a fleet, in the inventory's order. */
export const sidecarsIn = (inventory: Inventory): readonly Sidecar[] =>
  inventory.hosts
    .filter(({ groups }) => groups.includes(GROUP))
    .map((host) => ({
      host,
      address: joined(host.address, portOf(sidecarOn(host).grpc_listen)),
      shard: shardOf(host, inventory),
    }))
