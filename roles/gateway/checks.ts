import type { Host, RoleCheck } from '../../lib/model.ts'
import { joined, portOf } from '../../lib/program/web.ts'
import { alertmanager } from '../alertmanager/role.ts'
import { GROUP } from '../cortex-alertmanager/members.ts'
import { prometheusOn } from '../prometheus/vars.ts'
import { gatewayOn } from './vars.ts'

/** What can be wrong with gateways that none of them shows by itself. */
export const checks: readonly RoleCheck[] = [
  {
    id: 'alerts-through-gateway',
    severity: 'error',
    why: 'The gateway hands each alert to one Alertmanager, and alerts are not gossiped: the others never hear of it, and are no help when that one is gone.',
    fix: 'Let prometheus.alertmanager_group name the Alertmanagers themselves, each by its own address.',
    find({ inventory: { hosts: all }, hosts }) {
      const places = new Map(
        hosts.flatMap((gateway) => placesOf(gateway).map((place): [string, Host] => [place, gateway])),
      )
      return all
        .filter(({ groups }) => groups.includes('prometheus'))
        .flatMap((sender) => {
          const through = all
            .filter(({ groups }) => groups.includes(prometheusOn(sender).alertmanager_group))
            .filter(({ groups }) => groups.includes('alertmanager'))
            .flatMap((to) => {
              const place = joined(to.address, portOf(alertmanager.varsOf(to).listen))
              const gateway = places.get(place)
              return gateway ? [`${to.name} (${place}, a port of gateway ${gateway.name})`] : []
            })
          return through.length === 0
            ? []
            : [{ hosts: [sender.name], what: `sends its alerts to ${through.join(', ')}` }]
        })
    },
  },
  {
    id: 'gateway-alone',
    severity: 'warning',
    why: 'There is one gateway: when its machine is gone, so is the one address.',
    fix: 'Add a second machine to the group gateway, and give both a gateway.floating.',
    find: ({ inventory, hosts }) => {
      const all = inventory.hosts.filter(({ groups }) => groups.includes('gateway'))
      return all.length === 1 && hosts.length === 1
        ? [{ hosts: all.map(({ name }) => name), what: 'is the only gateway' }]
        : []
    },
  },
  {
    id: 'gateway-address-differs',
    severity: 'error',
    why: 'Only gateways that agree on it hand a floating address to each other; those that do not can have it at once.',
    fix: 'Set gateway.floating once, for the group gateway.',
    find: ({ hosts }) => {
      const [first] = hosts
      if (!first) return []
      const of = (host: Host) => {
        const { address, router_id, interval } = gatewayOn(host).floating ?? {}
        return JSON.stringify([address, router_id, interval])
      }
      const other = hosts.filter((host) => of(host) !== of(first))
      return other.length > 0
        ? [{ hosts: [first.name, ...other.map(({ name }) => name)], what: 'gateway.floating is not the same' }]
        : []
    },
  },
  {
    id: 'gateway-login-in-the-clear',
    severity: 'warning',
    why: 'Passwords of the gateway’s users can be read by whoever sees its traffic.',
    fix: 'Set gateway.certificate, or let it listen on the loopback behind something that speaks TLS.',
    find: ({ inventory, hosts }) =>
      hosts
        .filter((host) => {
          const { users, certificate, query, prometheus, alertmanager: pages, ring } = gatewayOn(host)
          const there = inventory.hosts.some(({ groups }) => groups.includes(GROUP))
          const open = [query, prometheus, pages, there ? ring : null].some(
            (listen) => listen !== null && !/^(127\.|\[::1\]|localhost:)/.test(listen),
          )
          return Object.keys(users).length > 0 && certificate === undefined && open
        })
        .map(({ name }) => ({ hosts: [name], what: 'has users and no certificate' })),
  },
]

/** All that leads to a gateway's page of Alertmanager, as `address:port`. */
const placesOf = (gateway: Host): readonly string[] => {
  const { alertmanager: listen, floating } = gatewayOn(gateway)
  if (listen === null) return []
  const addresses = [gateway.address, ...(floating ? [floating.address.replace(/\/\d+$/, '')] : [])]
  return addresses.map((address) => joined(address, portOf(listen)))
}
