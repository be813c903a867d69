import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { InputError } from '../../lib/errors.ts'
import type { RunReport } from '../../lib/model.ts'
import { exitCodeOf } from '../../lib/report/outcome.ts'
import type { RollWish } from './settings.ts'

/**
 * What the last roll of this inventory was started with. Throws InputError where there is none on this controller, or where it came to its end:
 * then nothing is left to go on with.
 */
export const unfinishedRoll = (
  runs: string,
  inventory: readonly string[],
): { readonly run: string; readonly wish: RollWish } => {
  const found = rollsIn(runs).findLast(({ wish }) => isDeepStrictEqual(wish.inventory, inventory))
  if (!found) throw nothingToResume('this controller has no record of a roll of this inventory')
  const report = json<RunReport>(join(runs, found.run, 'report.json'))
  if (report && exitCodeOf(report) === 0) throw nothingToResume(`the last roll, ${found.run}, came to its end`)
  return found
}

const rollsIn = (runs: string): readonly { readonly run: string; readonly wish: RollWish }[] =>
  (existsSync(runs) ? readdirSync(runs).sort() : []).flatMap((run) => {
    const wish = json<{ roll?: RollWish }>(join(runs, run, 'run.json'))?.roll
    return wish ? [{ run, wish }] : []
  })

const json = <T>(path: string): T | null => (existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as T) : null)

const nothingToResume = (what: string): InputError =>
  new InputError([{ where: '--resume', what, fix: 'Start one: vestal rolling-upgrade -i … --prometheus VERSION' }])
