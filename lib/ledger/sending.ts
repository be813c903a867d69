import type { Note } from './events.ts'
import type { MetricsFile } from './metrics-file.ts'
import { type Canary, canary, metricsOf } from './schedule.ts'

interface Sending {
  readonly run: string
  /** How long canaries last, in turn; milliseconds. */
  readonly lifetimes: readonly number[]
  readonly everyMs: number
  readonly write: MetricsFile['write']
  readonly note: Note
}

/** Sends a canary now and one every so often. Returns what ends them all and sends no more. */
export const sendCanaries = ({ run, lifetimes, everyMs, write, note }: Sending): (() => void) => {
  let alive: readonly Canary[] = []
  let number = 0
  const sent = new Set<string>()
  const change = (next: readonly Canary[]): void => {
    const gone = alive.filter((one) => sent.has(one.name) && !next.includes(one))
    alive = next
    for (const { name } of gone) note({ what: 'ended', canary: name })
    write(metricsOf(run, next), () => {
      for (const { name, silenced } of next.filter((one) => alive.includes(one) && !sent.has(one.name))) {
        sent.add(name)
        note({ what: 'sent', canary: name, silenced })
      }
    })
  }
  const more = (): void => {
    const now = Date.now()
    change([...alive.filter(({ endsAt }) => endsAt > now), canary(number, now, lifetimes)])
    number += 1
  }
  const timer = setInterval(more, everyMs)
  more()
  return () => {
    clearInterval(timer)
    if (alive.length > 0) change([])
  }
}
