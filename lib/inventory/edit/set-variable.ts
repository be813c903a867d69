import { isAlias, isMap, isScalar, type Node } from 'yaml'
import { InputError } from '../../errors.ts'
import type { Inventory } from '../../model.ts'
import type { FileEdit } from '../files.ts'
import { filesWith } from '../files.ts'
import { collectMistakes, showPosition } from '../mistakes.ts'
import { pathsOf, variableOf } from '../provenance.ts'
import { layerAt } from '../schema/explain.ts'
import { keyName, parseSource, positionOf, type Source } from '../yaml/source.ts'
import { isJinja } from '../yaml/templating.ts'
import type { Variable } from '../yaml/variable.ts'
import { cannotEdit, draftSources, requireEditable, spliced, withText } from './draft.ts'
import { insertEntry, isEmpty, type KeyValue, pairsOf, replaceValue } from './mapping.ts'
import { placesIn } from './places.ts'
import { splitRange } from './remove-host.ts'

export interface Setting {
  /** The hosts that are to have it; every other host must be left as it is. */
  readonly hosts: readonly string[]
  /** The way to it: the variable's name, then keys inside it, as `['web', 'listen']`. */
  readonly path: readonly string[]
  readonly value: string | number | boolean
}
/** One value that is written anew. */
export interface SetPlace {
  /** `file:line:column` of the value. */
  readonly where: string
  /** What stands there now; undefined where the setting is new. */
  readonly from: unknown
  readonly hosts: readonly string[]
}
export interface SetVariable {
  readonly edits: readonly FileEdit[]
  /** More than one where the hosts get their values from several places. */
  readonly places: readonly SetPlace[]
}

/**
 * The edits that change a variable for hosts, where its value is written now. The inventory must be the one on disk. Throws
 * InputError, with every place that stands in the way, where a value is a template, a secret or brought by an alias, where it
 * also holds for hosts that were not named, or where a host doesn't have the variable.
 */
export const setVariable = (
  inventory: Inventory,
  { hosts, path, value }: Setting,
  edits: readonly FileEdit[] = [],
): SetVariable => {
  const [name = '', ...keys] = path
  const layerOf = (host: string): Variable | undefined => {
    const variable = variableOf(inventory, host, name)
    return variable && layerAt(variable, keys)
  }
  const byPlace = Map.groupBy(hosts, (host) => placeOf(layerOf(host)) ?? '')
  const without = byPlace.get('')
  if (without) throw unset(without, path)
  const found = [...byPlace.values()].map((some) => {
    const variable = layerOf(some[0] ?? '') as Variable
    const sharing = inventory.hosts
      .map((host) => host.name)
      .filter((host) => placeOf(layerOf(host)) === placeOf(variable) && !hosts.includes(host))
    return { some, variable, sharing }
  })
  const shared = found.filter(({ sharing }) => sharing.length > 0)
  if (shared.length > 0) throw heldByOthers(shared, path)
  return found.reduce<SetVariable>(
    (sofar, { some, variable }) => {
      const { edits: more, where, from } = change(sofar.edits, variable, { keys, value, path })
      return { edits: more, places: [...sofar.places, { where, from, hosts: some }] }
    },
    { edits, places: [] },
  )
}

/** The edits that give one host a variable of its own in the inventory files, where the host is first named. */
export const setHostVariable = (
  inventory: Inventory,
  { host, name, value }: { readonly host: string; readonly name: string; readonly value: string },
  edits: readonly FileEdit[] = [],
): readonly FileEdit[] => {
  const own = variableOf(inventory, host, name)
  if (own && inventory.hosts.every((one) => one.name === host || variableOf(inventory, one.name, name) !== own))
    return change(edits, own, { keys: [], value, path: [name] }).edits
  const places = placesIn(draftSources(pathsOf(inventory), edits)).hosts.filter(({ names }) => names.includes(host))
  const place = places.find(({ pair }) => !isEmpty(pair.value)) ?? places[0]
  if (!place) throw new InputError([{ where: 'inventory', what: `no host is called ${host}` }])
  if (place.names.length > 1) return setHostVariable(inventory, { host, name, value }, splitRange(place, host, edits))
  const { source, pair, map, repeated } = place
  const byHand = `write ${name}: ${value} for ${host}`
  requireEditable(source, byHand)
  if (repeated || !map || (!isEmpty(pair.value) && !isMap(pair.value)))
    throw cannotEdit(source, pair.key, `the variables of ${host} are not written here`, byHand)
  const old = isMap(pair.value) ? pairsOf(pair.value).find(({ key }) => keyName(source, key) === name) : undefined
  const splice = old
    ? replaceValue(source, old, value)
    : isMap(pair.value)
      ? insertEntry(source, pair.value, { key: name, value })
      : replaceValue(source, pair, { [name]: value })
  return withText(edits, { file: source.file, before: source.text, after: spliced(source.text, [splice]) })
}

const placeOf = (variable: Variable | undefined): string | undefined =>
  variable && showPosition(positionOf(variable.source, variable.key))

