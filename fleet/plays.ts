/** What playbooks are made of: roles that go by themselves, those that go along, and hosts that have none of the first. */
import type { Cluster, Play, Playbook, Role, Rollout, Select } from '../lib/model.ts'
import { isOn } from '../lib/playbook.ts'

/** A role with plays of its own, and how they go. */
export interface Rolled {
  readonly role: Role
  readonly rollout: Rollout
  /** The roles of its plays: those that go along with it, and itself. */
  readonly roles: readonly Role[]
  readonly hosts: Select
}

/** The roles of a list that have plays of their own, in the order of the list. */
export const rolledRoles = (roles: readonly Role[]): readonly Rolled[] => {
  const groups = new Set(roles.filter(({ rollout }) => rollout).map(({ group }) => group))
  return roles.flatMap((role) => {
    if (!role.rollout) return []
    const along = roles.filter(({ rollout, group }) => !rollout && (group === role.group || !groups.has(group)))
    return [{ role, rollout: role.rollout, roles: [...along, role], hosts: has(role) }]
  })
}

/** The roles that any host can have, whatever else it has: those without plays of their own that belong to none that has. */
export const companionsOf = (roles: readonly Role[]): readonly Role[] => {
  const groups = new Set(roles.filter(({ rollout }) => rollout).map(({ group }) => group))
  return roles.filter(({ rollout, group }) => !rollout && !groups.has(group))
}

/**
 * The same playbook for a run that watches alerts: what machines have whatever they are for goes first, on all of them, before the watch begins; their
 * node_exporters are what canary alerts begin with, and a machine of somebody else's may have another or none.
 */
export const companionsFirst = (book: Playbook, roles: readonly Role[]): Playbook => {
  const companions = companionsOf(roles)
  const plays = book.plays.map((play) => ({ ...play, roles: play.roles.filter((role) => !companions.includes(role)) }))
  const along = book.plays.filter((play) => play.roles.some((role) => companions.includes(role)))
  return {
    ...book,
    plays: [
      {
        name: 'Machines',
        hosts: (host) => along.some(({ hosts }) => hosts(host)),
        roles: companions,
        watch: 'before',
      },
      ...plays.filter((play) => play.roles.length > 0),
    ],
  }
}

/** Hosts of no role that has plays of its own. */
export const otherMachines = (roles: readonly Role[]): Select => {
  const rolled = rolledRoles(roles)
  return (host) => !rolled.some(({ hosts }) => hosts(host))
}

/** The hosts that have a role. */
export const has =
  (role: Pick<Role, 'group' | 'on'>): Select =>
  (host) =>
    isOn(role, host)

/** The play in which members of a cluster forget one that is not in the inventory any more; none where they do so by themselves. */
export const forgotten = ({ forgetting }: Cluster, hosts: Select): readonly Play[] =>
  forgetting ? [{ name: forgetting.title, hosts, roles: [forgetting.role()] }] : []
