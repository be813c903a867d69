import { z } from 'zod'
import { askJson, type Endpoint, read, send } from '../../lib/api/endpoint.ts'
import { listOf } from '../../lib/api/forms.ts'
import { HostError } from '../../lib/errors.ts'
import type { Reach } from '../../lib/model.ts'

const MATCHER = z.object({
  name: z.string(),
  value: z.string(),
  isRegex: z.boolean(),
  isEqual: z.boolean().default(true),
})
const SILENCE = z.object({
  id: z.string(),
  status: z.object({ state: z.string() }),
  matchers: listOf(MATCHER),
  startsAt: z.string(),
  endsAt: z.string(),
  createdBy: z.string(),
  comment: z.string(),
})
export type Silence = z.infer<typeof SILENCE>
const SILENCES = listOf(SILENCE)

const PATH = '/api/v2/silences'

/** Every silence that an Alertmanager knows, expired ones too. */
export const silencesOf = (reach: Reach, alertmanager: Endpoint): Promise<readonly Silence[]> =>
  askJson(reach, alertmanager, { path: PATH, form: SILENCES })

/** The silences that a backup's file holds. Throws an Error for a file of anything else. */
export const savedSilences = (text: string): readonly Silence[] => {
  const { success, data, error } = SILENCES.safeParse(JSON.parse(text))
  if (!success) throw new Error(z.prettifyError(error))
  return data
}

/**
 * Makes the silences of a backup that have not ended and that the Alertmanager doesn't know: not by their id, ended ones counted, and not by
 * what they say. Ends those that had ended by the time of the backup: the file on disk can be older than that. Returns how many it made.
 * Throws HostError where one is refused.
 */
export const bringBack = async (reach: Reach, alertmanager: Endpoint, saved: readonly Silence[]): Promise<number> => {
  const known = await silencesOf(reach, alertmanager)
  for (const { id, createdBy } of endedSilences(saved, known)) {
    const answer = await send(reach, alertmanager, {
      path: `/api/v2/silence/${encodeURIComponent(id)}`,
      method: 'DELETE',
    })
    if (answer.status !== 200)
      throw new HostError(alertmanager.host.name, `did not end a silence of ${createdBy}: ${answer.body.trim()}`, {
        task: 'silences',
      })
  }
  const missing = missingSilences(saved, known, Date.now())
  for (const { matchers, startsAt, endsAt, createdBy, comment } of missing) {
    const body = JSON.stringify({ matchers, startsAt, endsAt, createdBy, comment })
    const answer = await send(reach, alertmanager, { path: PATH, method: 'POST', body })
    if (answer.status !== 200)
      throw new HostError(alertmanager.host.name, `refused a silence of ${createdBy}: ${answer.body.trim()}`, {
        task: 'silences',
      })
    read(answer, { endpoint: alertmanager, path: PATH, form: z.object({ silenceID: z.string() }) })
  }
  return missing.length
}

/** Those that a file older than the backup has brought to life again. A silence that has ended stays so: going on makes another one. */
export const endedSilences = (saved: readonly Silence[], known: readonly Silence[]): readonly Silence[] => {
  const ended = new Set(saved.filter((one) => !isAlive(one)).map(({ id }) => id))
  return known.filter((one) => isAlive(one) && ended.has(one.id))
}

/** Those that have to be made anew. `now` is in milliseconds since the epoch. */
export const missingSilences = (
  saved: readonly Silence[],
  known: readonly Silence[],
  now: number,
): readonly Silence[] => {
  const ids = new Set(known.map(({ id }) => id))
  const said = new Set(known.filter(isAlive).map(meaning))
  return saved.filter(
    (one) => isAlive(one) && Date.parse(one.endsAt) > now && !ids.has(one.id) && !said.has(meaning(one)),
  )
}

const isAlive = ({ status: { state } }: Silence): boolean => state !== 'expired'

/** What makes two silences the same to people. */
const meaning = ({ matchers, endsAt, createdBy, comment }: Silence): string =>
  JSON.stringify([
    matchers.map(({ name, value, isRegex, isEqual }) => JSON.stringify([name, value, isRegex, isEqual])).sort(),
    Date.parse(endsAt),
    createdBy,
    comment,
  ])
