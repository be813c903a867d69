import { isMap, isScalar, isSeq, type Node, type YAMLMap } from 'yaml'
import { expandHostNames } from '../ansible/host-ranges.ts'
import { didYouMean } from '../did-you-mean.ts'
import type { Mistakes } from '../mistakes.ts'
import { type Entry, entriesOf, positionOf, type Source } from '../yaml/source.ts'
import type { ReadVariable } from '../yaml/variable.ts'
import { adopt, type Group, groupNamed, memberNamed, type Tree } from './groups.ts'
import { asList } from './inventory-files.ts'

const SECTIONS = ['hosts', 'children', 'vars']

interface Reading {
  readonly source: Source
  readonly tree: Tree
  readonly variable: ReadVariable
  readonly mistakes: Mistakes
}

/**
 * Adds what one inventory file says to the tree, in Ansible's order: later files and later lines win, variable by variable.
 * Source: ansible-core, plugins/inventory/yaml.py. What Ansible skips with a warning is a mistake here.
 */
export const readInventoryFile = (reading: Reading): void => {
  const { source, mistakes } = reading
  const { root, file } = source
  if (!root || (isScalar(root) && root.value === null)) {
    mistakes.add(file, { what: 'the inventory is empty', fix: EXAMPLE })
  } else if (!isMap(root)) {
    mistakes.add(positionOf(source, root), { what: `expected groups, got ${nounOf(root)}`, fix: EXAMPLE })
  } else {
    const entries = entriesOf(source, root)
    const plugin = entries.find(({ name }) => name === 'plugin')
    if (plugin)
      blame(reading, plugin.key, {
        what: `the inventory plugin${pluginName(plugin)} is not run here`,
        fix: asList(file),
      })
    else for (const entry of entries) readGroup(reading, entry, '')
  }
}

/** True for a file that Ansible would take hosts or groups from: some top-level mapping has `hosts`, `children` or `vars`. */
export const looksLikeInventory = (source: Source): boolean =>
  isMap(source.root) &&
  entriesOf(source, source.root).some(
    ({ value }) => isMap(value) && entriesOf(source, value).some(({ name }) => SECTIONS.includes(name)),
  )

const EXAMPLE = 'an inventory starts like this: all: { children: { prometheus: { hosts: { prom-1: {} } } } }'

const pluginName = ({ value }: Entry): string => (value && isText(value) ? ` ${value.value}` : '')

const readGroup = (reading: Reading, { name, key, value }: Entry, above: string): Group | undefined => {
  const { source, tree } = reading
  const path = above ? `${above}.${name}` : name
  if (!isText(key)) {
    blame(reading, key, { path: above, what: `a group's name must be text, got ${name}`, fix: QUOTE_KEY })
    return undefined
  }
  const group = groupNamed(tree, name)
  if (isEmpty(value)) return group
  if (!isMap(value)) {
    const what = `expected a group (a mapping with hosts, children or vars), got ${nounOf(value)}`
    blame(reading, value, {
      path,
      what,
      fix: above ? undefined : 'a file that is no inventory belongs into a sub-folder',
    })
    return group
  }
  // A key that only holds anchors, as YAML's own users name it. Ansible makes an empty group of it, and warns of what is in it.
  const holder = !above && name.startsWith('x-')
  for (const section of entriesOf(source, value))
    if (!holder || SECTIONS.includes(section.name)) readSection(reading, { group, section, path })
  return group
}

const readSection = (
  reading: Reading,
  { group, section, path: above }: { group: Group; section: Entry; path: string },
): void => {
  const path = `${above}.${section.name}`
  if (!SECTIONS.includes(section.name)) {
    const near = didYouMean(section.name, SECTIONS)
    const what = `unknown key \`${section.name}\`${near}`
    blame(reading, section.key, { path: above, what, fix: near ? undefined : UNKNOWN_FIX })
    return
  }
  for (const entry of sectionEntries(reading, section, path)) {
    if (section.name === 'vars') setGroupVariable(reading, group, entry)
    else if (section.name === 'hosts') readHosts(reading, { group, entry, path })
    else readChild(reading, { group, entry, path })
  }
}

