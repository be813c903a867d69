import type { Gate, Host, Inventory, Role, RoleData, Scope } from '../lib/model.ts'
import { membersOf, scopeOf } from '../lib/playbook.ts'
import { has } from './plays.ts'

/** A service with data of its own on a host, and the gates around a moment in which it stands still. */
export interface StatefulService {
  readonly host: Host
  readonly role: Role
  readonly data: RoleData
  readonly scope: Scope
  /** '' where it has none. */
  readonly version: string
  /** The folder of its data. */
  readonly folder: string
  /** The group of hosts that do each other's work, itself included. */
  readonly members: readonly (readonly Host[])[]
  /** Others do its work meanwhile. */
  before(): readonly Gate[]
  /** It serves again. */
  after(): readonly Gate[]
}

/** Every service with data on these hosts, by role in the order of the inventory's list. */
export const statefulServicesOf = (inventory: Inventory, hosts: readonly Host[]): readonly StatefulService[] =>
  inventory.roles.flatMap((role) =>
    hosts.filter(has(role)).flatMap((host) => statefulServiceOf(role, host, inventory) ?? []),
  )

const statefulServiceOf = (role: Role, host: Host, inventory: Inventory): StatefulService | undefined => {
  const { data, rollout } = role
  if (!data) return undefined
  const scope = scopeOf(role, host, inventory)
  return {
    host,
    role,
    data,
    scope,
    version: versionIn(scope.vars),
    folder: data.folder(scope.vars),
    members: membersOf(role, inventory.hosts),
    before: () => rollout?.before?.({ inventory, batch: [host], hosts: inventory.hosts.filter(has(role)) }) ?? [],
    after: () => role.healthy(scope),
  }
}

/** The version in a role's settings; '' where they have none. */
export const versionIn = (vars: unknown): string => {
  const { version } = (vars ?? {}) as { readonly version?: unknown }
  return typeof version === 'string' ? version : ''
}
