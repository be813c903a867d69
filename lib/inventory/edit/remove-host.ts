import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isMap, isScalar, type YAMLMap } from 'yaml'
import { InputError } from '../../errors.ts'
import { type FileEdit, filesWith, isFolder, YAML_EXTENSIONS } from '../files.ts'
import { folderOf } from '../read/inventory-files.ts'
import { cannotEdit, draftSources, requireEditable, type Splice, spliced, withText } from './draft.ts'
import {
  columnOf,
  extentOf,
  isEmpty,
  type KeyValue,
  newline,
  removeEntry,
  replaceValue,
  startOf,
  textOf,
} from './mapping.ts'
import { type HostPlace, placesIn } from './places.ts'
import { compactNames } from './range.ts'
import { shownValue } from './scalar-text.ts'

export interface Removal {
  readonly name: string
  /** Only out of these groups; default: out of all, and its file in host_vars goes too. */
  readonly groups?: readonly string[]
}

/**
 * The edits that take a host out of an inventory. One of a range is taken out of the range; what was written behind the host goes
 * with it, or moves to where the host still stands. Throws InputError where that can't be done, with what to do by hand.
 */
export const removeHost = (
  paths: readonly string[],
  { name, groups }: Removal,
  edits: readonly FileEdit[] = [],
): readonly FileEdit[] => {
  const isMine = ({ names, group }: HostPlace) => names.includes(name) && (!groups || groups.includes(group))
  const next = (sofar: readonly FileEdit[]): readonly FileEdit[] => {
    const places = placesIn(draftSources(paths, sofar)).hosts
    const place = places.find(isMine)
    if (!place) return sofar
    const staying = groups ? places.filter((one) => one.names.includes(name) && !isMine(one)) : []
    const moved =
      staying.length > 0 && !isEmpty(place.pair.value) ? moveVariables(place, staying, { name, edits: sofar }) : sofar
    return next(moved === sofar ? takeOut(place, name, sofar) : moved)
  }
  const without = next(edits)
  return groups ? without : withoutVariables(paths, name, without)
}

/** The edits that give a host another name, in the same places with the same variables. */
export const renameHost = (
  paths: readonly string[],
  { name, to }: { readonly name: string; readonly to: string },
  edits: readonly FileEdit[] = [],
): readonly FileEdit[] => {
  const next = (sofar: readonly FileEdit[]): readonly FileEdit[] => {
    const place = placesIn(draftSources(paths, sofar)).hosts.find(({ names }) => names.includes(name))
    if (!place) return sofar
    if (place.names.length > 1) return next(splitRange(place, name, sofar))
    requireOwn(place, name)
    const { source, pair } = place
    const at = place.map ? pair.key : (pair.value ?? pair.key)
    const splice = { from: startOf(at), to: at.range?.[1] ?? startOf(at), text: shownValue(withPort(to, place)) }
    return next(withText(sofar, { file: source.file, before: source.text, after: spliced(source.text, [splice]) }))
  }
  return moveVarFile(paths, { name, to }, next(edits))
}

/** The edits after which a host of a range stands on its own, with what stands behind the range. */
export const splitRange = (place: HostPlace, name: string, edits: readonly FileEdit[]): readonly FileEdit[] => {
  const at = place.names.indexOf(name)
  return putNames(place, [place.names.slice(0, at), [name], place.names.slice(at + 1)], edits)
}

const takeOut = (place: HostPlace, name: string, edits: readonly FileEdit[]): readonly FileEdit[] => {
  requireOwn(place, name)
  const { source, pair, map, names } = place
  if (names.length > 1) {
    const at = names.indexOf(name)
    return putNames(place, [names.slice(0, at), names.slice(at + 1)], edits)
  }
  const splice: Splice | undefined = map
    ? removeEntry(source, map, pair)
    : { from: startOf(pair.value ?? pair.key), to: pair.value?.range?.[1] ?? 0, text: '' }
  if (!splice) throw cannotEdit(source, pair.key, `\`${name}\` doesn't stand on a line of its own`, `take ${name} out`)
  return withText(edits, { file: source.file, before: source.text, after: spliced(source.text, [splice]) })
}

/** Writes an entry of a range anew, once for each part of its names. */
const putNames = (
  place: HostPlace,
  parts: readonly (readonly string[])[],
  edits: readonly FileEdit[],
): readonly FileEdit[] => {
  const { source, pair, map } = place
  const extent = extentOf(source, pair)
  const behind = textOf(source, { from: pair.key.range?.[1] ?? extent.to, to: extent.to })
  const keys = parts.filter(({ length }) => length > 0).flatMap(compactNames)
  if (!map || map.flow || behind.includes('\n') || /[&*]\w/.test(behind)) {
    const byHand = `write ${keys.join(', ')} in place of this range, each with what stands behind it`
    throw cannotEdit(source, pair.key, 'the range can only be split by hand', byHand)
  }
  const indent = ' '.repeat(columnOf(source, extent.from))
  const lines = keys.map((key) => `${quoted(withPort(key, place), pair)}${behind}`)
  const splice = { ...extent, text: lines.join(`${newline(source)}${indent}`) }
  return withText(edits, { file: source.file, before: source.text, after: spliced(source.text, [splice]) })
}

