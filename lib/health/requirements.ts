import type { Host, Inventory, Needs, Task } from '../model.ts'
import { taskId } from '../model.ts'
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

/** Tasks of a host's roles that a host may refuse, each once. Throws InputError as roles do where the inventory's own files can't be read. */
export const mayBeRefused = (inventory: Inventory, host: Host): readonly Task[] => {
  const tasks = rolesOn(host, inventory.roles)
    .flatMap((role) => role.tasks(scopeOf(role, host, inventory)))
    .filter(({ kind }) => kind.refused)
  return [...new Map(tasks.map((task) => [taskId(task), task])).values()]
}
