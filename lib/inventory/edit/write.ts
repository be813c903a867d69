import { readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createTwoFilesPatch } from 'diff'
import { InputError } from '../../errors.ts'
import type { FileEdit } from '../files.ts'

const MARK = '\uFEFF'

/** The edits as unified diffs, one file after the other. */
export const editDiff = (edits: readonly FileEdit[]): string =>
  edits
    .map(({ file, before, after }) =>
      createTwoFilesPatch(
        before === null ? '/dev/null' : file,
        after === null ? '/dev/null' : file,
        before ?? '',
        after ?? '',
      )
        .split('\n')
        .filter((line) => !line.startsWith('===='))
        .join('\n'),
    )
    .join('\n')
    .trimEnd()

/**
 * Writes edits, each file whole or not at all, with the mode and byte order mark it had. Throws InputError, before anything is
 * written, where a file has changed since it was read.
 */
export const writeEdits = (edits: readonly FileEdit[]): void => {
  const now = edits.map(({ file }) => contentOf(file))
  const changed = edits.filter(({ before }, index) => now[index]?.replace(/^\uFEFF/, '') !== (before ?? undefined))
  if (changed.length > 0)
    throw new InputError(
      changed.map(({ file }) => ({ where: file, what: 'has changed since it was read', fix: 'run the command again' })),
    )
  for (const [index, { file, after }] of edits.entries()) {
    if (after === null) rmSync(file)
    else put(file, (now[index]?.startsWith(MARK) ? MARK : '') + after)
  }
}

const put = (file: string, text: string): void => {
  const mode = statSync(file, { throwIfNoEntry: false })?.mode
  const target = mode === undefined ? file : realpathSync(file)
  const temporary = `${target}.vestal-new~`
  writeFileSync(temporary, text, { mode: mode === undefined ? 0o644 : mode & 0o7777 })
  renameSync(temporary, target)
}

const contentOf = (file: string): string | undefined => {
  if (!statSync(file, { throwIfNoEntry: false })) return undefined
  return readFileSync(file, 'utf8')
}
