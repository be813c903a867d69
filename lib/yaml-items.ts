/** Adds to a list of a YAML text and leaves every other byte as it is. */
import { isAlias, isMap, isScalar, isSeq, type Node, type Pair, parseDocument, type YAMLMap, type YAMLSeq } from 'yaml'

/**
 * The text with an item at the beginning or the end of the list at this path; keys that are not there are written. Throws an Error where the text is
 * no YAML, the path leads through an alias, or something else than a mapping or a list stands there.
 */
export const withItem = (
  text: string,
  path: readonly string[],
  { item, at }: { readonly item: unknown; readonly at: 'first' | 'last' },
): string => {
  const document = parseDocument(text, { version: '1.1', logLevel: 'error' })
  const [broken] = document.errors
  if (broken) throw new Error(broken.message)
  let node: unknown = document.contents
  for (const [depth, key] of path.entries()) {
    const here = path.slice(0, depth).join('.') || 'the file'
    if (!isMap(node)) throw new Error(`${here} is ${isAlias(node) ? 'an alias' : 'no mapping'}`)
    const missing = path.slice(depth + 1).reduceRight<unknown>((inner, name) => ({ [name]: inner }), [item])
    const pair = (node as YAMLMap<Node, Node | null>).items.find(({ key: one }) => isScalar(one) && one.value === key)
    if (!pair) return withEntry(text, node as YAMLMap, { key, value: missing })
    if (pair.value === null || (isScalar(pair.value) && pair.value.value === null))
      return withValue(text, pair, missing)
    node = pair.value
  }
  if (!isSeq(node)) throw new Error(`${path.join('.')} is ${isAlias(node) ? 'an alias' : 'no list'}`)
  return withMember(text, node, { item, at })
}

const put = (text: string, at: number, more: string): string => text.slice(0, at) + more + text.slice(at)

const columnOf = (text: string, offset: number): string => ' '.repeat(offset - (text.lastIndexOf('\n', offset - 1) + 1))

const startOf = (node: unknown): number => (node as Node | null)?.range?.[0] ?? 0

/** In front of the first key: what is behind the last one is not always as clear. */
const withEntry = (text: string, map: YAMLMap, { key, value }: { key: string; value: unknown }): string => {
  const entry = `${key}: ${JSON.stringify(value)}`
  const first = map.items[0]
  if (map.flow) return put(text, startOf(map) + 1, first ? `${entry}, ` : entry)
  const from = startOf(first?.key)
  return put(text, from, `${entry}\n${columnOf(text, from)}`)
}

/** Behind a key with nothing, or a null, behind its colon. */
const withValue = (text: string, { key, value }: Pair<Node, Node | null>, wanted: unknown): string => {
  const colon = text.indexOf(':', key.range?.[1] ?? 0) + 1
  const [from, to] = value?.range && value.range[1] > value.range[0] ? value.range : [colon, colon]
  return `${text.slice(0, from)}${from === colon ? ' ' : ''}${JSON.stringify(wanted)}${text.slice(to)}`
}

const withMember = (text: string, list: YAMLSeq, { item, at }: { item: unknown; at: 'first' | 'last' }): string => {
  const json = JSON.stringify(item)
  if (list.flow) {
    if (at === 'first' || list.items.length === 0)
      return put(text, startOf(list) + 1, list.items.length > 0 ? `${json}, ` : json)
    const end = (list.items.at(-1) as Node).range?.[1] ?? 0
    return put(text, end, `, ${json}`)
  }
  const from = startOf(list)
  const indent = columnOf(text, from)
  if (at === 'first') return put(text, from, `- ${json}\n${indent}`)
  const end = endOfBlock(text, list.range?.[1] ?? text.length)
  return put(text, end, `\n${indent}- ${json}`)
}

/** A block's range may reach over the blank lines behind it. */
const endOfBlock = (text: string, end: number): number => text.slice(0, end).trimEnd().length
