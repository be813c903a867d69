import { isMap, type YAMLMap } from 'yaml'
import { InputError } from '../../errors.ts'
import type { FileEdit } from '../files.ts'
import type { Source } from '../yaml/source.ts'
import { cannotEdit, draftSources, requireEditable, type Splice, spliced, withText } from './draft.ts'
import { afterColon, columnOf, insertEntry, isEmpty, newline, startOf } from './mapping.ts'
import { type GroupPlace, type Places, placesIn } from './places.ts'
import { shownValue } from './scalar-text.ts'

export interface NewHost {
  readonly name: string
  /** The groups it is to stand in, each named in the inventory. */
  readonly groups: readonly string[]
  /** Its own variables; written where it is first named. */
  readonly vars: Readonly<Record<string, unknown>>
}

/**
 * The edits that put a host into groups of an inventory, keeping order, comments and style; none for groups that it stands in
 * already. Throws InputError, with place and what to do by hand, where a group is nowhere or can't be written to.
 */
export const addHost = (
  paths: readonly string[],
  host: NewHost,
  edits: readonly FileEdit[] = [],
): readonly FileEdit[] =>
  host.groups.reduce((sofar, group) => {
    const places = placesIn(draftSources(paths, sofar))
    const here = places.hosts.filter(({ names }) => names.includes(host.name))
    if (here.some((place) => place.group === group)) return sofar
    const value = here.length > 0 || Object.keys(host.vars).length === 0 ? undefined : host.vars
    return intoGroup(sofar, { name: host.name, group, value }, places)
  }, edits)

interface Entry {
  readonly name: string
  readonly group: string
  readonly value: unknown
}

const intoGroup = (edits: readonly FileEdit[], entry: Entry, places: Places): readonly FileEdit[] => {
  const byHand = `write ${shownValue(entry.name)} below hosts: of the group ${entry.group}`
  const mine = places.groups.filter(({ group, repeated }) => group === entry.group && !repeated)
  const best = bestOf(mine)
  if (!best) throw nowhere(entry, places)
  requireEditable(best.source, byHand)
  const splice = spliceFor(best, entry, byHand)
  const { file, text } = best.source
  return withText(edits, { file, before: text, after: spliced(text, [splice]) })
}

/** Where it has hosts already, else where it has anything, else where it is named in the fewest groups. */
const bestOf = (places: readonly GroupPlace[]): GroupPlace | undefined =>
  places.find(({ hosts }) => isMap(hosts?.value) && hosts.value.items.length > 0) ??
  places.find(({ hosts }) => hosts) ??
  places.find(({ pair }) => isMap(pair.value)) ??
  [...places].sort((a, b) => a.depth - b.depth)[0]

const spliceFor = ({ source, pair, hosts }: GroupPlace, { name, value }: Entry, byHand: string): Splice => {
  if (hosts && isMap(hosts.value)) return insertEntry(source, hosts.value, { key: name, value })
  if (hosts && isEmpty(hosts.value)) return below(source, hosts.key, { [name]: value })
  if (hosts) {
    const why = 'a single name stands here in place of a mapping'
    throw cannotEdit(source, hosts.value ?? hosts.key, why, `write \`name:\` on a line of its own; then ${byHand}`)
  }
  const group = pair.value
  if (isMap(group) && group.items.length > 0) return intoMapping(source, group, { [name]: value })
  if (isMap(group) || isEmpty(group)) {
    const inner = { hosts: { [name]: value ?? {} } }
    return isMap(group)
      ? { from: startOf(group), to: group.range?.[1] ?? startOf(group), text: shownValue(inner) }
      : inFlow(source, pair.key)
        ? { from: afterColon(source, pair.key), to: afterColon(source, pair.key), text: ` ${shownValue(inner)}` }
        : below(source, pair.key, inner)
  }
  throw cannotEdit(source, pair.key, 'the group is not written as a mapping', byHand)
}

/** `hosts:` behind what the group has. */
const intoMapping = (source: Source, group: YAMLMap, hosts: Readonly<Record<string, unknown>>): Splice => {
  const [name = '', value] = Object.entries(hosts)[0] ?? []
  const flow = insertEntry(source, group, { key: 'hosts', value: { [name]: value ?? {} } })
  if (group.flow) return flow
  const indent = ' '.repeat(columnOf(source, startOf((group.items[0] as { key: YAMLMap }).key)))
  const lines = [
    `${indent}hosts:`,
    `${indent}  ${shownValue(name)}:${value === undefined ? '' : ` ${shownValue(value)}`}`,
  ]
  return { ...flow, text: lines.map((line) => newline(source) + line).join('') }
}

/** Lines below a key with nothing behind it. A comment on its line stays there. */
const below = (
  source: Source,
  key: Parameters<typeof startOf>[0],
  value: Readonly<Record<string, unknown>>,
): Splice => {
  if (inFlow(source, key)) {
    const at = afterColon(source, key)
    const filled = Object.fromEntries(Object.entries(value).map(([name, one]) => [name, one ?? {}]))
    return { from: at, to: at, text: ` ${shownValue(filled)}` }
  }
  const eol = newline(source)
  const at = source.text.indexOf('\n', startOf(key))
  const end = at < 0 ? source.text.length : eol === '\r\n' ? at - 1 : at
  const lines = nested(value, ' '.repeat(columnOf(source, startOf(key)) + 2))
  return { from: end, to: end, text: lines.map((line) => eol + line).join('') }
}

const nested = (value: Readonly<Record<string, unknown>>, indent: string): readonly string[] =>
  Object.entries(value).flatMap(([key, one]) => {
    if (key === 'hosts') return [`${indent}hosts:`, ...nested(one as Readonly<Record<string, unknown>>, `${indent}  `)]
    const isNothing = one === undefined || (typeof one === 'object' && one !== null && Object.keys(one).length === 0)
    return [`${indent}${shownValue(key)}:${isNothing ? '' : ` ${shownValue(one)}`}`]
  })

/** Whether a key stands inside braces, so that nothing can be put on lines below it. */
const inFlow = (source: Source, key: Parameters<typeof startOf>[0]): boolean => {
  const within = (map: YAMLMap): boolean =>
    map.items.some(({ key: one, value }) => {
      if (one === key) return map.flow === true
      return isMap(value) && within(value)
    })
  return isMap(source.root) && within(source.root)
}

const nowhere = ({ group }: Entry, { groups }: Places): InputError => {
  const [repeated] = groups.filter((one) => one.group === group)
  if (repeated) {
    const why = `the group \`${group}\` comes here by an alias or a merge`
    return cannotEdit(
      repeated.source,
      repeated.pair.key,
      why,
      `write the group ${group} out, with the host below hosts:`,
    )
  }
  return new InputError([
    {
      where: 'inventory',
      what: `there is no group \`${group}\``,
      fix: `write \`${group}:\` below \`children:\` of all`,
    },
  ])
}
