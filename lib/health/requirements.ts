import type { Host, Inventory, Needs, Task } from '../model.ts'
import { taskId } from '../model.ts'
import { isSameMachine } from '../one-machine.ts'
import { rolesOn, scopeOf } from '../playbook.ts'

/** What all roles of a host need of it together; the memory, what all hosts that are its machine need. */
export const needsOf = (inventory: Inventory, host: Host): Needs => {
  const needsOn = (one: Host) =>
    rolesOn(one, inventory.roles).flatMap((role) => role.needs?.(scopeOf(role, one, inventory)) ?? [])
  const needs = needsOn(host)
  const machine = inventory.hosts.filter((one) => isSameMachine(one, host)).flatMap(needsOn)
  const roomiest = needs.toSorted((one, other) => (other.roomBytes ?? 0) - (one.roomBytes ?? 0))
  return {
    ports: needs.flatMap(({ ports = [] }) => ports),
    folders: [...new Set(roomiest.flatMap(({ folders = [] }) => folders))],
    roomBytes: roomiest[0]?.roomBytes,
    memoryBytes: machine.reduce((all, { memoryBytes = 0 }) => all + memoryBytes, 0),
  }
}

/** Tasks of a host's roles that a host may refuse, each once. Throws InputError as roles do where the inventory's own files can't be read. */
export const mayBeRefused = (inventory: Inventory, host: Host): readonly Task[] => {
  const tasks = rolesOn(host, inventory.roles)
    .flatMap((role) => role.tasks(scopeOf(role, host, inventory)))
    .filter(({ kind }) => kind.refused)
  return [...new Map(tasks.map((task) => [taskId(task), task])).values()]
}