const quoted = (key: string, { key: old }: KeyValue): string => {
  if (!isScalar(old) || old.type === 'PLAIN') return key.includes('[') ? key : shownValue(key)
  return shownValue(key, old)
}

const withPort = (name: string, { port }: HostPlace): string => (port === undefined ? name : `${name}:${port}`)

const requireOwn = ({ source, pair, repeated }: HostPlace, name: string): void => {
  requireEditable(source, `take ${name} out of it`)
  if (repeated)
    throw cannotEdit(source, pair.key, `\`${name}\` comes here by an alias or a merge`, 'write its group out first')
}

/** What stands behind a host that goes from one group, put behind it in another. */
const moveVariables = (
  place: HostPlace,
  staying: readonly HostPlace[],
  { name, edits }: { readonly name: string; readonly edits: readonly FileEdit[] },
): readonly FileEdit[] => {
  if (place.names.length > 1) return splitRange(place, name, edits)
  const target = staying.find(
    ({ map, pair, names, repeated }) => map && !repeated && names.length === 1 && isEmpty(pair.value),
  )
  const { source, pair } = place
  const data = isMap(pair.value) ? plainData(pair.value) : undefined
  if (!target || !data) {
    const why = `\`${name}\` stays in ${staying.map(({ group }) => group).join(', ')}, and its variables stand here`
    throw cannotEdit(source, pair.key, why, 'move them to one of those groups, or to host_vars')
  }
  const put = replaceValue(target.source, target.pair, data)
  if (target.source.file !== source.file) {
    const moved = withText(edits, {
      file: target.source.file,
      before: target.source.text,
      after: spliced(target.source.text, [put]),
    })
    return takeOut(place, name, moved)
  }
  const gone = removeEntry(source, place.map as YAMLMap, pair)
  if (!gone) throw cannotEdit(source, pair.key, `\`${name}\` doesn't stand on a line of its own`, `take ${name} out`)
  return withText(edits, { file: source.file, before: source.text, after: spliced(source.text, [put, gone]) })
}

/** A mapping of plain scalars as data; undefined for anything that text alone doesn't say, such as a tag or an anchor. */
const plainData = (map: YAMLMap): Readonly<Record<string, unknown>> | undefined => {
  const entries = map.items.map(({ key, value }) =>
    isScalar(key) && isScalar(value) && !value.tag && !value.anchor
      ? ([String(key.value), value.value] as const)
      : undefined,
  )
  return entries.every((entry) => entry !== undefined) ? Object.fromEntries(entries) : undefined
}

const withoutVariables = (paths: readonly string[], name: string, edits: readonly FileEdit[]): readonly FileEdit[] =>
  varFilesOf(paths, name).reduce((sofar, file) => {
    if (
      filesWith(sofar)
        .names(join(file, '..'))
        .every((one) => join(file, '..', one) !== file)
    )
      return sofar
    return withText(sofar, { file, before: filesWith(sofar).text(file), after: null })
  }, edits)

const moveVarFile = (
  paths: readonly string[],
  { name, to }: { readonly name: string; readonly to: string },
  edits: readonly FileEdit[],
): readonly FileEdit[] =>
  varFilesOf(paths, name).reduce((sofar, file) => {
    const text = filesWith(sofar).text(file)
    const target = join(file, '..', to + file.slice(join(file, '..', name).length))
    if (existsSync(target)) throw taken(target, name)
    return withText(withText(sofar, { file, before: text, after: null }), { file: target, before: null, after: text })
  }, edits)

const varFilesOf = (paths: readonly string[], name: string): readonly string[] => {
  const places = [...new Set(paths.map(folderOf))].flatMap((folder) =>
    YAML_EXTENSIONS.map((extension) => join(folder, 'host_vars', name + extension)),
  )
  const folder = places.find((place) => isFolder(place))
  if (folder !== undefined)
    throw new InputError([
      {
        where: folder,
        what: `the variables of ${name} are a folder, which is not written to`,
        fix: 'move or remove it by hand first',
      },
    ])
  return places.filter((place) => isFolder(place) === false)
}

const taken = (target: string, name: string): InputError =>
  new InputError([
    { where: target, what: `is there already; the variables of ${name} would go there`, fix: 'remove it first' },
  ])
