/** Silences as they stand in files, and as Alertmanager's API has them. */
import { z } from 'zod'
import { type Silence as ApiSilence, type SilenceWish as ApiWish, isAlive } from '../api/alertmanager.ts'
import { type Matcher, matcherText } from './matcher.ts'
import { parseMatchers } from './parse-matchers.ts'

const time = z.iso.datetime({ offset: true, error: 'expected a time such as 2026-01-05T10:00:00Z' })

const silenceSchema = z.strictObject(
  {
    matchers: z
      .array(z.string())
      .min(1, { error: 'expected at least one matcher' })
      .describe('Conditions that an alert must meet, as in Alertmanager: namespace="payments".'),
    startsAt: time.optional().describe('From when on; default: from its creation on.'),
    endsAt: time.describe('Until when.'),
    createdBy: z.string().min(1).describe('Who wants it.'),
    comment: z.string().min(1).describe('Why.'),
  },
  { error: 'expected a silence: matchers, endsAt, createdBy, comment' },
)
export const silencesSchema = z.array(silenceSchema, { error: 'expected a list of silences' })

export interface Silence {
  readonly matchers: readonly Matcher[]
  readonly startsAt?: string
  readonly endsAt: string
  readonly createdBy: string
  readonly comment: string
}
/** A silence that an Alertmanager has. */
export interface HeldSilence extends Silence {
  readonly id: string
}

/** Throws MatcherError. */
export const silenceOf = (written: z.infer<typeof silenceSchema>): Silence => ({
  ...written,
  matchers: written.matchers.flatMap((text) => parseMatchers(text)),
})

/** Of Alertmanager's list, what has not ended. */
export const heldSilences = (all: readonly ApiSilence[]): readonly HeldSilence[] =>
  all.filter(isAlive).map(({ status: _, ...one }) => ({ ...one, matchers: matchersOf(one) }))

const matchersOf = ({ matchers }: Pick<ApiSilence, 'matchers'>): readonly Matcher[] =>
  matchers.map(({ name, value, isRegex, isEqual }) => ({
    name,
    value,
    operator: `${isEqual ? '=' : '!'}${isRegex ? '~' : isEqual ? '' : '='}` as Matcher['operator'],
  }))

/** As the API takes it. */
export const wishOf = ({ matchers, startsAt, endsAt, createdBy, comment }: Silence, now: Date): ApiWish => ({
  startsAt: startsAt ?? now.toISOString(),
  endsAt,
  createdBy,
  comment,
  matchers: matchers.map(({ name, operator, value }) => ({
    name,
    value,
    isRegex: operator.endsWith('~'),
    isEqual: operator.startsWith('='),
  })),
})

export interface SilenceChanges {
  /** In the files, not over, and not held. */
  readonly missing: readonly Silence[]
  /** Held, and in no file. */
  readonly extra: readonly HeldSilence[]
  readonly same: number
}

/** What tells files and Alertmanager apart. */
export const compareSilences = (
  wanted: readonly Silence[],
  held: readonly HeldSilence[],
  now: Date,
): SilenceChanges => {
  const have = new Set(held.map(identity))
  const want = new Map(
    wanted.filter(({ endsAt }) => Date.parse(endsAt) > now.getTime()).map((one) => [identity(one), one]),
  )
  const missing = [...want].filter(([id]) => !have.has(id)).map(([, one]) => one)
  return { missing, extra: held.filter((one) => !want.has(identity(one))), same: want.size - missing.length }
}

/** As it stands in a file. */
export const written = ({ matchers, startsAt, endsAt, createdBy, comment }: Silence) => ({
  matchers: matchers.map(matcherText),
  ...(startsAt !== undefined && { startsAt }),
  endsAt,
  createdBy,
  comment,
})

/** What makes two silences the same to people. The start doesn't count: Alertmanager moves one that is in the past. */
const identity = ({ matchers, endsAt, createdBy, comment }: Silence): string =>
  JSON.stringify([matchers.map(matcherText).sort(), Date.parse(endsAt), createdBy, comment])

/** Those of a backup that have to be made anew. `now` is in milliseconds since the epoch. */
export const missingSilences = (
  saved: readonly ApiSilence[],
  known: readonly ApiSilence[],
  now: number,
): readonly ApiSilence[] => {
  const ids = new Set(known.map(({ id }) => id))
  const said = new Set(heldSilences(known).map(identity))
  return saved.filter(
    (one) =>
      isAlive(one) &&
      Date.parse(one.endsAt) > now &&
      !ids.has(one.id) &&
      !said.has(identity({ ...one, matchers: matchersOf(one) })),
  )
}
