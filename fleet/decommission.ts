import { InputError } from '../lib/errors.ts'
import { service } from '../lib/kinds/service.ts'
import { unit } from '../lib/kinds/unit.ts'
import type { Gate, Host, PlayScope, Role } from '../lib/model.ts'
import { rolesOn, scopeOf } from '../lib/playbook.ts'
import { serviceOn } from '../lib/role.ts'

/** A role that can be taken from a machine: not every host has it, and it has a service. */
export interface Removable extends Role {
  readonly service: string
}

/** Those of a list that can be taken from a machine. */
export const removable = (roles: readonly Role[]): readonly Removable[] =>
  roles.filter(
    (role): role is Removable => (role.group !== undefined || role.on !== undefined) && role.service !== undefined,
  )

/** The group by which a host has a role. Throws InputError for one that it has by its settings. */
export const groupOf = ({ name, group, key }: Removable): string => {
  if (group !== undefined) return group
  throw new InputError([
    {
      where: '--role',
      what: `a host has ${name} by its settings, under ${key}`,
      fix: 'Change it there, and deploy.',
    },
  ])
}

/** A machine that leaves a fleet, or some of its roles. */
export interface Leaving {
  /** As the inventory still has it; undefined for one that is gone. */
  readonly host?: Host
  readonly roles: readonly Removable[]
}

/** A role as it is when it leaves a machine: its service stopped and no longer started at boot. Data, configuration and binaries stay. */
export const leaving = (role: Removable): Role => ({
  name: `${role.name} leaves`,
  summary: 'The service stopped for good; what is on disk stays.',
  key: role.key,
  vars: role.vars,
  varsOf: (host) => role.varsOf(host),
  tasks: ({ host }) => {
    const name = serviceOn(role, host)
    return [service(name, { command: [], unit: unit(`${name}.service`, ''), enabled: false, running: false })]
  },
  healthy: () => [],
  serves: () => [],
})

/** Before a machine's services stop: whoever stays does its work, and it has nothing left that only it knows. */
export const nothingIsLost =
  (roles: readonly Removable[]) =>
  ({ batch, inventory }: PlayScope): readonly Gate[] =>
    batch.flatMap((host) =>
      rolesOn(host, roles).flatMap((role) => role.drained?.(scopeOf(role, host, inventory)) ?? []),
    )

/** Where the data of these roles stays on a machine. */
export const dataOf = (host: Host, roles: readonly Removable[]): readonly string[] =>
  roles.flatMap((role) => role.data?.folder(role.varsOf(host)) ?? [])
