import { isMap, isScalar, isSeq, type Node } from 'yaml'
import type { Mistakes } from '../mistakes.ts'
import { type Entry, entriesOf, positionOf, type Source } from '../yaml/source.ts'
import type { ReadVariable } from '../yaml/variable.ts'
import { adopt, groupNamed, memberNamed, type Tree } from './groups.ts'

interface Reading {
  readonly source: Source
  readonly tree: Tree
  readonly variable: ReadVariable
  readonly mistakes: Mistakes
  /** Asks for the variables of one host, where the answer has none of any. */
  readonly hostVariables?: (host: string) => Source | undefined
}

/** Whether a file is what `ansible-inventory --list` prints, and scripts answer: hosts are lists, and `_meta` has their variables. */
export const looksLikeList = (source: Source): boolean =>
  isMap(source.root) && entriesOf(source, source.root).some(({ name }) => name === '_meta')

/** Adds what such a list says to the tree. Source: ansible-core, plugins/inventory/script.py. */
export const readListFile = ({ source, tree, variable, mistakes, hostVariables }: Reading): void => {
  const blame = (node: Node | null, what: string): void =>
    mistakes.add(node ? positionOf(source, node) : source.file, {
      what,
      fix: 'the answer is the JSON of ansible-inventory --list',
    })
  if (!isMap(source.root)) {
    blame(source.root, 'expected a mapping of groups')
    return
  }
  const hosts = new Set<string>()
  const entries = entriesOf(source, source.root)
  const put = (name: string, group: string, node: Node): void => {
    memberNamed(tree, { name, at: positionOf(source, node), group: groupNamed(tree, group) })
    hosts.add(name)
  }
  const setVariables = (to: Map<string, ReturnType<ReadVariable>>, from: Source, all: readonly Entry[]): void => {
    for (const entry of all) to.set(entry.name, variable(from, entry))
  }
  for (const { name, key, value } of entries) {
    if (name === '_meta') continue
    const group = groupNamed(tree, name)
    const sections = isMap(value) ? entriesOf(source, value) : []
    const own = isMap(value) && sections.some((one) => ['hosts', 'vars', 'children'].includes(one.name))
    if (isMap(value) && !own) {
      put(name, name, key)
      setVariables(group.vars, source, sections)
      continue
    }
    const section = (wanted: string): Node | null => sections.find((one) => one.name === wanted)?.value ?? null
    const named = isMap(value) ? section('hosts') : value
    for (const node of textsIn(named, () => blame(named, `${name}.hosts: expected a list of names`)))
      put(textOf(node), name, node)
    const vars = section('vars')
    if (isMap(vars)) {
      const priority = entriesOf(source, vars).find((one) => one.name === 'ansible_group_priority')
      if (isScalar(priority?.value)) group.priority = Number(priority.value.value)
      setVariables(
        group.vars,
        source,
        entriesOf(source, vars).filter((one) => one !== priority),
      )
    } else if (vars) blame(vars, `${name}.vars: expected a mapping`)
    const children = section('children')
    for (const node of textsIn(children, () => blame(children, `${name}.children: expected a list of names`))) {
      const circle = adopt(group, groupNamed(tree, textOf(node)))
      if (circle) blame(node, `a group inside itself: ${circle.join(' > ')}`)
    }
  }
  const meta = entries.find(({ name }) => name === '_meta')?.value
  const hostvars = isMap(meta) ? entriesOf(source, meta).find(({ name }) => name === 'hostvars')?.value : undefined
  if (meta && !isMap(hostvars)) blame(meta, '_meta.hostvars: expected a mapping of hosts')
  const known = new Map(isMap(hostvars) ? entriesOf(source, hostvars).map(({ name, value }) => [name, value]) : [])
  for (const name of hosts) {
    const from = meta ? source : hostVariables?.(name)
    const own = meta ? known.get(name) : from?.root
    const member = tree.hosts.get(name)
    if (from && member && isMap(own)) setVariables(member.vars, from, entriesOf(from, own))
  }
}

const textsIn = (node: Node | null, wrong: () => void): readonly Node[] => {
  if (node === null || (isScalar(node) && node.value === null)) return []
  if (isSeq(node)) return node.items as Node[]
  wrong()
  return []
}

const textOf = (node: Node): string => (isScalar(node) ? String(node.value) : '')
