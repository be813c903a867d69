import { isAlias, isMap, isScalar, type Node, type YAMLMap } from 'yaml'
import { expandHostNames } from '../ansible/host-ranges.ts'
import { entriesOf, keyName, type Source } from '../yaml/source.ts'
import { isEmpty, type KeyValue, pairsOf } from './mapping.ts'

/** A group where it is written: its name as a key, and what stands behind it. */
export interface GroupPlace {
  readonly group: string
  readonly source: Source
  readonly pair: KeyValue
  /** Its `hosts:`, where it has one. */
  readonly hosts?: KeyValue
  /** How many groups it stands in here. */
  readonly depth: number
  /** True where an alias or a merge brings it here: what is written holds elsewhere too. */
  readonly repeated: boolean
}
/** A host, or a range of hosts, where it stands in a group. */
export interface HostPlace {
  readonly group: string
  readonly source: Source
  readonly pair: KeyValue
  /** The mapping it stands in; undefined for a single name in place of a mapping. */
  readonly map?: YAMLMap
  readonly names: readonly string[]
  readonly port?: number
  readonly repeated: boolean
}
export interface Places {
  readonly groups: readonly GroupPlace[]
  readonly hosts: readonly HostPlace[]
}

/** Every place where a group or a host is written, in the order of the files. */
export const placesIn = (sources: readonly Source[]): Places => {
  const found: { groups: GroupPlace[]; hosts: HostPlace[] } = { groups: [], hosts: [] }
  for (const source of sources)
    if (isMap(source.root))
      for (const one of writtenIn(source, source.root, false)) readGroup(found, source, { ...one, depth: 0 })
  return found
}

interface Written {
  readonly pair: KeyValue
  readonly repeated: boolean
}

/** A mapping's entries: those written in it, and those that a merge brings. */
const writtenIn = (source: Source, map: YAMLMap, repeated: boolean): readonly Written[] =>
  entriesOf(source, map).flatMap(({ key }) => {
    const own = pairsOf(map).find((pair) => pair.key === key)
    if (own) return [{ pair: own, repeated: repeated || isAlias(own.value) }]
    const merged = pairsIn(source, map).find((pair) => pair.key === key)
    return merged ? [{ pair: merged, repeated: true }] : []
  })

const pairsIn = (source: Source, map: YAMLMap): readonly KeyValue[] =>
  [...source.aliases.values(), map].flatMap((node) => (isMap(node) ? pairsOf(node) : []))

const behind = (source: Source, { value }: KeyValue): Node | null =>
  isAlias(value) ? (source.aliases.get(value) ?? null) : value

const readGroup = (
  found: { groups: GroupPlace[]; hosts: HostPlace[] },
  source: Source,
  { pair, repeated, depth }: Written & { readonly depth: number },
): void => {
  const group = keyName(source, pair.key)
  const value = behind(source, pair)
  const sections = isMap(value) ? writtenIn(source, value, repeated) : []
  const named = (name: string) => sections.find((one) => keyName(source, one.pair.key) === name)
  const hosts = named('hosts')
  found.groups.push({ group, source, pair, hosts: hosts?.pair, depth, repeated })
  if (hosts) found.hosts.push(...hostsIn(source, group, hosts))
  const children = named('children')
  const below = children && behind(source, children.pair)
  if (children && isMap(below))
    for (const child of writtenIn(source, below, children.repeated))
      readGroup(found, source, { ...child, depth: depth + 1 })
}

const hostsIn = (source: Source, group: string, { pair, repeated }: Written): readonly HostPlace[] => {
  const value = behind(source, pair)
  if (isMap(value))
    return writtenIn(source, value, repeated).map((one) => ({
      group,
      source,
      pair: one.pair,
      map: value,
      repeated: one.repeated,
      ...expandHostNames(keyName(source, one.pair.key)),
    }))
  if (!isScalar(value) || isEmpty(value)) return []
  return [{ group, source, pair, repeated, ...expandHostNames(String(value.value)) }]
}
