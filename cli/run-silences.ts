import { endSilence, makeSilence } from '../lib/api/alertmanager.ts'
import { connectionPool } from '../lib/engine/pool.ts'
import { HostError, InputError } from '../lib/errors.ts'
import { printError } from '../lib/report/print.ts'
import { MatcherError } from '../lib/routing/matcher.ts'
import { parseMatchers } from '../lib/routing/parse-matchers.ts'
import { type Silence, wishOf } from '../lib/routing/silence.ts'
import { alertmanagersAmong } from '../roles/alertmanager/peers.ts'
import type { Opened } from './context.ts'

/** Should the controller die, the silences of its run end by themselves after this long. */
const LONGEST_MS = 4 * 60 * 60 * 1000

/** Silences of one run: created when it begins to change machines, ended when it is over, however it ends. */
export interface Maintenance extends AsyncDisposable {
  /** Throws HostError where no Alertmanager takes them. */
  begin(): Promise<void>
}

interface MaintenanceOptions {
  /** Texts of matchers: a silence each. */
  readonly silence: readonly string[]
  readonly run: string
  readonly owner: string
}

/** Throws InputError where `--silence` is no matchers. */
export const maintenance = (
  { inventory, connect }: Opened,
  { silence, run, owner }: MaintenanceOptions,
): Maintenance => {
  const wanted = silence.map((text) => silenceFor(text, { run, owner }))
  const members = alertmanagersAmong(inventory.hosts)
  const ids: string[] = []
  return {
    async begin() {
      if (wanted.length === 0) return
      await using pool = connectionPool(connect)
      const now = new Date()
      const endsAt = new Date(now.getTime() + LONGEST_MS).toISOString()
      for (const one of wanted) ids.push(await makeSilence(pool.reach, members, wishOf({ ...one, endsAt }, now)))
    },
    async [Symbol.asyncDispose]() {
      if (ids.length === 0) return
      await using pool = connectionPool(connect)
      for (const id of ids) {
        try {
          await endSilence(pool.reach, members, id)
        } catch (error) {
          if (!(error instanceof HostError)) throw error
          printError(`${error.host}: silence ${id} could not be ended: ${error.message}`)
        }
      }
    },
  }
}

const silenceFor = (text: string, { run, owner }: { run: string; owner: string }): Omit<Silence, 'endsAt'> => {
  const wrong = (what: string) =>
    new InputError([{ where: '--silence', path: text, what, fix: 'write matchers as in \'namespace="payments"\'' }])
  try {
    const matchers = parseMatchers(text)
    if (matchers.length === 0) throw wrong('has no matcher')
    return { matchers, createdBy: owner, comment: `vestal run ${run}` }
  } catch (error) {
    if (error instanceof MatcherError) throw wrong(error.message)
    throw error
  }
}
