import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  Schema,
  visit,
  type YAMLError,
  type YAMLMap,
} from 'yaml'
import type { Mistakes, Position } from '../mistakes.ts'
import { pyYamlScalars } from './yaml-1.1.ts'

/** One YAML file, read. */
export interface Source {
  readonly file: string
  readonly text: string
  /** null for a file without content. */
  readonly root: Node | null
  /** The whole file was an Ansible vault: no text of it may be shown. */
  readonly sealed: boolean
  readonly lines: LineCounter
  readonly aliases: ReadonlyMap<Alias, Node>
  /** Where it is no YAML inventory: an INI file, or the answer of a script or of `ansible-inventory --list`. */
  readonly format?: 'ini' | 'script' | 'list'
}
export interface Entry {
  readonly name: string
  readonly key: Node
  /** null where nothing stands after the colon. */
  readonly value: Node | null
}

/** Parses a file's text. Every mistake in its YAML goes to `mistakes`; undefined when there was one. */
export const parseSource = (
  { file, text, sealed = false }: { file: string; text: string; sealed?: boolean },
  mistakes: Mistakes,
): Source | undefined => {
  const lines = new LineCounter()
  const document = parseDocument(text, {
    version: '1.1',
    schema: SCHEMA,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'error',
    lineCounter: lines,
  })
  const source = { file, text, root: document.contents, sealed, lines, aliases: new Map<Alias, Node>() }
  const [error] = document.errors
  if (error) {
    const { at, ...mistake } = explainSyntax(error, document, text)
    mistakes.add(positionOf(source, at), mistake)
    return undefined
  }
  return walk(source, mistakes) ? source : undefined
}

/** Made once: making it costs more than reading a small file. */
const SCHEMA = new Schema({ schema: 'failsafe', customTags: pyYamlScalars, merge: false })

export const positionOf = (source: Source, at: Node | number): Position => {
  const { line, col } = source.lines.linePos(typeof at === 'number' ? at : (at.range?.[0] ?? 0))
  return { file: source.file, line: line || 1, column: col || 1 }
}

/** The node an alias stands for; other nodes as they are. */
export const follow = (source: Source, node: Node | null): Node | null =>
  isAlias(node) ? (source.aliases.get(node) ?? null) : node

/**
 * A mapping's entries by name, `<<` merged in: what stands in the mapping itself wins, then the first of a list (YAML 1.1, yaml.org/type/merge.html).
 * Of several `<<` in one mapping, on which YAML is silent, the last wins, as with every PyYAML.
 */
export const entriesOf = (source: Source, map: YAMLMap): readonly Entry[] => {
  const entries = new Map<string, Entry>()
  const merged: YAMLMap[] = []
  for (const pair of pairsOf(map)) {
    if (isMergeKey(pair.key)) merged.unshift(...mapsOf(source, pair.value))
    else {
      const name = keyName(source, pair.key)
      entries.set(name, { name, key: pair.key, value: follow(source, pair.value) })
    }
  }
  for (const other of merged)
    for (const entry of entriesOf(source, other)) if (!entries.has(entry.name)) entries.set(entry.name, entry)
  return [...entries.values()]
}

/** The text of a mapping's key. */
export const keyName = (source: Source, key: Node): string => {
  const node = follow(source, key)
  return isScalar(node) ? String(node.value) : String(node)
}

const pairsOf = (map: YAMLMap): readonly Pair<Node, Node | null>[] => map.items as Pair<Node, Node | null>[]

const isMergeKey = (key: Node): boolean => isScalar(key) && key.type === 'PLAIN' && key.value === '<<'

const mapsOf = (source: Source, node: Node | null): readonly YAMLMap[] => {
  const target = follow(source, node)
  if (isMap(target)) return [target]
  return isSeq(target) ? target.items.flatMap((item) => mapsOf(source, item as Node)) : []
}

/** Finds what each alias stands for, and what YAML allows but nobody means: a key twice, an anchor that holds itself. */
const walk = (source: Source & { aliases: Map<Alias, Node> }, mistakes: Mistakes): boolean => {
  const anchors = new Map<string, Node>()
  const open = new Set<Node>()
  let sound = true
  const blame = (node: Node, what: string, fix?: string) => {
    sound = false
    mistakes.add(positionOf(source, node), { what, fix })
  }
  const enter = (node: Node | null): void => {
    if (isAlias(node)) {
      const target = anchors.get(node.source)
      if (!target) blame(node, `no anchor \`&${node.source}\` stands before this`)
      else if (open.has(target)) blame(node, `\`*${node.source}\` stands inside what it repeats`)
      else source.aliases.set(node, target)
      return
    }
    if (!node) return
    if (node.anchor) anchors.set(node.anchor, node)
    open.add(node)
    if (isSeq(node)) for (const item of node.items) enter(item as Node)
    if (isMap(node)) enterMap(node)
    open.delete(node)
  }
  const enterMap = (map: YAMLMap): void => {
    const seen = new Map<string, Node>()
    for (const { key, value } of pairsOf(map)) {
      enter(key)
      enter(value)
      if (isMergeKey(key)) continue
      const name = keyName(source, key)
      const first = seen.get(name)
      if (first)
        blame(key, `\`${name}\` is set twice; first on line ${positionOf(source, first).line}`, 'keep one of the two')
      else seen.set(name, key)
    }
  }
  enter(source.root)
  return sound
}

/** Says a syntax error in words for the operator, and where to look: the parser often notices only behind the place. */
const explainSyntax = (
  error: YAMLError,
  document: Document,
  text: string,
): { at: number; what: string; fix?: string } => {
  const at = error.pos[0] + (/^\s*/.exec(text.slice(error.pos[0]))?.[0].length ?? 0)
  const start = text.lastIndexOf('\n', error.pos[0] - 1) + 1
  const indent = /^[ \t]*/.exec(text.slice(start))?.[0] ?? ''
  if (indent.includes('\t'))
    return { at: start, what: 'a tab in the indentation; YAML allows spaces only', fix: 'replace the tab with spaces' }
  if (error.code === 'MULTIPLE_DOCS')
    return { at, what: 'a second YAML document starts here', fix: 'keep one per file' }
  if (error.code === 'BAD_INDENT' && /same column/.test(error.message))
    return { at, what: 'indented otherwise than its neighbours', fix: 'let all of them start in the same column' }
  if (error.code === 'MISSING_CHAR' && /closing .quote/.test(error.message))
    return { at: openQuote(document, error.pos[0]) ?? at, what: 'a quote that is not closed' }
  const flow = /^Flow (sequence|map)/.exec(error.message)?.[1]
  if (flow) return { at, what: `a \`${flow === 'map' ? '{' : '['}\` that is not closed` }
  if (error.code === 'BLOCK_AS_IMPLICIT_KEY')
    return { at, what: 'a second `: ` in one line', fix: 'put quotes around text that has `: ` in it' }
  const message = error.message.replace(/\.?\s*$/, '')
  return { at, what: `not valid YAML: ${message.charAt(0).toLowerCase()}${message.slice(1)}` }
}

const openQuote = (document: Document, end: number): number | undefined => {
  let start: number | undefined
  visit(document, {
    Scalar(_, { type, range }) {
      if (type?.startsWith('QUOTE') && range && range[0] < end && range[2] >= end) start = range[0]
    },
  })
  return start
}
