import { isIP } from 'node:net'
import { InputError } from '../../lib/errors.ts'
import type { Host, Scope } from '../../lib/model.ts'
import { joined } from '../../lib/program/web.ts'
import { type AlertmanagerVars, alertmanagerOn } from './vars.ts'

/** One Alertmanager of a cluster, with its settings. */
export interface Member {
  readonly host: Host
  readonly vars: AlertmanagerVars
}

/** All members of the cluster. */
export const membersOf = (group: Scope['group']): readonly Member[] =>
  group('alertmanager').map((host) => ({ host, vars: alertmanagerOn(host) }))

/** The gossip addresses of all members, as they see each other; none where one Alertmanager stands alone. */
export const gossipAddresses = (members: readonly Member[]): readonly string[] =>
  members.length < 2 ? [] : members.map(gossipAddress)

/** Throws InputError where the address is a name: Alertmanager can only advertise an IP address. */
export const gossipAddress = ({ host, vars }: Member): string => {
  const address = vars.cluster.advertise_address ?? host.address
  if (isIP(address)) return joined(address, vars.cluster.port)
  throw new InputError([
    {
      where: `host ${host.name}`,
      path: 'alertmanager.cluster.advertise_address',
      what: `the host's address ${JSON.stringify(address)} is a name, and Alertmanager tells its peers an IP address`,
      fix: 'Set this variable, or ansible_host, to the IP address under which the other members reach the host.',
    },
  ])
}
