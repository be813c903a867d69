import type { Duration } from './model.ts'

const UNIT = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** Milliseconds in a duration such as `500ms`, `15s`, `2h`. Throws RangeError on anything else. */
export const milliseconds = (duration: Duration): number => {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(duration) ?? []
  if (!unit) throw new RangeError(`not a duration: ${duration}`)
  return Number(amount) * UNIT[unit as keyof typeof UNIT]
}

/** A duration as Go's own flags read it, which know no days (time.ParseDuration): `5d` is `120h`. */
export const goDuration = (duration: Duration): string =>
  duration.replace(/^(\d+)d$/, (_, days) => `${Number(days) * 24}h`)

/** A time span for people: `120 ms`, `3.4 s`, `2 m 05 s`. */
export const showMilliseconds = (ms: number): string => {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`
  const seconds = Math.round(ms / 1_000)
  return `${Math.floor(seconds / 60)} m ${String(seconds % 60).padStart(2, '0')} s`
}
