import { isIP } from 'node:net'
import type { Door } from '../../lib/health/reachability.ts'
import type { Host, Inventory } from '../../lib/model.ts'
import { scopeOf } from '../../lib/playbook.ts'
import { portOf } from '../../lib/program/web.ts'
import { gossipAddress } from '../../roles/alertmanager/cluster.ts'
import { memberlistPing } from '../../roles/alertmanager/memberlist.ts'
import { alertmanager } from '../../roles/alertmanager/role.ts'
import { prometheus } from '../../roles/prometheus/role.ts'
import { alertmanagersOf } from '../../roles/prometheus/targets.ts'
import { flag } from './view.ts'

/** Ports that must be reached from other hosts: gossip among Alertmanagers, and their web ports from every Prometheus that sends to them. */
export const doorsOf = (inventory: Inventory): readonly Door[] => {
  const members = inventory.hosts.filter(({ groups }) => groups.includes('alertmanager'))
  return [
    ...(members.length > 1 ? members.map((to) => gossipDoor(to, members)) : []),
    ...members.map((to) => webDoor(to, inventory)),
  ]
}

/** Names, in place of addresses, by which other hosts reach an Alertmanager. */
export const namesToResolve = ({ hosts }: Inventory): readonly string[] =>
  hosts
    .filter(({ groups, address }) => groups.includes('alertmanager') && isIP(address) === 0)
    .map(({ address }) => address)

const gossipDoor = (to: Host, members: readonly Host[]): Door => {
  const vars = alertmanager.varsOf(to)
  const at = gossipAddress({ host: to, vars })
  return {
    name: 'gossip',
    to,
    address: at.slice(0, at.lastIndexOf(':')).replace(/^\[(.*)\]$/, '$1'),
    port: vars.cluster.port,
    from: members.filter((one) => one !== to),
    datagram: (command: readonly string[]) => memberlistPing(flag(command, 'cluster.label')),
  }
}

const webDoor = (to: Host, inventory: Inventory): Door => ({
  name: 'web',
  to,
  address: to.address,
  port: portOf(alertmanager.varsOf(to).listen),
  from: inventory.hosts.filter(
    (host) =>
      host.groups.includes('prometheus') &&
      host !== to &&
      alertmanagersOf(scopeOf(prometheus, host, inventory)).some((one) => one.host === to),
  ),
})
