/** What the hosts of one role have in common, and what each has for itself. */
import type { Told } from './program.ts'
import { identityOf, isMapping, listIn, mapIn, type Tree, type TreeMap, textIn } from './yaml-tree.ts'

export interface Shared {
  readonly group: TreeMap
  readonly hosts: ReadonlyMap<string, TreeMap>
  readonly told: readonly Told[]
}

/** Settings that are joined key by key where several files set them, so that a part of them can be a host's own. */
const JOINED = new Set(['cluster', 'retention', 'extra_flags', 'external_labels'])
/** Settings that are each host's own by what they are. */
const OWN = new Set(['replica', 'advertise_address', 'replaces', 'folders', 'target_folders'])

/** Settings of hosts, split: what all have goes to the group, and each difference is told. */
export const sharedSettings = (role: string, hosts: ReadonlyMap<string, TreeMap>): Shared => {
  const told: Told[] = []
  const split = (of: ReadonlyMap<string, TreeMap>, above: readonly string[]): Pick<Shared, 'group' | 'hosts'> => {
    const group: Record<string, Tree> = {}
    const own = new Map([...of.keys()].map((host): [string, Record<string, Tree>] => [host, {}]))
    const names = new Set([...of.values()].flatMap((settings) => Object.keys(settings)))
    for (const name of names) {
      const values = [...of].map(([host, settings]) => [host, settings[name]] as const)
      const different = Map.groupBy(values, ([, value]) => identityOf(value))
      if (different.size === 1) group[name] = values[0]?.[1]
      else if (JOINED.has(name) && above.length === 0) {
        const inside = split(new Map(values.map(([host, value]) => [host, mapIn(value)])), [name])
        if (Object.keys(inside.group).length > 0) group[name] = inside.group
        for (const [host, value] of inside.hosts) {
          const mine = own.get(host)
          if (mine && Object.keys(value).length > 0) mine[name] = value
        }
      } else {
        for (const [host, value] of values) {
          const mine = own.get(host)
          if (mine && value !== undefined) mine[name] = value
        }
        if (!OWN.has(name))
          told.push({
            kind: 'differs',
            where: [role, ...above, name].join('.'),
            what: differenceOf(
              [...different.values()].map((some) => some.map(([host]) => host)),
              [...different.values()].map(([first]) => first?.[1]),
            ),
          })
      }
    }
    return { group, hosts: own }
  }
  return { ...split(hosts, []), told }
}

/** Which hosts have what; of a list of jobs and the like, which of them are not the same. */
const differenceOf = (hosts: readonly (readonly string[])[], values: readonly Tree[]): string => {
  const sides = hosts.map((some, at) => `${some.join(', ')}: ${briefly(values[at])}`)
  const lists = values.map((value) => new Map(listIn(value).map((item) => [nameOf(item), identityOf(item)])))
  if (!values.every(Array.isArray) || lists.some((list) => list.has(''))) return `is not the same: ${sides.join('; ')}`
  const names = new Set(lists.flatMap((list) => [...list.keys()]))
  const differing = [...names].filter((name) => new Set(lists.map((list) => list.get(name))).size > 1)
  return differing.length === 0
    ? `is in another order on ${hosts.slice(1).flat().join(', ')}`
    : `is not the same on ${hosts.flat().join(', ')}: ${differing.join(', ')}`
}

const nameOf = (item: Tree): string =>
  textIn(mapIn(item).job_name) ?? textIn(mapIn(item).name) ?? textIn(mapIn(item).url) ?? ''

/** Secrets never, and nothing long. */
const briefly = (value: Tree): string => {
  if (value === undefined) return 'nothing'
  if (isMapping(value) || Array.isArray(value)) return `${Object.keys(value).length} entries`
  return String(value).slice(0, 60)
}

export interface FileSets<F> {
  readonly common: readonly F[]
  readonly own: ReadonlyMap<string, readonly F[]>
}

/** Files that all hosts have alike, and each host's others. */
export const sharedFiles = <F extends { readonly name: string; readonly text: string }>(
  hosts: ReadonlyMap<string, readonly F[]>,
): FileSets<F> => {
  const key = ({ name, text }: F): string => JSON.stringify([name, text])
  const counted = Map.groupBy([...hosts.values()].flat(), key)
  const common = new Set([...counted].filter(([, same]) => same.length === hosts.size).map(([one]) => one))
  return {
    common: [...common].flatMap((one) => counted.get(one)?.[0] ?? []),
    own: new Map(
      [...hosts]
        .map(([host, files]): [string, readonly F[]] => [host, files.filter((one) => !common.has(key(one)))])
        .filter(([, files]) => files.length > 0),
    ),
  }
}
