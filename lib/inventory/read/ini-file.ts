import { isMap, LineCounter, type Node, Scalar, YAMLMap, YAMLSeq } from 'yaml'
import { expandHostNames } from '../ansible/host-ranges.ts'
import { type Literal, typedText } from '../ansible/python-literal.ts'
import { type ShellWord, shellWords } from '../ansible/shell-words.ts'
import type { Mistakes } from '../mistakes.ts'
import { type Entry, positionOf, type Source } from '../yaml/source.ts'
import type { ReadVariable } from '../yaml/variable.ts'
import { adopt, groupNamed, memberNamed, type Tree } from './groups.ts'

interface Reading {
  readonly source: Source
  readonly tree: Tree
  readonly variable: ReadVariable
  readonly mistakes: Mistakes
}

/** A source of lines, which has no tree of its own: its values are made where they are read. */
export const iniSource = (file: string, text: string): Source => {
  const lines = new LineCounter()
  lines.addNewLine(0)
  for (const { index, 0: end } of text.matchAll(LINE_END)) lines.addNewLine(index + end.length)
  return { file, text, root: null, sealed: false, lines, aliases: new Map(), format: 'ini' }
}

/** As Python's splitlines. */
const LINE_END = /\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/g
const SECTION = /^\[([^:\]\s]+)(?::(\w+))?\]\s*(?:#.*)?$/
const GROUP = /^([^:\]\s]+)\s*(?:#.*)?$/

/**
 * Adds what an INI inventory says to the tree, as Ansible reads it: sections of hosts, of children and of variables; a host's variables are typed as Python types
 * literals. Source: ansible-core, plugins/inventory/ini.py. A mistake is told with its line and column; Ansible tells one, and here are all.
 */
export const readIniFile = (reading: Reading): void => {
  const { source, tree, mistakes } = reading
  let section = { group: 'ungrouped', kind: 'hosts' }
  /** Groups that were named as children or given variables, and where; some section must be theirs. */
  const named = new Map<string, { at: number; parents: string[] }>()
  const declared = new Set<string>(tree.groups.keys())
  const children: { parent: string; child: string; at: number }[] = []
  const blame = (at: number, what: string, fix?: string): void => mistakes.add(positionOf(source, at), { what, fix })
  for (const { text, at } of linesOf(source.text)) {
    const [, group, kind = 'hosts'] = SECTION.exec(text) ?? []
    if (group !== undefined) {
      if (!['hosts', 'children', 'vars'].includes(kind))
        blame(at, `a section of the unknown kind \`${kind}\``, 'there are [group], [group:children] and [group:vars]')
      section = { group, kind }
      if (kind === 'vars' && !named.has(group)) named.set(group, { at, parents: [] })
      if (kind !== 'vars') declared.add(group)
      groupNamed(tree, group)
    } else if (/^\[.*\]$/s.test(text)) blame(at, `\`${text}\` is no section`, 'a group’s name has no spaces and no `:`')
    else if (section.kind === 'hosts') readHost(reading, { text, at, group: section.group })
    else if (section.kind === 'vars') readVariable(reading, { text, at, group: section.group })
    else if (section.kind === 'children') {
      const child = GROUP.exec(text)?.[1]
      if (child === undefined) blame(at, `expected the name of a group, got \`${text}\``)
      else children.push({ parent: section.group, child, at })
    }
  }
  for (const { parent, child, at } of children) {
    if (!declared.has(child) && !tree.groups.has(child)) {
      blame(
        at,
        `[${parent}:children] names \`${child}\`, and there is no section [${child}]`,
        `add one, [${child}], if it is empty too`,
      )
      continue
    }
    const circle = adopt(groupNamed(tree, parent), groupNamed(tree, child))
    if (circle) blame(at, `a group inside itself: ${circle.join(' > ')}`)
  }
  for (const [group, { at }] of named)
    if (!declared.has(group) && !children.some(({ child }) => child === group))
      blame(at, `[${group}:vars] is for a group that no section names`, `add [${group}] or [${group}:children]`)
}

interface Line {
  readonly text: string
  readonly at: number
}

/** Without empty ones and comments, each from where its text begins. */
const linesOf = (text: string): readonly Line[] => {
  const lines: Line[] = []
  let start = 0
  for (const { index, 0: end } of [...text.matchAll(LINE_END), { index: text.length, 0: '' }]) {
    const line = text.slice(start, index)
    const trimmed = line.trim()
    if (trimmed !== '' && !/^[;#]/.test(trimmed)) lines.push({ text: trimmed, at: start + line.indexOf(trimmed) })
    start = index + end.length
  }
  return lines
}

const readHost = (
  { source, tree, variable, mistakes }: Reading,
  { text, at, group }: Line & { group: string },
): void => {
  const blame = (offset: number, what: string, fix?: string): void =>
    mistakes.add(positionOf(source, at + offset), { what, fix })
  try {
    const [name, ...rest] = shellWords(text)
    if (!name) return
    if (/^[^[\]]*:$/.test(name.text)) throw new RangeError('a host’s name does not end in `:`, which is for a port')
    if (name.text === '---') throw new RangeError('`---` begins a YAML file; call it .yml')
    const { names, port } = expandHostNames(name.text)
    const variables = rest.flatMap((word): readonly Entry[] => {
      const equals = word.text.indexOf('=')
      if (equals < 0)
        blame(word.at, `expected NAME=VALUE, got \`${shown(word)}\``, 'put quotes around a value with spaces')
      return equals < 0 ? [] : [entryOf(word.text.slice(0, equals), word.text.slice(equals + 1), at + word.at)]
    })
    for (const one of names) {
      const isNew = !tree.hosts.has(one)
      const member = memberNamed(tree, { name: one, at: positionOf(source, at), group: groupNamed(tree, group) })
      const own = isNew && port !== undefined ? [entryOf('ansible_port', port, at), ...variables] : variables
      for (const entry of own) member.vars.set(entry.name, variable(source, entry))
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    blame(0, error.message)
  }
}

/** Not what may be a secret. */
const shown = ({ text }: ShellWord): string => (text.length > 20 ? `${text.slice(0, 8)}…` : text)

const readVariable = (
  { source, tree, variable, mistakes }: Reading,
  { text, at, group }: Line & { group: string },
): void => {
  const equals = text.indexOf('=')
  if (equals < 0) {
    mistakes.add(positionOf(source, at), { what: 'expected NAME = VALUE in a section of variables' })
    return
  }
  const entry = entryOf(text.slice(0, equals).trim(), text.slice(equals + 1).trim(), at)
  const to = groupNamed(tree, group)
  if (entry.name !== 'ansible_group_priority') to.vars.set(entry.name, variable(source, entry))
  else if (/^\s*-?\d+\s*$/.test(text.slice(equals + 1))) to.priority = Number(text.slice(equals + 1))
  else mistakes.add(positionOf(source, at), { path: entry.name, what: 'expected a whole number' })
}

const entryOf = (name: string, value: string | number, at: number): Entry => ({
  name,
  key: at_(new Scalar(name), at),
  value: nodeOf(typeof value === 'number' ? value : typedText(value), at),
})

/** The value as a node, as if it stood in YAML in quotes where its name stands. */
const nodeOf = (value: Literal, at: number): Node => {
  if (Array.isArray(value)) {
    const list = new YAMLSeq()
    list.items = value.map((item) => nodeOf(item, at))
    return at_(list, at)
  }
  if (value instanceof Map) {
    const map = new YAMLMap()
    for (const [key, item] of value) map.set(at_(new Scalar(keyText(key)), at), nodeOf(item, at))
    return isMap(map) ? at_(map, at) : map
  }
  return at_(new Scalar(value), at)
}

/** A key as JSON has it. */
const keyText = (key: Literal): string => (typeof key === 'string' ? key : JSON.stringify(key))

const at_ = <T extends Node>(node: T, at: number): T => {
  node.range = [at, at, at]
  return node
}
