#!/usr/bin/env zx
import { withBook } from '../cli/command.ts'
import { runAsScript } from '../cli/script.ts'
import { type Leaving, leaving, nothingIsLost } from '../fleet/decommission.ts'
import { companionsOf, forgotten, otherMachines, type Rolled, rolledRoles } from '../fleet/plays.ts'
import type { Play, Role, Select } from '../lib/model.ts'
import { membersOf, not, playbook } from '../lib/playbook.ts'

/**
 * A machine leaves a fleet that no longer has it in its inventory: everyone forgets it, then its services stop, then the members
 * of its clusters forget it. An Alertmanager that gets no alerts any more would soon call them resolved: it stops well before that.
 */
export const removeNode = (roles: readonly Role[], { host: gone, roles: leaves }: Leaving) => {
  const stays: Select = (host) => host !== gone
  const staying =
    (select: Select): Select =>
    (host) =>
      stays(host) && select(host)
  const forgets = ({ hosts, roles: own, rollout: { titles, batch, apart, before } }: Rolled): Play => ({
    name: titles.forgets,
    hosts: staying(hosts),
    roles: own,
    batch,
    apart,
    before,
  })
  const rolled = rolledRoles(roles)
  return playbook({
    name: 'remove-node',
    summary: 'Takes a machine out of the fleet: nobody sends to it or asks it, then it stops, then it is forgotten.',
    onFailure: 'stop',
    plays: [
      ...rolled.filter(({ role }) => !role.cluster).map(forgets),
      {
        name: 'Its services stop',
        hosts: not(stays),
        roles: leaves.map(leaving),
        batch: 1,
        members: ({ inventory, batch }) => leaves.flatMap((role) => membersOf(role, [...batch, ...inventory.hosts])),
        before: nothingIsLost(leaves),
      },
      ...rolled.flatMap((one): readonly Play[] => {
        const { cluster } = one.role
        if (!cluster) return []
        const complete = {
          name: cluster.complete,
          hosts: staying(one.hosts),
          roles: [],
          after: cluster.nobodyMissed,
        }
        return [...forgotten(cluster, staying(one.hosts)), forgets(one), complete]
      }),
      { name: 'Other machines', hosts: staying(otherMachines(roles)), roles: companionsOf(roles) },
    ],
  })
}

await runAsScript(import.meta, async () =>
  withBook((await import('../cli/commands/remove-node.ts')).default, removeNode),
)
