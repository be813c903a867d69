import type { Host, Inventory, Needs, Playbook } from '../model.ts'
import { scopeOf } from '../playbook.ts'

/** What all roles that a playbook gives a host need of it together. */
export const needsOf = (book: Playbook, inventory: Inventory, host: Host): Needs => {
  const roles = new Set(book.plays.filter((play) => play.hosts(host)).flatMap((play) => play.roles))
  const needs = [...roles]
    .filter((role) => role.group === undefined || host.groups.includes(role.group))
    .flatMap((role) => role.needs?.(scopeOf(role, host, inventory)) ?? [])
  const sum = (of: (one: Needs) => number | undefined) => needs.reduce((all, one) => all + (of(one) ?? 0), 0)
  const roomiest = needs.toSorted((one, other) => (other.roomBytes ?? 0) - (one.roomBytes ?? 0))
  return {
    ports: needs.flatMap(({ ports = [] }) => ports),
    folders: [...new Set(roomiest.flatMap(({ folders = [] }) => folders))],
    roomBytes: roomiest[0]?.roomBytes,
    memoryBytes: sum(({ memoryBytes }) => memoryBytes),
  }
}
