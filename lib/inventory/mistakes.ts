import { InputError, type Mistake } from '../errors.ts'

/** Where something stands in a file; `line` and `column` count from 1. */
export interface Position {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** Gathers every mistake of a load, so that all are told at once. */
export interface Mistakes {
  /** Adds one, at a place in a file or about a path as a whole. The same mistake at the same place counts once. */
  add(where: Position | string, mistake: Omit<Mistake, 'where'>): void
  /** Throws one InputError with all of them, files in the order they were first blamed, then by line; nothing when there are none. */
  throwAny(): void
}

export const showPosition = ({ file, line, column }: Position): string => `${file}:${line}:${column}`

export const collectMistakes = (): Mistakes => {
  const found = new Map<string, { at: Position; mistake: Mistake }>()
  return {
    add(where, mistake) {
      const at = typeof where === 'string' ? { file: where, line: 0, column: 0 } : where
      const full = { where: typeof where === 'string' ? where : showPosition(where), ...mistake }
      const id = JSON.stringify([full.where, full.path, full.what])
      if (!found.has(id)) found.set(id, { at, mistake: full })
    },
    throwAny() {
      if (found.size === 0) return
      const files = [...new Set([...found.values()].map(({ at }) => at.file))]
      const sorted = [...found.values()].sort(
        ({ at: a }, { at: b }) =>
          files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column,
      )
      throw new InputError(sorted.map(({ mistake }) => mistake))
    },
  }
}
