import type { Note } from './events.ts'
import type { MetricsFile } from './metrics-file.ts'
import { type Canary, canary, metricsOf } from './schedule.ts'

interface Sending {
  readonly run: string
  /** Which shard they go through; null where there are none. */
  readonly shard: string | null
  /** How long canaries last, in turn; milliseconds. */
  readonly lifetimes: readonly number[]
  readonly everyMs: number
  /** How many are sent now, together; each that comes after is alone. */
  readonly first: number
  /** The clusters that each are to notify a canary; left out where there is one. */
  readonly ways?: readonly string[]
  readonly write: MetricsFile['write']
  readonly note: Note
}

export interface Sender {
  /** Sends no more; those under way last as long as they should. */
  noMore(): void
  /** Ends all that are under way. */
  endAll(): void
}

/** Sends the first canaries now, and one every so often. */
export const sendCanaries = ({ run, shard, lifetimes, everyMs, first, ways, write, note }: Sending): Sender => {
  let alive: readonly Canary[] = []
  let number = 0
  const sent = new Set<string>()
  const change = (next: readonly Canary[]): void => {
    const gone = alive.filter((one) => sent.has(one.name) && !next.includes(one))
    alive = next
    for (const { name } of gone) note({ what: 'ended', canary: name })
    write(metricsOf({ run, shard }, next), () => {
      for (const { name, silenced } of next.filter((one) => alive.includes(one) && !sent.has(one.name))) {
        sent.add(name)
        note({ what: 'sent', canary: name, silenced, ...(ways && { ways }) })
      }
    })
  }
  let open = true
  const send = (many: number): void => {
    const now = Date.now()
    const lasting = alive.filter(({ endsAt }) => endsAt > now)
    const more = Array.from({ length: open ? many : 0 }, () => canary(number++, now, { lifetimes, shard }))
    if (more.length > 0 || lasting.length < alive.length) change([...lasting, ...more])
  }
  const timer = setInterval(() => send(1), everyMs)
  send(first)
  return {
    noMore() {
      open = false
    },
    endAll() {
      clearInterval(timer)
      if (alive.length > 0) change([])
    },
  }
}
