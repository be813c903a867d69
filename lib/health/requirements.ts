import type { Host, Inventory, Needs, Playbook } from '../model.ts'
import { rolesGiven, scopeOf } from '../playbook.ts'

/** What all roles that a playbook gives a host need of it together. */
export const needsOf = (book: Playbook, inventory: Inventory, host: Host): Needs => {
  const needs = rolesGiven(book, host).flatMap((role) => role.needs?.(scopeOf(role, host, inventory)) ?? [])
  const sum = (of: (one: Needs) => number | undefined) => needs.reduce((all, one) => all + (of(one) ?? 0), 0)
  const roomiest = needs.toSorted((one, other) => (other.roomBytes ?? 0) - (one.roomBytes ?? 0))
  return {
    ports: needs.flatMap(({ ports = [] }) => ports),
    folders: [...new Set(roomiest.flatMap(({ folders = [] }) => folders))],
    roomBytes: roomiest[0]?.roomBytes,
    memoryBytes: sum(({ memoryBytes }) => memoryBytes),
  }
}