const UNKNOWN_FIX = 'a group has hosts, children and vars; other groups stand under children, variables under vars'
const QUOTE_KEY = 'put quotes around it'

/** A section's entries. One name instead of a mapping is allowed for hosts and children, as in Ansible. */
const sectionEntries = (reading: Reading, section: Entry, path: string): readonly Entry[] => {
  const { value } = section
  if (isEmpty(value)) return []
  if (isMap(value)) return entriesOf(reading.source, value)
  if (section.name !== 'vars' && isText(value)) return [{ name: String(value.value), key: value, value: null }]
  const fix = isSeq(value) ? 'write each name as a key, `name:` instead of `- name`' : undefined
  blame(reading, value, { path, what: `expected a mapping, got ${nounOf(value)}`, fix })
  return []
}

const setGroupVariable = (reading: Reading, group: Group, entry: Entry): void => {
  if (entry.name !== 'ansible_group_priority') {
    group.vars.set(entry.name, reading.variable(reading.source, entry))
    return
  }
  const value = isScalar(entry.value) ? entry.value.value : undefined
  if (/^-?\d+$/.test(String(value))) group.priority = Number(value)
  else
    blame(reading, entry.value ?? entry.key, {
      path: entry.name,
      what: `expected a whole number, got ${entry.value ? nounOf(entry.value) : 'nothing'}`,
    })
}

interface In {
  readonly group: Group
  readonly entry: Entry
  readonly path: string
}

const readHosts = (reading: Reading, { group, entry, path }: In): void => {
  const { source, tree, variable } = reading
  const { names, port } = namesIn(reading, entry, path)
  const at = positionOf(source, entry.key)
  const variables = hostVariables(reading, entry, path).map((one) => variable(source, one))
  for (const name of names) {
    const isNew = !tree.hosts.has(name)
    const member = memberNamed(tree, { name, at, group })
    if (isNew && port !== undefined)
      member.vars.set('ansible_port', {
        name: 'ansible_port',
        source,
        key: entry.key,
        node: entry.key,
        value: () => port,
      })
    for (const one of variables) member.vars.set(one.name, one)
  }
}

const namesIn = (reading: Reading, { key, name }: Entry, path: string): ReturnType<typeof expandHostNames> => {
  try {
    if (isText(key)) return expandHostNames(name)
    blame(reading, key, { path, what: `a host's name must be text, got ${name}`, fix: QUOTE_KEY })
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    blame(reading, key, { path, what: `\`${name}\`: ${error.message}` })
  }
  return { names: [] }
}

const hostVariables = (reading: Reading, { name, value }: Entry, path: string): readonly Entry[] => {
  if (isEmpty(value)) return []
  if (isMap(value)) return entriesOf(reading.source, value)
  const what = `expected the host's variables (a mapping) or nothing, got ${nounOf(value)}`
  const fix = isText(value) ? `write its address as a variable: ${name}: { ansible_host: ${value.value} }` : undefined
  blame(reading, value, { path: `${path}.${name}`, what, fix })
  return []
}

const readChild = (reading: Reading, { group, entry, path }: In): void => {
  if (entry.name === 'all') {
    blame(reading, entry.key, { path, what: 'the group `all` holds every group and stands in none' })
    return
  }
  const child = readGroup(reading, entry, path)
  const circle = child && adopt(group, child)
  if (circle) blame(reading, entry.key, { path, what: `a group inside itself: ${circle.join(' > ')}` })
}

const blame = (reading: Reading, node: Node, mistake: Parameters<Mistakes['add']>[1]): void =>
  reading.mistakes.add(positionOf(reading.source, node), mistake)

const isText = (node: Node): node is Node & { value: string } => isScalar(node) && typeof node.value === 'string'

const isEmpty = (node: Node | null): node is null => node === null || (isScalar(node) && node.value === null)

/** What a node is, for messages. Shows no value: it may be a secret in the wrong place. */
const nounOf = (node: Node): string => {
  if (isSeq(node)) return 'a list'
  if (isMap(node as YAMLMap)) return 'a mapping'
  if (isText(node)) return 'text'
  return isScalar(node) && typeof node.value === 'boolean' ? 'true or false' : 'a number'
}