interface Wish {
  readonly keys: readonly string[]
  readonly value: unknown
  readonly path: readonly string[]
}

/** Files may have been edited since the inventory was read: the variable is looked for again by its way from the file's root. */
const change = (edits: readonly FileEdit[], variable: Variable, wish: Wish) => {
  const { file } = variable.source
  const byHand = `set ${wish.path.join('.')} to ${JSON.stringify(wish.value)}`
  requireEditable(variable.source, byHand)
  const way = wayTo(variable.source, variable.key)
  if (!way) throw cannotEdit(variable.source, variable.key, 'the value comes by an alias or a merge', byHand)
  const source = parseSource({ file, text: filesWith(edits).text(file) }, collectMistakes())
  if (!source) throw new InputError([{ where: file, what: 'is broken by earlier edits' }])
  const pair = follow(source, way)
  if (!pair) throw cannotEdit(source, 0, `${wish.path.join('.')} is no longer where it was`, byHand)
  const { holder, left } = deepest(source, pair, wish.keys)
  const before = left.length === 0 ? plainValue(source, holder, byHand) : undefined
  const splice =
    left.length === 0 ? replaceValue(source, holder, wish.value) : added(source, holder, { ...wish, left, byHand })
  return {
    edits: withText(edits, { file, before: source.text, after: spliced(source.text, [splice]) }),
    where: showPosition(positionOf(source, (left.length === 0 ? holder.value : undefined) ?? holder.key)),
    from: before,
  }
}

const added = (
  source: Source,
  holder: KeyValue,
  { left, value, byHand }: Wish & { readonly left: readonly string[]; readonly byHand: string },
) => {
  const [key = '', ...rest] = left
  const inner = rest.reduceRight<unknown>((one, name) => ({ [name]: one }), value)
  if (isMap(holder.value)) return insertEntry(source, holder.value, { key, value: inner })
  if (isEmpty(holder.value)) return replaceValue(source, holder, { [key]: inner })
  throw cannotEdit(source, holder.value ?? holder.key, `\`${keyName(source, holder.key)}\` is no mapping`, byHand)
}

/** The pair as deep as the keys lead, and the keys that are left. */
const deepest = (
  source: Source,
  pair: KeyValue,
  keys: readonly string[],
): { readonly holder: KeyValue; readonly left: readonly string[] } => {
  const [key, ...rest] = keys
  const next = isMap(pair.value) && pairsOf(pair.value).find((one) => keyName(source, one.key) === key)
  return next ? deepest(source, next, rest) : { holder: pair, left: keys }
}

/** What stands there, if it is plain. Throws InputError for what must not be written over. */
const plainValue = (source: Source, { key, value }: KeyValue, byHand: string): unknown => {
  const at = value ?? key
  if (isEmpty(value)) return null
  if (isAlias(value) || value?.anchor)
    throw cannotEdit(source, at, 'the value is repeated elsewhere, by an anchor', byHand)
  if (!isScalar(value)) throw cannotEdit(source, at, 'a mapping or a list stands here', byHand)
  if (value.tag) throw cannotEdit(source, at, `the value is tagged ${value.tag}`, byHand)
  if (typeof value.value === 'string' && isJinja(value.value))
    throw cannotEdit(source, at, 'the value is a template', byHand)
  if (value.type?.startsWith('BLOCK')) throw cannotEdit(source, at, 'the value is text over several lines', byHand)
  return value.value
}

/** The keys from the root down to a key node as it is written; undefined for one that an alias or merge brings. */
const wayTo = (source: Source, key: Node): readonly string[] | undefined => {
  const search = (node: Node | null): readonly string[] | undefined => {
    if (!isMap(node)) return undefined
    for (const pair of pairsOf(node)) {
      const name = keyName(source, pair.key)
      if (pair.key === key) return [name]
      const rest = search(pair.value)
      if (rest && !pair.value?.anchor) return [name, ...rest]
    }
    return undefined
  }
  return search(source.root)
}

const follow = (
  source: Source,
  [name, ...rest]: readonly string[],
  node: Node | null = source.root,
): KeyValue | undefined => {
  const pair = isMap(node) ? pairsOf(node).find(({ key }) => keyName(source, key) === name) : undefined
  return pair && rest.length > 0 ? follow(source, rest, pair.value) : pair
}

const unset = (hosts: readonly string[], path: readonly string[]): InputError =>
  new InputError([
    {
      where: 'inventory',
      path: path.join('.'),
      what: `${hosts.join(', ')} ${hosts.length === 1 ? 'has' : 'have'} no variable \`${path[0]}\``,
      fix: `set it in group_vars first`,
    },
  ])

const heldByOthers = (
  places: readonly { readonly variable: Variable; readonly sharing: readonly string[] }[],
  path: readonly string[],
): InputError =>
  new InputError(
    places.map(({ variable, sharing }) => ({
      where: placeOf(variable) ?? '',
      path: path.join('.'),
      what: `the value also holds for ${sharing.join(', ')}`,
      fix: 'choose these hosts as well, or give the hosts a value of their own',
    })),
  )
