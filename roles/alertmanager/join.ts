import { alertmanagerConfigInForce, gossipMembersAre } from '../../lib/gates/alertmanager.ts'
import { metricIsZero } from '../../lib/gates/metric.ts'
import { silenceParity } from '../../lib/gates/state-parity.ts'
import type { Gate, PlayScope, Scope } from '../../lib/model.ts'
import { endpointOf } from '../../lib/program/web.ts'
import { gossipAddresses, membersOf } from './cluster.ts'
import { configFile } from './config.ts'
import { type AlertmanagerVars, alertmanagerOn } from './vars.ts'

/**
 * Asked of an Alertmanager that joins a cluster while no Prometheus sends to it yet: it must gossip with every other member and hold their
 * silences. One that meets a lone Alertmanager can't: that one opens its gossip port when it is told of the other.
 */
export const hasJoined = ({ host, vars, inventory, group }: Scope<AlertmanagerVars>): readonly Gate[] => {
  const members = membersOf(group)
  const self = endpointOf(host, vars)
  const peers = members.filter((member) => member.host !== host)
  const inForce = alertmanagerConfigInForce(self, configFile(inventory, host, vars))
  if (peers.length < 2) return [inForce]
  const holds = silenceParity(
    self,
    peers.map((peer) => endpointOf(peer.host, peer.vars)),
  )
  return [gossipMembersAre(self, { members: gossipAddresses(members) }), holds, inForce]
}

/**
 * No Alertmanager waits for a member that has left or failed: it would do so for `cluster.reconnect_timeout`, or until it is
 * restarted without it.
 */
export const nobodyIsMissed = ({ inventory, hosts }: PlayScope): readonly Gate[] =>
  hosts
    .filter((host) => inventory.hosts.includes(host) && host.groups.includes('alertmanager'))
    .map((host) =>
      metricIsZero('Alertmanager misses no member', endpointOf(host, alertmanagerOn(host)), {
        metric: 'alertmanager_cluster_failed_peers',
        of: 'members that it still tries to reach',
      }),
    )
