import type { Position } from '../mistakes.ts'
import type { Variable } from '../yaml/variable.ts'

export interface Group {
  readonly name: string
  /** Names of the hosts that stand in it directly, in order. */
  readonly hosts: Set<string>
  readonly children: Set<Group>
  readonly parents: Set<Group>
  readonly vars: Map<string, Variable>
  /** `ansible_group_priority`: among groups of one depth, the higher wins. */
  priority: number
  /** The longest way down from `all`. Right once the tree is finished. */
  depth: number
}
export interface Member {
  readonly name: string
  /** Where it is first named. */
  readonly at: Position
  readonly vars: Map<string, Variable>
  /** Groups it stands in directly. */
  readonly groups: Set<Group>
}
/** Groups and hosts as the files name them, in order of first mention. */
export interface Tree {
  readonly groups: Map<string, Group>
  readonly hosts: Map<string, Member>
}

export const emptyTree = (): Tree => {
  const tree: Tree = { groups: new Map(), hosts: new Map() }
  link(groupNamed(tree, 'all'), groupNamed(tree, 'ungrouped'))
  return tree
}

/** The group of that name, made when it isn't there yet. */
export const groupNamed = (tree: Tree, name: string): Group => {
  const known = tree.groups.get(name)
  if (known) return known
  const group: Group = {
    name,
    hosts: new Set(),
    children: new Set(),
    parents: new Set(),
    vars: new Map(),
    priority: 1,
    depth: 0,
  }
  tree.groups.set(name, group)
  return group
}

/** Puts `child` below `parent`. Where that would close a circle nothing is done, and the names around it come back. */
export const adopt = (parent: Group, child: Group): readonly string[] | undefined => {
  const circle = wayDown(child, parent)
  if (circle) return [parent.name, ...circle.map((group) => group.name)]
  link(parent, child)
  return undefined
}

const link = (parent: Group, child: Group): void => {
  parent.children.add(child)
  child.parents.add(parent)
}

const wayDown = (from: Group, to: Group, seen = new Set<Group>()): readonly Group[] | undefined => {
  if (from === to) return [from]
  seen.add(from)
  for (const child of from.children) {
    const rest = seen.has(child) ? undefined : wayDown(child, to, seen)
    if (rest) return [from, ...rest]
  }
  return undefined
}

/** The host of that name, put into `group`. */
export const memberNamed = (tree: Tree, { name, at, group }: { name: string; at: Position; group: Group }): Member => {
  const member = tree.hosts.get(name) ?? { name, at, vars: new Map(), groups: new Set<Group>() }
  tree.hosts.set(name, member)
  member.groups.add(group)
  group.hosts.add(name)
  return member
}

/**
 * What Ansible does once every file is read: groups without a parent go below `all`, hosts without a group into `ungrouped`, and
 * depths are settled. Source: ansible-core, inventory/data.py (reconcile_inventory) and inventory/group.py.
 */
export const finishTree = (tree: Tree): void => {
  const all = groupNamed(tree, 'all')
  const ungrouped = groupNamed(tree, 'ungrouped')
  for (const group of tree.groups.values()) if (group !== all && group.parents.size === 0) link(all, group)
  for (const member of tree.hosts.values()) {
    const grouped = [...member.groups].some((group) => group !== all && group !== ungrouped)
    if (grouped && member.groups.delete(ungrouped)) ungrouped.hosts.delete(member.name)
    if (!grouped) {
      member.groups.add(ungrouped)
      ungrouped.hosts.add(member.name)
    }
  }
  settleDepth(all, 0)
}

const settleDepth = (group: Group, depth: number): void => {
  group.depth = depth
  for (const child of group.children) if (child.depth <= depth) settleDepth(child, depth + 1)
}

/** Every group a host is in, parents too, without `all`. */
export const groupsOf = (member: Member): ReadonlySet<Group> => {
  const found = new Set<Group>()
  const climb = (group: Group) => {
    if (group.name === 'all' || found.has(group)) return
    found.add(group)
    for (const parent of group.parents) climb(parent)
  }
  for (const group of member.groups) climb(group)
  return found
}

/** Names of all hosts in a group: its own first, then its children's, level by level. */
export const hostsOf = (group: Group): readonly string[] => {
  const groups = new Set([group])
  for (const one of groups) for (const child of one.children) groups.add(child)
  return [...new Set([...groups].flatMap((one) => [...one.hosts]))]
}
