import type { Pace } from './fleet.ts'
import type { Patience } from './tally.ts'

/** One canary: an alert that fires from when its metric is there to when it is taken away. */
export interface Canary {
  readonly name: string
  readonly silenced: boolean
  /** When its metric is taken away, in milliseconds. */
  readonly endsAt: number
}
/** One in so many stands under a silence. */
const SILENCED = 8
const SHORTEST_MS = 30_000
/** Where nobody is left to take the metric away, the alert ends by itself this long after it should have. */
const GRACE_MS = 20_000

/** The label of a canary's metric that says which shard is to read it, where targets are spread over shards. */
export const SHARD_LABEL = 'vestal_shard'

/** What the names of a shard's canaries begin with. */
export const prefixOf = (shard: string | null): string => (shard === null ? 'c' : `shard-${shard}-c`)

/** The canary with this number. Lifetimes come round in turn, for silenced ones too. */
export const canary = (
  number: number,
  now: number,
  { lifetimes, shard }: { readonly lifetimes: readonly number[]; readonly shard: string | null },
): Canary => {
  const silenced = number % SILENCED === SILENCED - 1
  const turn = silenced ? Math.floor(number / SILENCED) : number
  return {
    name: `${prefixOf(shard)}${String(number).padStart(4, '0')}`,
    silenced,
    endsAt: now + (lifetimes[turn % lifetimes.length] ?? SHORTEST_MS),
  }
}

/**
 * How long canaries last, in milliseconds: long enough that each must be notified, and of such lengths that some end before their group is
 * looked at again and some after, since only those can be repeated wrongly by a restarted member.
 */
export const lifetimesOf = (pace: Pace): readonly number[] => {
  const base = Math.max(SHORTEST_MS, patienceOf(pace).dueMs + 5_000)
  const longest = Math.max(3 * base, Math.round(1.5 * pace.groupIntervalMs))
  return [base, 2 * base, longest]
}

/** What may be expected of a fleet that goes at this pace. */
export const patienceOf = ({ scrapeMs, evaluateMs, peerWaitMs }: Pace): Patience => ({
  dueMs: scrapeMs + evaluateMs + 10_000,
  lateMs: scrapeMs + evaluateMs + peerWaitMs + 15_000,
  quietMs: peerWaitMs + 2_000,
})

/** The file of metrics with these canaries, as the textfile collector reads it. */
export const metricsOf = (
  { run, shard }: { readonly run: string; readonly shard: string | null },
  canaries: readonly Canary[],
): string =>
  canaries
    .map(({ name, silenced, endsAt }) => {
      const labels = `canary="${name}",run="${run}"${silenced ? ',silenced="true"' : ''}${shard === null ? '' : `,${SHARD_LABEL}="${shard}"`}`
      return `vestal_canary_ends_at_seconds{${labels}} ${Math.ceil((endsAt + GRACE_MS) / 1000)}\n`
    })
    .join('')
