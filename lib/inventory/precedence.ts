import { type Group, groupsOf, type Member, type Tree } from './read/groups.ts'
import type { VarFolders } from './read/var-files.ts'
import type { Variable } from './yaml/variable.ts'

/**
 * Each variable a host has, from wherever it is set, the last winning: a later layer replaces a variable whole, as Ansible does by default, but for settings
 * of roles. The layers are
 * `all` in the inventory files; other groups there, parents before children, then by priority, then by name; `group_vars/all`;
 * `group_vars` of the other groups, path by path; the host in the inventory files; `host_vars`, path by path.
 * Source: ansible-core, vars/manager.py (get_vars) and inventory/helpers.py (sort_groups).
 */
export const effectiveVariables = (
  tree: Tree,
  member: Member,
  folders: readonly VarFolders[],
): ReadonlyMap<string, readonly [Variable, ...Variable[]]> => {
  const groups = [...groupsOf(member)].sort(byPrecedence)
  const layers = [
    tree.groups.get('all')?.vars,
    ...groups.map((group) => group.vars),
    ...folders.map((folder) => folder.groups.of('all')),
    ...folders.flatMap((folder) => groups.map((group) => folder.groups.of(group.name))),
    member.vars,
    ...folders.map((folder) => folder.hosts.of(member.name)),
  ]
  const effective = new Map<string, [Variable, ...Variable[]]>()
  for (const layer of layers)
    for (const [name, variable] of layer ?? []) {
      const below = effective.get(name)
      if (below) below.push(variable)
      else effective.set(name, [variable])
    }
  return effective
}

const byPrecedence = (a: Group, b: Group): number =>
  a.depth - b.depth || a.priority - b.priority || (a.name < b.name ? -1 : 1)
