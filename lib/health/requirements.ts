import type { Host, Inventory, Needs } from '../model.ts'
import { rolesOn, scopeOf } from '../playbook.ts'

/** What all roles of a host need of it together. */
export const needsOf = (inventory: Inventory, host: Host): Needs => {
  const needs = rolesOn(host, inventory.roles).flatMap((role) => role.needs?.(scopeOf(role, host, inventory)) ?? [])
  const sum = (of: (one: Needs) => number | undefined) => needs.reduce((all, one) => all + (of(one) ?? 0), 0)
  const roomiest = needs.toSorted((one, other) => (other.roomBytes ?? 0) - (one.roomBytes ?? 0))
  return {
    ports: needs.flatMap(({ ports = [] }) => ports),
    folders: [...new Set(roomiest.flatMap(({ folders = [] }) => folders))],
    roomBytes: roomiest[0]?.roomBytes,
    memoryBytes: sum(({ memoryBytes }) => memoryBytes),
  }
}
