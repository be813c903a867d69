import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { InputError } from '../errors.ts'

/** The endings of the YAML files that Ansible reads. */
export const YAML_EXTENSIONS = ['', '.yml', '.yaml', '.json']

/** A change of one file of an inventory, not yet written. Texts are without a byte order mark. */
export interface FileEdit {
  readonly file: string
  /** null where the file isn't there yet. */
  readonly before: string | null
  /** null where the file goes. */
  readonly after: string | null
}
/** The files of an inventory as they are, or as they would be after edits. */
export interface Files {
  /** A text file's content, without a byte order mark. Throws InputError when it can't be read. */
  text(file: string): string
  /** The names in a folder that is there, sorted as Ansible sorts them. */
  names(folder: string): readonly string[]
}

/** The files on disk, with these edits laid over them. */
export const filesWith = (edits: readonly FileEdit[]): Files => {
  const edited = new Map(edits.map(({ file, after }) => [file, after]))
  return {
    text: (file) => edited.get(file) ?? readText(file),
    names(folder) {
      const inFolder = edits.filter(({ file }) => dirname(file) === folder)
      const gone = new Set(inFolder.filter(({ after }) => after === null).map(({ file }) => basename(file)))
      const made = inFolder.filter(({ after }) => after !== null).map(({ file }) => basename(file))
      return [...new Set([...readdirSync(folder), ...made])].filter((name) => !gone.has(name)).sort(byName)
    },
  }
}

/** A text file's content, without a byte order mark. Throws InputError when it can't be read. */
export const readText = (file: string): string => {
  try {
    return readFileSync(file, 'utf8').replace(/^\uFEFF/, '')
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? error.code : error
    throw new InputError([{ where: file, what: `cannot be read (${why})`, fix: 'check its permissions' }])
  }
}

/** What an entry is, links followed; undefined for a link to nowhere. */
export const isFolder = (path: string): boolean | undefined => statSync(path, { throwIfNoEntry: false })?.isDirectory()

const byName = (a: string, b: string): number => (a < b ? -1 : 1)
