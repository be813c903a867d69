#!/usr/bin/env zx
import { withBook } from '../cli/command.ts'
import { runAsScript } from '../cli/script.ts'
import { companionsOf, forgotten, otherMachines, type Rolled, rolledRoles } from '../fleet/plays.ts'
import type { Play, Role, Select } from '../lib/model.ts'
import { not, playbook } from '../lib/playbook.ts'

/**
 * New machines become part of a fleet, in the order in which nobody ever sends to a member of a cluster that has not joined it, and no target
 * is scraped before it can answer.
 */
export const addNode = (roles: readonly Role[], names: readonly string[], name = 'add-node') => {
  const isNew: Select = (host) => names.includes(host.name)
  const rolled = rolledRoles(roles)
  // A new server that is no cluster starts with all of that in one play: what stands beside it may ask it whether it serves.
  const withAll: Select = (host) => rolled.some(({ role, hosts }) => !role.cluster && hosts(host))
  return playbook({
    name,
    summary: 'Makes new machines part of the fleet: they join, then the others learn of them.',
    onFailure: 'stop',
    plays: [
      { name: 'What every machine has, on the new one', hosts: both(isNew, not(withAll)), roles: companionsOf(roles) },
      ...rolled.flatMap((one) => joins(one, isNew)),
      ...rolled.flatMap(({ role, hosts }) =>
        role.cluster ? [{ name: role.cluster.joined, hosts: both(isNew, hosts), roles: [role] }] : [],
      ),
      { name: 'Other machines', hosts: both(not(isNew), otherMachines(roles)), roles: companionsOf(roles) },
    ],
  })
}

/** A member of a cluster joins it by itself first; what is no cluster starts with all that goes along with it. */
const joins = ({ role, roles, hosts, rollout }: Rolled, isNew: Select): readonly Play[] => {
  const { titles, batch, apart, before } = rollout
  const { cluster } = role
  const careful = { roles, batch, apart }
  return [
    ...(cluster ? forgotten(cluster, both(not(isNew), hosts)) : []),
    cluster
      ? { name: titles.joins, hosts: both(isNew, hosts), roles: [cluster.joining()] }
      : { ...careful, name: titles.joins, hosts: both(isNew, hosts) },
    {
      ...careful,
      name: titles.learns,
      hosts: both(not(isNew), hosts),
      before: before && ((scope) => before({ ...scope, hosts: scope.inventory.hosts.filter(hosts) })),
    },
    ...(cluster
      ? [
          {
            name: cluster.complete,
            hosts,
            roles: [],
            after: cluster.nobodyMissed,
          },
        ]
      : []),
  ]
}

const both =
  (one: Select, other: Select): Select =>
  (host) =>
    one(host) && other(host)

await runAsScript(import.meta, async () => withBook((await import('../cli/commands/add-node.ts')).default, addNode))
