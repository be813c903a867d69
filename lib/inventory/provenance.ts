import type { Host, Inventory } from '../model.ts'
import { showPosition } from './mistakes.ts'
import { emptyTree, finishTree, groupNamed, memberNamed, type Tree } from './read/groups.ts'
import { positionOf } from './yaml/source.ts'
import type { Variable } from './yaml/variable.ts'

interface Memory {
  /** What it was loaded from, as it was named. */
  readonly paths: readonly string[]
  readonly tree: Tree
  readonly variables: ReadonlyMap<string, ReadonlyMap<string, Variable>>
}
const memories = new WeakMap<Inventory, Memory>()

/** Keeps what the plain inventory doesn't say: how groups hang together, and where each value was written. */
export const remember = (inventory: Inventory, memory: Memory): void => {
  memories.set(inventory, memory)
}

/** The groups and hosts of an inventory. One that wasn't loaded from files has its groups side by side. */
export const treeOf = (inventory: Inventory): Tree => memories.get(inventory)?.tree ?? flatTree(inventory.hosts)

/** Where a host's variable was written, `file:line:column`; undefined for an inventory that wasn't loaded from files. */
export const originOf = (inventory: Inventory, host: string, variable: string): string | undefined => {
  const found = variableOf(inventory, host, variable)
  return found && showPosition(positionOf(found.source, found.key))
}

/** A host's variable as it was read; undefined for an inventory that wasn't loaded from files. */
export const variableOf = (inventory: Inventory, host: string, variable: string): Variable | undefined =>
  memories.get(inventory)?.variables.get(host)?.get(variable)

/** The paths that an inventory was loaded from. */
export const pathsOf = (inventory: Inventory): readonly string[] => memories.get(inventory)?.paths ?? []

const flatTree = (hosts: readonly Host[]): Tree => {
  const tree = emptyTree()
  const at = { file: '', line: 0, column: 0 }
  for (const { name, groups } of hosts)
    for (const group of ['all', ...groups]) memberNamed(tree, { name, at, group: groupNamed(tree, group) })
  finishTree(tree)
  return tree
}
