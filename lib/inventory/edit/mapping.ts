/** Changes of a mapping's text that leave every byte around them as it is. */
import { isCollection, isMap, isScalar, type Node, type Pair, type YAMLMap } from 'yaml'
import type { Source } from '../yaml/source.ts'
import type { Splice } from './draft.ts'
import { shownValue } from './scalar-text.ts'

export type KeyValue = Pair<Node, Node | null>
/** A key to be written, and its value as data; undefined for a key with nothing behind its colon. */
export interface NewEntry {
  readonly key: string
  readonly value?: unknown
}

/** The pairs of a mapping as they are written, merge keys included. */
export const pairsOf = (map: YAMLMap): readonly KeyValue[] => map.items as KeyValue[]

/** True for nothing behind a colon, written or not. */
export const isEmpty = (node: Node | null): boolean => node === null || (isScalar(node) && node.value === null)

/** Adds an entry behind the last one, in the mapping's own style and indentation. */
export const insertEntry = (source: Source, map: YAMLMap, entry: NewEntry): Splice => {
  const last = pairsOf(map).at(-1)
  if (map.flow) return last ? behindInFlow(source, last, entry) : firstInFlow(source, map, entry)
  const first = pairsOf(map)[0]
  if (!first || !last) return { from: startOf(map), to: startOf(map), text: entryText(entry) }
  const indent = ' '.repeat(columnOf(source, startOf(first.key)))
  const at = lineEnd(source.text, endOfPair(source, last))
  const lines = blockStyle(map) ? blockLines(entry, indent) : [`${indent}${entryText(entry, emptyStyle(source, map))}`]
  return { from: at, to: at, text: lines.map((line) => newline(source) + line).join('') }
}

/** Takes an entry out, with its lines in a block mapping. undefined where it doesn't stand on lines of its own. */
export const removeEntry = (source: Source, map: YAMLMap, pair: KeyValue): Splice | undefined => {
  const pairs = pairsOf(map)
  const at = pairs.indexOf(pair)
  const [from, to] = [startOf(pair.key), endOfPair(source, pair)]
  if (map.flow) {
    const [before, after] = [pairs[at - 1], pairs[at + 1]]
    if (after) return { from, to: startOf(after.key), text: '' }
    return before ? { from: endOfPair(source, before), to, text: '' } : { from, to, text: '' }
  }
  const start = lineStart(source.text, from)
  if (source.text.slice(start, from).trim() !== '') return undefined
  const end = lineEnd(source.text, to)
  const next = source.text.startsWith('\r\n', end) ? end + 2 : Math.min(end + 1, source.text.length)
  return { from: start, to: next, text: '' }
}

/** Puts a value behind an entry's colon, in place of what stands there. A scalar keeps its quotes. */
export const replaceValue = (source: Source, { key, value: old }: KeyValue, value: unknown): Splice => {
  if (old && !isEmpty(old)) return { from: startOf(old), to: endOf(source, old), text: shownValue(value, old) }
  const at = afterColon(source, key)
  const written = old?.range && old.range[1] > old.range[0]
  return written
    ? { from: startOf(old), to: endOf(source, old), text: shownValue(value) }
    : { from: at, to: at, text: ` ${shownValue(value)}` }
}

/** An entry's own text, from its key to the end of its value. */
export const textOf = (source: Source, { from, to }: { readonly from: number; readonly to: number }): string =>
  source.text.slice(from, to)

/** Where an entry begins and ends, comments behind it left out. */
export const extentOf = (source: Source, pair: KeyValue): { readonly from: number; readonly to: number } => ({
  from: startOf(pair.key),
  to: endOfPair(source, pair),
})

export const newline = ({ text }: Source): string => (text.includes('\r\n') ? '\r\n' : '\n')

/** The column, from 0, at which a mapping's keys stand. */
export const columnOf = ({ text }: Source, offset: number): number => offset - lineStart(text, offset)

export const startOf = (node: Node): number => node.range?.[0] ?? 0

/** Right behind the colon of a key. */
export const afterColon = ({ text }: Source, key: Node): number => text.indexOf(':', key.range?.[1] ?? 0) + 1

const behindInFlow = (source: Source, last: KeyValue, entry: NewEntry): Splice => {
  const end = endOfPair(source, last)
  const [gap = ''] = /^[ \t]*(?=\})/.exec(source.text.slice(end)) ?? []
  const [comma] = /^\s*,/.exec(source.text.slice(end)) ?? []
  if (comma !== undefined) return { from: end + comma.length, to: end + comma.length, text: ` ${entryText(entry)}` }
  const at = isEmpty(last.value) ? end + gap.length : end
  return { from: at, to: at, text: `, ${entryText(entry)}${entry.value === undefined ? ' ' : ''}` }
}

const firstInFlow = (source: Source, map: YAMLMap, entry: NewEntry): Splice => {
  const [from, to] = [startOf(map) + 1, endOf(source, map) - 1]
  return { from, to, text: ` ${entryText(entry)} ` }
}

const entryText = ({ key, value }: NewEntry, empty = ''): string =>
  value === undefined ? `${shownValue(key)}:${empty}` : `${shownValue(key)}: ${shownValue(value)}`

/** Where siblings write their mappings over several lines, so does a new entry. */
const blockStyle = (map: YAMLMap): boolean => {
  const mappings = pairsOf(map).filter(({ value }) => isMap(value) && value.items.length > 0)
  const last = mappings.at(-1)?.value
  return isMap(last) && !last.flow
}

const blockLines = ({ key, value }: NewEntry, indent: string): readonly string[] =>
  isPlainMapping(value)
    ? [
        `${indent}${shownValue(key)}:`,
        ...Object.entries(value).map(([name, one]) => `${indent}  ${shownValue(name)}: ${shownValue(one)}`),
      ]
    : [`${indent}${entryText({ key, value })}`]

const isPlainMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const emptyStyle = (source: Source, map: YAMLMap): string => {
  const last = pairsOf(map).at(-1)?.value
  return isMap(last) && last.items.length === 0 ? ` ${source.text.slice(startOf(last), endOf(source, last))}` : ''
}

const endOfPair = (source: Source, { key, value }: KeyValue): number => {
  const colon = afterColon(source, key)
  if (!value?.range) return colon
  if (isEmpty(value) && value.range[1] === value.range[0])
    return value.anchor || value.tag ? Math.max(value.range[0], colon) : colon
  return endOf(source, value)
}

/** Where a node's last token ends; whitespace and comments behind it are not its own. */
const endOf = (source: Source, node: Node): number => {
  if (isCollection(node) && !node.flow) {
    const last = node.items.at(-1)
    if (isMap(node) && last) return endOfPair(source, last as KeyValue)
    if (last) return endOf(source, last as Node)
  }
  const end = node.range?.[1] ?? 0
  const isBlock = isScalar(node) && (node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED')
  return isBlock ? startOf(node) + source.text.slice(startOf(node), end).trimEnd().length : end
}

const lineStart = (text: string, offset: number): number => text.lastIndexOf('\n', offset - 1) + 1

const lineEnd = (text: string, offset: number): number => {
  const at = text.indexOf('\n', offset)
  if (at < 0) return text.length
  return text[at - 1] === '\r' ? at - 1 : at
}
