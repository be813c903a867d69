import type { Endpoint } from '../../lib/api/endpoint.ts'
import { milliseconds } from '../../lib/duration.ts'
import { alertmanagerIsInStep, alertmanagerServes } from '../../lib/gates/alertmanager.ts'
import type { Gate, Host, PlayScope, RequiredPath, Scope } from '../../lib/model.ts'
import { flagIn } from '../../lib/program/flags.ts'
import { endpointOf } from '../../lib/program/web.ts'
import { gossipAddress, type Member, membersOf } from './cluster.ts'
import { hasPeerName } from './flags.ts'
import { gossipsAlike, hasGossipTls } from './gossip-tls.ts'
import { memberlistPing } from './memberlist.ts'
import { settlesMs } from './timings.ts'
import { alertmanagerOn } from './vars.ts'

/**
 * Before Alertmanagers are interrupted: all others send notifications, also those that the run is not to touch, and those that wait for one of them hold nothing back
 * since a restart of their own.
 */
export const othersServe = ({ inventory, batch }: PlayScope): readonly Gate[] => {
  const members = membersOf((name) => inventory.hosts.filter(({ groups }) => groups.includes(name)))
  return members
    .filter(({ host }) => !batch.includes(host))
    .flatMap((member) => {
      const { host, vars } = member
      const waits = waitsMs(member, members)
      const afterOne = batch.some((one) => isBefore(one, host))
      const endpoint = endpointOf(host, vars)
      return [
        ...gossipsAlike(host, inventory),
        alertmanagerServes(endpoint),
        ...(afterOne && waits > 0
          ? [alertmanagerIsInStep(endpoint, { afterMs: settlesMs(vars.cluster) + waits + FIRST_LOOK_MS })]
          : []),
      ]
    })
}

/** After its start a member gets alerts, and looks at once at those that have fired for longer than `group_wait`. */
const FIRST_LOOK_MS = 1_000

/** Members wait for each other in the order of their names (`Position` in Alertmanager's `cluster/cluster.go`). */
const isBefore = (one: Host, other: Host): boolean => one.name < other.name

/** How long a member waits for those before it; 0 where that differs with each start. Milliseconds. */
const waitsMs = ({ host, vars }: Member, members: readonly Member[]): number =>
  hasPeerName(vars.version)
    ? members.filter((one) => isBefore(one.host, host)).length * milliseconds(vars.cluster.peer_timeout)
    : 0

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
