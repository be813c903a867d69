import { setTimeout as sleep } from 'node:timers/promises'
import { LinkError } from '../errors.ts'
import type { Host, ProgramStatus, Reach, SteadySample } from '../model.ts'

/** A service that is watched while others are broken. */
export interface WatchedService {
  readonly host: Host
  /** Its role's name, its unit, and what people call it. */
  readonly service: string
  readonly unit: string
  readonly title: string
  status(reach: Reach): Promise<ProgramStatus>
}
export interface Watch extends AsyncDisposable {
  /** Every change of what was seen, in order. */
  readonly samples: readonly SteadySample[]
  /** Whether every member of a cluster sees every other now; services of no cluster say yes. */
  allMembersSeen(): boolean
}
interface WatchOptions {
  readonly reach: Reach
  /** A link is gone: the next look makes a new one. */
  readonly onLost: (host: Host) => void
  readonly changed: (sample: SteadySample) => void
  /** Default 15 s. */
  readonly leftMs?: number
  /** Called for a service that has not served for so long, once each time. */
  readonly left: (service: WatchedService, why: string) => void
}
const PAUSE_MS = 2_000
/** A look that takes longer is a no. */
const LOOK_MS = 6_000
/** Less may be a pause of a busy machine. */
const LEFT_MS = 15_000
/** A host's own words are not for pages of a report. */
const MOST_WORDS = 300

/** Looks at each of these services every two seconds, each by itself, until it is disposed. */
export const watchServices = (services: readonly WatchedService[], options: WatchOptions): Watch => {
  const over = new AbortController()
  const samples: SteadySample[] = []
  const whole = new Map(services.map((one) => [one, false]))
  const loops = services.map(async (one) => {
    let last: SteadySample | undefined
    let badSince: number | undefined
    let told = false
    while (!over.signal.aborted) {
      const seen = await lookAt(one, options)
      if (over.signal.aborted) return
      const { sample } = seen
      whole.set(one, seen.whole)
      if (!last || last.serves !== sample.serves || last.members !== sample.members) {
        samples.push(sample)
        options.changed(sample)
        last = sample
      }
      badSince = sample.serves ? undefined : (badSince ?? Date.now())
      if (badSince === undefined) told = false
      else if (!told && Date.now() - badSince >= (options.leftMs ?? LEFT_MS)) {
        told = true
        options.left(one, sample.why ?? 'it is not ready')
      }
      await sleep(PAUSE_MS, undefined, { signal: over.signal }).catch(() => undefined)
    }
  })
  return {
    samples,
    allMembersSeen: () => [...whole.values()].every(Boolean),
    async [Symbol.asyncDispose]() {
      over.abort()
      await Promise.race([Promise.all(loops), sleep(LOOK_MS, undefined, { ref: false })])
    },
  }
}

const lookAt = async (
  { host, service, status }: WatchedService,
  { reach, onLost }: WatchOptions,
): Promise<{ readonly sample: SteadySample; readonly whole: boolean }> => {
  const found = await Promise.race([
    status(reach).catch((error: unknown) => {
      if (error instanceof LinkError) onLost(host)
      return error instanceof Error ? error : new Error(String(error))
    }),
    sleep(LOOK_MS, new Error('it does not answer'), { ref: false }),
  ])
  const about = { at: new Date().toISOString(), host: host.name, service }
  if (found instanceof Error)
    return { sample: { ...about, serves: false, why: found.message.slice(0, MOST_WORDS) }, whole: false }
  const { ready, members } = found
  const sees = members && new Set(members.seen.filter((one) => members.expected.includes(one))).size
  return {
    sample: { ...about, serves: ready, ...(members && { members: members.seen.length }) },
    whole: ready && (!members || (sees === members.expected.length && members.seen.length === sees)),
  }
}
