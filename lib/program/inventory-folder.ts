import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'
import { InputError } from '../errors.ts'
import type { Inventory } from '../model.ts'

export interface FolderFile {
  /** What it is called on a host: its path below the folder, with `-` where a folder ends. */
  readonly name: string
  readonly path: string
  readonly text: string
}
interface Search {
  /** Relative to the inventory. */
  readonly folder: string
  /** Endings of the files that count, with the dot. */
  readonly endings: readonly string[]
  /** The setting that names the folder, for errors. */
  readonly setting: string
}

/** The files of a folder that the inventory names, and of the folders in it, in order. Throws InputError when it cannot be read. */
export const filesOf = (
  inventory: Pick<Inventory, 'folder'>,
  { folder, endings, setting }: Search,
): readonly FolderFile[] => {
  const root = resolve(inventory.folder, folder)
  try {
    return readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && endings.some((ending) => entry.name.endsWith(ending)))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((path) => ({ path, name: relative(root, path).replaceAll(sep, '-'), text: readFileSync(path, 'utf8') }))
  } catch (error) {
    throw new InputError([
      {
        where: root,
        path: setting,
        what: `cannot be read as a folder: ${error instanceof Error ? error.message : error}`,
        fix: 'Folders in the inventory are relative to the folder of the inventory itself.',
      },
    ])
  }
}
