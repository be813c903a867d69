import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'
import { InputError, type Mistake } from '../errors.ts'
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

/**
 * The files of a folder that the inventory names, and of the folders in it, in order; links are followed, as Prometheus does. Throws InputError when it
 * cannot be read, and for a link to nowhere or round in a circle.
 */
export const filesOf = (
  inventory: Pick<Inventory, 'folder'>,
  { folder, endings, setting }: Search,
): readonly FolderFile[] => {
  const root = resolve(inventory.folder, folder)
  try {
    return filesBelow(root, [])
      .filter((path) => endings.some((ending) => path.endsWith(ending)))
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

const filesBelow = (folder: string, above: readonly string[]): readonly string[] => {
  const real = realpathSync(folder)
  if (above.includes(real)) throw new Error(`${folder} is a link to a folder that it stands in`)
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    return statSync(path).isDirectory() ? filesBelow(path, [...above, real]) : [path]
  })
}

/**
 * Jinja's blocks in a file that a program reads as it is: nothing would take them out, and people would read them in notifications. One mistake each,
 * with line and column.
 */
export const jinjaBlocks = (path: string, text: string): readonly Mistake[] =>
  [...text.matchAll(/\{%[-+]?\s*(\w+)[^\n]*?%\}/g)].map(({ index, 1: word }) => {
    const before = text.slice(0, index)
    return {
      where: `${path}:${before.split('\n').length}:${index - before.lastIndexOf('\n')}`,
      what: `\`{% ${word} … %}\` is a block of Jinja, and this file is passed on as it is`,
      fix: /^(end)?raw$/.test(word ?? '') ? RAW_MARKS : 'Write what it stands for.',
    }
  })

/** What to do with text that stood in a template of Ansible's. */
export const RAW_MARKS =
  'Take the marks {% raw %} and {% endraw %} away, and leave what stands between them: nothing else reads it.'
