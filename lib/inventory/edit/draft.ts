import { InputError } from '../../errors.ts'
import { type FileEdit, filesWith } from '../files.ts'
import { collectMistakes, showPosition } from '../mistakes.ts'
import { inventorySources } from '../read/read-path.ts'
import { readSecrets } from '../yaml/secrets.ts'
import { positionOf, type Source } from '../yaml/source.ts'

/** One piece of a file's text, and what comes in its place. */
export interface Splice {
  readonly from: number
  readonly to: number
  readonly text: string
}

/** Puts splices that don't overlap into a text. */
export const spliced = (text: string, splices: readonly Splice[]): string =>
  [...splices]
    .sort((a, b) => b.from - a.from || b.to - a.to)
    .reduce((left, { from, to, text: put }) => left.slice(0, from) + put + left.slice(to), text)

/** Edits with one file's text changed on top of them; a file that is then as it was is no edit. */
export const withText = (edits: readonly FileEdit[], { file, before, after }: FileEdit): readonly FileEdit[] => {
  const earlier = edits.find((edit) => edit.file === file)
  const first = earlier ? earlier.before : before
  const others = edits.filter((edit) => edit !== earlier)
  return first === after ? others : [...others, { file, before: first, after }]
}

/** The inventory files as they are after these edits. Throws InputError where they are broken. */
export const draftSources = (paths: readonly string[], edits: readonly FileEdit[]): readonly Source[] => {
  const mistakes = collectMistakes()
  const readers = { files: filesWith(edits), mistakes, secrets: readSecrets(process.env, mistakes), env: process.env }
  const sources = paths.flatMap((path) => inventorySources(path, readers).sources)
  for (const { file, format } of sources)
    if (format) mistakes.add(file, { what: 'only YAML inventories are written to', fix: 'make the change by hand' })
  mistakes.throwAny()
  return [...new Map(sources.map((source) => [source.file, source])).values()]
}

/** An InputError about a place in a file that can't be edited, with what to do by hand. */
export const cannotEdit = (
  source: Source,
  at: Parameters<typeof positionOf>[1],
  why: string,
  byHand: string,
): InputError => new InputError([{ where: showPosition(positionOf(source, at)), what: why, fix: `by hand: ${byHand}` }])

/** Throws InputError for files whose text is not the operator's to read, or not in YAML's own style. */
export const requireEditable = (source: Source, byHand: string): void => {
  if (source.format) throw cannotEdit(source, 0, 'only YAML inventories are written to', byHand)
  if (source.sealed) throw cannotEdit(source, 0, 'the whole file is a vault, which is not written to', byHand)
  if (source.file.endsWith('.json')) throw cannotEdit(source, 0, 'a JSON inventory is not written to', byHand)
}
