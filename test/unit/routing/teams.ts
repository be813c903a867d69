/** Files of teams in a folder that goes when it is done with. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InputError, type Mistake } from '../../../lib/errors.ts'
import { loadTeams } from '../../../lib/routing/load.ts'
import type { Teams } from '../../../lib/routing/team.ts'

type Files = Readonly<Record<string, string>>

export const hook = (name: string): string => `receivers: { ${name}: { webhook_configs: [{ url: http://${name} }] } }`

export const load = (files: Files, env: NodeJS.ProcessEnv = {}): Teams => {
  const folder = mkdtempSync(join(tmpdir(), 'vestal-teams-'))
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
    return loadTeams(folder, { label: 'team', intervals: ['nights'], env })
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    throw new InputError(error.mistakes.map((one) => withoutFolder(one, folder)))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The mistakes in files, as `where: path: what`. */
export const mistakesIn = (files: Files): readonly string[] => {
  try {
    load(files)
    return []
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    return error.mistakes.map(({ where, path, what }) => `${where}: ${path}: ${what}`)
  }
}

const withoutFolder = (mistake: Mistake, folder: string): Mistake =>
  JSON.parse(JSON.stringify(mistake).replaceAll(`${folder}/`, ''))
