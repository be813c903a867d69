import type { Endpoint } from '../../lib/api/endpoint.ts'
import { alertmanagerServes } from '../../lib/gates/alertmanager.ts'
import type { Gate, Host, PlayScope, RequiredPath, Scope } from '../../lib/model.ts'
import { flagIn } from '../../lib/program/flags.ts'
import { endpointOf } from '../../lib/program/web.ts'
import { gossipAddress } from './cluster.ts'
import { gossipsAlike, hasGossipTls } from './gossip-tls.ts'
import { memberlistPing } from './memberlist.ts'
import { alertmanagerOn } from './vars.ts'

/** Before Alertmanagers are interrupted: all others send notifications, also those that the run is not to touch. */
export const othersServe = ({ inventory, batch }: PlayScope): readonly Gate[] =>
  inventory.hosts
    .filter((host) => host.groups.includes('alertmanager') && !batch.includes(host))
    .flatMap((host) => [...gossipsAlike(host, inventory), alertmanagerServes(endpointOf(host, alertmanagerOn(host)))])

/** The Alertmanagers among these hosts, as they are asked. */
export const alertmanagersAmong = (hosts: readonly Host[]): readonly Endpoint[] =>
  hosts.filter(({ groups }) => groups.includes('alertmanager')).map((host) => endpointOf(host, alertmanagerOn(host)))

/** Gossip goes from every member to every other. */
export const gossipPaths = ({ host, group }: Scope): readonly RequiredPath[] =>
  group('alertmanager')
    .filter((one) => one !== host)
    .map((to) => {
      const vars = alertmanagerOn(to)
      const at = gossipAddress({ host: to, vars })
      return {
        name: 'gossip',
        to,
        address: at.slice(0, at.lastIndexOf(':')).replace(/^\[(.*)\]$/, '$1'),
        port: vars.cluster.port,
        datagram: (command) =>
          usesTls(command, { host: to, group }) ? undefined : memberlistPing(flagIn(command, 'cluster.label')),
      }
    })

/** As it runs, and where it doesn't, as it is to: with TLS it has no port for datagrams. */
const usesTls = (command: readonly string[], to: Pick<Scope, 'host' | 'group'>): boolean =>
  command.length > 0 ? flagIn(command, 'cluster.tls-config') !== undefined : hasGossipTls(to)
