import type { Host, Inventory, Needs } from '../model.ts'
import { machineOf, ofInstance } from '../one-machine.ts'
import { rolesOn, scopeOf } from '../playbook.ts'
import type { Mistakes, Position } from './mistakes.ts'
import { showPosition } from './mistakes.ts'

interface Blaming {
  readonly mistakes: Mistakes
  /** Where a host stands in the inventory's files. */
  at(host: Host): Position | string
}

/**
 * Blames instances (`vestal.instance`) that cannot stand beside what else is on their machine: roles of which there is one on a machine, names of units that are
 * another role's, and ports and folders that two hosts of a machine would have.
 */
export const blameInstances = (inventory: Inventory, blaming: Blaming): void => {
  const { hosts } = inventory
  for (const host of hosts.filter(({ machine }) => machine.instance !== undefined)) blameRoles(host, inventory, blaming)
  for (const some of Map.groupBy(hosts, machineOf).values())
    if (some.some(({ machine }) => machine.instance !== undefined)) blameClashes(some, inventory, blaming)
}

const blameRoles = (host: Host, { roles }: Inventory, { mistakes, at }: Blaming): void => {
  const about = `${host.name} is instance ${host.machine.instance} of its machine`
  if (host.link.via === 'local')
    mistakes.add(at(host), {
      what: `${about}, which is told by its address, and this one has none: ansible_connection is local`,
      fix: 'reach the machine by SSH, or leave vestal.instance out',
    })
  for (const role of rolesOn(host, roles)) {
    if (!role.instances)
      mistakes.add(at(host), {
        what: `${about}, and has ${role.name}, of which there is one on a machine`,
        fix: `give ${role.name} to a host of the machine without vestal.instance, which may have nothing else, and take ${role.group === undefined ? 'the settings from this one' : `this one out of the group \`${role.group}\``}`,
      })
    const { service } = role
    const other = service !== undefined && roles.find((one) => one.service === ofInstance(host, service))
    if (other)
      mistakes.add(at(host), {
        what: `${about}: its unit would be ${ofInstance(host, service)}.service, which is that of ${other.name}`,
        fix: 'choose another name in vestal.instance',
      })
  }
}

/** Something of which a machine has one. */
interface Taken {
  readonly host: Host
  readonly role: string
  /** `port 9090/tcp` */
  readonly what: string
  /** The folder, of one. */
  readonly folder?: string
}

const blameClashes = (hosts: readonly Host[], inventory: Inventory, { mistakes, at }: Blaming): void => {
  const taken = hosts.flatMap((host) =>
    rolesOn(host, inventory.roles).flatMap((role): readonly Taken[] => {
      // That is told of already.
      if (host.machine.instance !== undefined && !role.instances) return []
      const scope = scopeOf(role, host, inventory)
      const folder = role.data?.folder(scope.vars)
      const { ports = [] }: Needs = role.needs?.(scope) ?? {}
      return [
        ...ports.map(({ port, protocol }) => ({ host, role: role.name, what: `${protocol} port ${port}` })),
        ...(folder === undefined ? [] : [{ host, role: role.name, what: `the folder ${folder}`, folder }]),
      ]
    }),
  )
  taken.forEach((one, index) => {
    const other = taken.slice(0, index).find((before) => before.host !== one.host && isTakenBy(before, one))
    if (!other) return
    const where = at(other.host)
    mistakes.add(at(one.host), {
      what: `${one.role} of ${one.host.name} and ${other.role} of ${other.host.name} (${typeof where === 'string' ? where : showPosition(where)}) are on one machine, and both would have ${one.what}`,
      fix: one.folder === undefined ? 'give one of them another port' : 'give one of them another folder',
    })
  })
}

const isTakenBy = (one: Taken, other: Taken): boolean =>
  one.folder === undefined || other.folder === undefined
    ? one.what === other.what
    : `${one.folder}/`.startsWith(`${other.folder}/`) || `${other.folder}/`.startsWith(`${one.folder}/`)
