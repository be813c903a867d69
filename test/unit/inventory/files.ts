import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { InputError } from '../../../lib/errors.ts'
import { loadInventory } from '../../../lib/inventory/load.ts'
import type { Inventory } from '../../../lib/model.ts'
import { exampleRoles } from './example-roles.ts'

export interface Case {
  /** Content by path. */
  readonly files: Readonly<Record<string, string>>
  /** What -i names; default: the whole folder. */
  readonly paths?: readonly string[]
  readonly env?: NodeJS.ProcessEnv
}

/** Runs with a folder that holds these files, and removes it. */
export const inFolder = async <T>(files: Case['files'], use: (folder: string) => Promise<T>): Promise<T> => {
  const folder = mkdtempSync(join(tmpdir(), 'vestal-inventory-'))
  try {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(join(folder, dirname(path)), { recursive: true })
      writeFileSync(join(folder, path), content)
    }
    return await use(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The inventory that these files hold. */
export const load = ({ files, paths = ['.'], env = {} }: Case): Promise<Inventory> =>
  inFolder(files, (folder) =>
    loadInventory(
      paths.map((path) => join(folder, path)),
      exampleRoles,
      { env: { HOME: folder, ...env } },
    ),
  )

/** The whole text of the error that loading them gives, with `~` for their folder. */
export const errorIn = ({ files, paths = ['.'], env = {} }: Case): Promise<string> =>
  inFolder(files, async (folder) => {
    const full = paths.map((path) => join(folder, path))
    try {
      await loadInventory(full, exampleRoles, { env: { HOME: folder, ...env } })
      return 'no error'
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      return error.message.replaceAll(`${folder}/`, '').replaceAll(folder, '~')
    }
  })

/** YAML as it stands in a test, without the indentation that all its lines share. */
export const yaml = (parts: TemplateStringsArray): string => {
  const lines = (parts.raw[0] ?? '').replace(/^\n/, '').trimEnd().split('\n')
  const shared = Math.min(...lines.filter((line) => line.trim()).map((line) => /^ */.exec(line)?.[0].length ?? 0))
  return `${lines.map((line) => line.slice(shared)).join('\n')}\n`
}
