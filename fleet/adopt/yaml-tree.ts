/** YAML of others, kept as it is written: a scalar's own text goes from their file to the inventory's, so that what goes in comes out. */
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, Scalar, stringify } from 'yaml'
import type { SecretReference } from '../../lib/inventory/yaml/secrets.ts'
import { isJinja } from '../../lib/inventory/yaml/templating.ts'
import { Secret } from '../../lib/secret.ts'

/** A plain scalar that could be read as something else than text: `yes`, `01`, `1m`, `~`. */
export class Plain {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
  toString(): string {
    return this.text
  }
  toJSON(): string {
    return this.text
  }
}
/** Mappings, lists, texts, `Plain`, Secret, and numbers and booleans of our own. */
export type Tree = unknown
export type TreeMap = Readonly<Record<string, Tree>>
export interface Written {
  readonly tree: Tree
  /** Where something is written, as `file:line`; of the next thing around it that is. */
  at(path: readonly (string | number)[]): string
}

/** Reads a file. Throws an Error in words where it is no YAML, or grows beyond measure by its aliases. */
export const readYaml = (path: string, text: string): Written => {
  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    version: '1.1',
    schema: 'yaml-1.1',
    merge: true,
    stringKeys: false,
  })
  const [mistake] = document.errors
  if (mistake) throw new Error(mistake.message.split('\n')[0])
  let nodes = 0
  const read = (node: Node | null): Tree => {
    nodes += 1
    if (nodes > MOST_NODES) throw new Error('it grows beyond measure by its aliases')
    if (isAlias(node)) return read((node.resolve(document) ?? null) as Node | null)
    if (isSeq(node)) return node.items.map((item) => read(item as Node | null))
    if (isMap(node)) {
      const own: Record<string, Tree> = {}
      for (const { key, value } of node.items) {
        const name = isScalar(key) ? (key.source ?? String(key.value)) : String(key)
        const is = read(value as Node | null)
        if (name !== '<<')
          Object.defineProperty(own, name, { value: is, enumerable: true, writable: true, configurable: true })
        else for (const one of [is].flat()) Object.assign(own, { ...(one as object), ...own })
      }
      return own
    }
    if (!isScalar(node)) return null
    if (typeof node.value === 'string' && (node.type !== 'PLAIN' || isText(node.value))) return node.value
    if (node.type === 'PLAIN') return new Plain(node.source ?? String(node.value))
    return node.value === null ? null : String(node.value)
  }
  const tree = read(document.contents)
  return {
    tree,
    at(wanted) {
      for (let length = wanted.length; length >= 0; length -= 1) {
        const above = length === 0 ? undefined : document.getIn(wanted.slice(0, length - 1), true)
        const key = isMap(above)
          ? above.items.find((item) => isScalar(item.key) && String(item.key) === wanted[length - 1])?.key
          : undefined
        const node = (isScalar(key) ? key : document.getIn(wanted.slice(0, length), true)) as
          | { readonly range?: readonly number[] | null }
          | undefined
        const offset = node?.range?.[0]
        if (offset !== undefined) return `${path}:${lines.linePos(offset).line}`
      }
      return path
    },
  }
}
const MOST_NODES = 500_000

/** Text for every reader of YAML, 1.1 and 1.2 alike. */
const isText = (text: string): boolean =>
  /^[A-Za-z/_]/.test(text) && !/^(?:y|n|yes|no|true|false|on|off|null|nan|inf)$/i.test(text)

export const isMapping = (value: Tree): value is TreeMap =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Secret) &&
  !(value instanceof Plain)
export const listIn = (value: Tree): readonly Tree[] => (Array.isArray(value) ? value : [])
export const mapIn = (value: Tree): TreeMap => (isMapping(value) ? value : {})
/** A scalar's text; undefined for anything else, and where there is nothing. */
export const textIn = (value: Tree): string | undefined => {
  if (value instanceof Plain) return /^(~|null|Null|NULL|)$/.test(value.text) ? undefined : value.text
  return typeof value === 'string' ? value : undefined
}

/** Text that two trees share only if they are the same, secrets included: it is for comparing, and never shown. */
export const identityOf = (value: Tree): string => JSON.stringify(revealed(value)) ?? ''

const revealed = (value: Tree): unknown => {
  if (value instanceof Secret) return { secret: value.reveal() }
  if (value instanceof Plain) return { plain: value.text }
  if (Array.isArray(value)) return value.map(revealed)
  return isMapping(value) ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, revealed(one)])) : value
}

/** The tree as data, each `Plain` as its text. */
export const plainData = (value: Tree): unknown => {
  if (value instanceof Plain) return value.text
  if (Array.isArray(value)) return value.map(plainData)
  return isMapping(value) ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plainData(one)])) : value
}

/** What stands in a secret's place in a file of the inventory, by the keys that lead there. */
export type Reference = (secret: Secret, path: readonly string[]) => SecretReference

/** A file of the inventory. */
export const writeYaml = (tree: Tree, reference: Reference): string => {
  const plains: string[] = []
  const marked = (value: Tree, path: readonly string[]): unknown => {
    if (value instanceof Plain) return `${MARK}${plains.push(value.text) - 1}${END}`
    if (value instanceof Secret) return reference(value, path)
    if (typeof value === 'string' && isJinja(value))
      return Object.assign(new Scalar(value), { tag: '!unsafe', type: Scalar.QUOTE_DOUBLE })
    if (Array.isArray(value)) return value.map((one, at) => marked(one, [...path, String(at)]))
    if (!isMapping(value)) return value
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, marked(one, [...path, key])]))
  }
  return stringify(marked(tree, []), {
    compat: 'yaml-1.1',
    aliasDuplicateObjects: false,
    lineWidth: 0,
    nullStr: '',
  }).replaceAll(new RegExp(`"?${MARK}(\\d+)${END}"?`, 'gu'), (_, at: string) => plains[Number(at)] ?? '')
}
const [MARK, END] = ['\u{10fd11}', '\u{10fd12}']
