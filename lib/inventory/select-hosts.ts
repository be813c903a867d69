import { readFileSync, statSync } from 'node:fs'
import { InputError, type Mistake } from '../errors.ts'
import type { Host, Inventory } from '../model.ts'
import { counted } from '../wording.ts'
import { splitPatterns } from './ansible/pattern-words.ts'
import { didYouMean } from './did-you-mean.ts'
import { treeOf } from './provenance.ts'
import { hostsOf, type Tree } from './read/groups.ts'

/**
 * The hosts that Ansible patterns choose, in the inventory's order: `a:b` and `a,b` (either), `a:&b` (both), `a:!b` (without),
 * `web*`, `~regex`, `group[0]`, `group[1:3]`, `@file` (one pattern a line). Throws InputError where nothing is left, and for a name that is
 * no host and no group: a slip there would mean other machines than were meant.
 * Source: ansible-core, inventory/manager.py (get_hosts, subset).
 */
export const selectHosts = (inventory: Inventory, patterns: string): readonly Host[] => {
  const tree = treeOf(inventory)
  const words = splitPatterns(patterns).flatMap((word) => (word.startsWith('@') ? linesOf(word.slice(1)) : [word]))
  const mistakes = words.flatMap((word) => mistakeIn(tree, word))
  if (mistakes.length > 0) throw new InputError(mistakes)
  const plain = words.filter((word) => !/^[&!]/.test(word))
  const chosen = new Set((plain.length > 0 ? plain : ['all']).flatMap((word) => matches(tree, word)))
  for (const word of words.filter((one) => one.startsWith('&'))) {
    const both = new Set(matches(tree, word.slice(1)))
    for (const name of chosen) if (!both.has(name)) chosen.delete(name)
  }
  for (const word of words.filter((one) => one.startsWith('!')))
    for (const name of matches(tree, word.slice(1))) chosen.delete(name)
  const hosts = inventory.hosts.filter(({ name }) => chosen.has(name))
  if (hosts.length === 0)
    throw mistake(patterns, { what: 'no host is left', fix: 'vestal inventory lists groups and hosts' })
  return hosts
}

const mistake = (pattern: string, { what, fix }: Pick<Mistake, 'what' | 'fix'>): InputError =>
  new InputError([{ where: '--limit', path: pattern, what, fix }])

const linesOf = (file: string): readonly string[] => {
  if (!statSync(file, { throwIfNoEntry: false })?.isFile())
    throw mistake(`@${file}`, { what: `there is no file ${file}`, fix: 'it holds one pattern a line' })
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.map((line) => line.trim()).filter((line) => line !== '')
}

const mistakeIn = (tree: Tree, word: string): readonly Mistake[] => {
  const pattern = word.replace(/^[&!]/, '')
  const { base } = subscripted(pattern)
  const names = [...tree.groups.keys(), ...tree.hosts.keys()]
  if (names.some((name) => regexOf(base).test(name))) return []
  const fix = 'vestal inventory lists groups and hosts'
  return [{ where: '--limit', path: word, what: `no host or group is called that${didYouMean(base, names)}`, fix }]
}

/** Names of the hosts one pattern means, in the order that subscripts count them. */
const matches = (tree: Tree, pattern: string): readonly string[] => {
  if (tree.hosts.has(pattern)) {
    const group = tree.groups.get(pattern)
    const others = group ? hostsOf(group).filter((name) => name !== pattern) : []
    if (others.length > 0)
      throw mistake(pattern, {
        what: `it is a host, and a group with ${others[0]} in it`,
        fix: `write ${pattern}[0:] for the group; rename one of them to mean the host`,
      })
    return [pattern]
  }
  const { base, first, last } = subscripted(pattern)
  const regex = regexOf(base)
  const groups = [...tree.groups.values()].filter(({ name }) => regex.test(name))
  const found = groups.flatMap(hostsOf)
  if (groups.length === 0 || /^~|[.?*[]/.test(base))
    found.push(...[...tree.hosts.keys()].filter((name) => regex.test(name)))
  const names = [...new Set(found)]
  if (first === undefined) return names
  if (last !== undefined) return names.slice(first, last === -1 ? undefined : last + 1)
  const one = names.at(first)
  if (one === undefined && names.length > 0)
    throw mistake(pattern, {
      what: `it has only ${counted(names.length, 'host')}`,
      fix: 'the first host is [0], the last [-1]',
    })
  return one === undefined ? [] : [one]
}

/** `base[2]`, `base[-1]`, `base[1:3]` (both ends count), `base[1:]`. */
const subscripted = (pattern: string): { readonly base: string; readonly first?: number; readonly last?: number } => {
  const [, base, one, from, to] = /^([^~].*)\[(?:(-?\d+)|(\d+)[:-](\d*))\]$/s.exec(pattern) ?? []
  if (base === undefined) return { base: pattern }
  return one === undefined ? { base, first: Number(from), last: to ? Number(to) : -1 } : { base, first: Number(one) }
}

/** As Python's re.match for `~regex` (from the start), and fnmatch for anything else (all of it). */
const regexOf = (pattern: string): RegExp => {
  try {
    if (pattern.startsWith('~')) return new RegExp(`^(?:${pattern.slice(1)})`)
    const parts = pattern.replace(/\[(!?)(\]?[^\]]*)\]|[*?]|[\s\S]/g, (part, not?: string, set?: string) => {
      if (set) return `[${not ? '^' : ''}${set.replace(/[\\\]^[]/g, '\\$&')}]`
      return { '*': '.*', '?': '.' }[part] ?? part.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
    })
    return new RegExp(`^${parts}$`, 's')
  } catch {
    throw mistake(pattern, { what: 'not a valid pattern' })
  }
}
