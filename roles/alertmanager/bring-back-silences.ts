import { z } from 'zod'
import { endSilence, isAlive, makeSilence, type Silence, silenceList, silencesOf } from '../../lib/api/alertmanager.ts'
import type { Endpoint } from '../../lib/api/endpoint.ts'
import type { Reach } from '../../lib/model.ts'
import { missingSilences } from '../../lib/routing/silence.ts'

/** The silences that a backup's file holds. Throws an Error for a file of anything else. */
export const savedSilences = (text: string): readonly Silence[] => {
  const { success, data, error } = silenceList.safeParse(JSON.parse(text))
  if (!success) throw new Error(z.prettifyError(error))
  return data
}

/**
 * Makes the silences of a backup that have not ended and that the Alertmanager doesn't know: not by their id, ended ones counted, and not by
 * what they say. Ends those that had ended by the time of the backup: the file on disk can be older than that. Returns how many it made.
 * Throws HostError where one is refused.
 */
export const bringBack = async (reach: Reach, alertmanager: Endpoint, saved: readonly Silence[]): Promise<number> => {
  const { items: known } = await silencesOf(reach, alertmanager)
  for (const { id } of endedSilences(saved, known)) await endSilence(reach, [alertmanager], id)
  const missing = missingSilences(saved, known, Date.now())
  for (const { id: _, status: __, ...wish } of missing) await makeSilence(reach, [alertmanager], wish)
  return missing.length
}

/** Those that a file older than the backup has brought to life again. A silence that has ended stays so: going on makes another one. */
export const endedSilences = (saved: readonly Silence[], known: readonly Silence[]): readonly Silence[] => {
  const ended = new Set(saved.filter((one) => !isAlive(one)).map(({ id }) => id))
  return known.filter((one) => isAlive(one) && ended.has(one.id))
}
