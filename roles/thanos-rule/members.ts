import type { Host, Inventory } from '../../lib/model.ts'
import { joined, portOf } from '../../lib/program/web.ts'
import { ruleOn } from './vars.ts'

export const GROUP = 'thanos_rule'

/** All rulers of a fleet, in the inventory's order. */
export const rulersIn = ({ hosts }: Pick<Inventory, 'hosts'>): readonly Host[] =>
  hosts.filter(({ groups }) => groups.includes(GROUP))

/** Where a ruler is asked over gRPC, as `address:port`. */
export const grpcOf = (host: Host): string => joined(host.address, portOf(ruleOn(host).grpc_listen))
