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
