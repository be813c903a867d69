import type { Host, Inventory, Playbook, Role, Scope, Select } from './model.ts'

/** A playbook: plays in order. Returned as it is; the call gives types and completion. */
export const playbook = (definition: Playbook): Playbook => definition

/** Every host. @public */
export const all: Select = () => true
export const inGroup =
  (...groups: readonly string[]): Select =>
  (host) =>
    groups.some((group) => host.groups.includes(group))
export const not =
  (select: Select): Select =>
  (host) =>
    !select(host)

/** What a role sees when its tasks for `host` are asked for. */
export const scopeOf = <V>(role: Role<V>, host: Host, inventory: Inventory): Scope<V> => ({
  host,
  vars: role.varsOf(host),
  inventory,
  group: (name) => inventory.hosts.filter((one) => one.groups.includes(name)),
})

/** Every role a playbook can apply, each once, in order of first use. */
export const rolesOf = (book: Playbook): readonly Role[] => [...new Set(book.plays.flatMap((play) => play.roles))]

/** Whether a host has a role: a role may be for the hosts of one group only, or choose them by itself. */
export const isOn = ({ group, on }: Pick<Role, 'group' | 'on'>, host: Host): boolean =>
  (group === undefined || host.groups.includes(group)) && (on === undefined || on(host))

/** Those of these roles that a host has. */
export const rolesOn = <R extends Role>(host: Host, roles: readonly R[]): readonly R[] =>
  roles.filter((role) => isOn(role, host))

/** The hosts among these that do each other's work in a role, as one group; none where its rollout asks nobody before one is interrupted. */
export const membersOf = (role: Role, hosts: readonly Host[]): readonly (readonly Host[])[] =>
  role.rollout?.before ? [hosts.filter((host) => rolesOn(host, [role]).length > 0)] : []

/** The roles that a playbook gives a host, each once. */
export const rolesGiven = (book: Playbook, host: Host): readonly Role[] => [
  ...new Set(book.plays.filter((play) => play.hosts(host)).flatMap((play) => rolesOn(host, play.roles))),
]
