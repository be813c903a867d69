import type { LedgerEvent } from '../ledger/events.ts'
import type { DrillFigures } from '../model.ts'

/** When the faults of a drill were begun and over; milliseconds of the controller's clock. */
export interface FaultWindow {
  readonly beginAt: number
  readonly endAt: number
}
/** What was notified so shortly before a fault may not be known to every member yet. */
const TOLD_MS = 5_000
/** Members hear of each other's notifications by gossip, a few rounds of 200 ms (Alertmanager's `--cluster.gossip-interval`). */
const HEARD_MS = 1_000

/**
 * What a ledger's events say of the time before the faults and since, compared. Without faults, all of it is the time before. `closed` drills count each
 * canary once, those under a silence not at all.
 */
export const figuresOf = (events: readonly LedgerEvent[], window: FaultWindow | undefined): DrillFigures => {
  const begin = window?.beginAt ?? Number.POSITIVE_INFINITY
  const delays = delaysOf(events)
  const together = togetherOf(events)
  const of = (some: readonly Delay[]) => ({
    delivered: some.length,
    largestDelayMs: Math.max(0, ...some.map(({ sentAt, at }) => at - sentAt)),
  })
  return {
    control: of(delays.filter(({ at }) => at < begin)),
    during: of(delays.filter(({ at }) => at >= begin)),
    forgotten: forgottenOf(events, begin),
    differing: differingLabels(events),
    ...(together.length > 0 && { together }),
  }
}

interface Delay {
  readonly sentAt: number
  readonly at: number
}

/** Of each canary that was notified, when it was sent and when that came first; for each cluster that had to. */
const delaysOf = (events: readonly LedgerEvent[]): readonly Delay[] => {
  const sent = new Map(
    events.flatMap((event) => (event.what === 'sent' && !event.silenced ? [[event.canary, event.at] as const] : [])),
  )
  const first = new Map<string, Delay>()
  for (const event of events) {
    if (event.what !== 'notified' || event.status !== 'firing') continue
    const sentAt = sent.get(event.canary)
    const key = `${event.canary} ${event.way ?? ''}`
    if (sentAt !== undefined && !first.has(key)) first.set(key, { sentAt, at: event.at })
  }
  return [...first.values()]
}

/** Canaries that everybody had heard of as notified before the faults, and that were notified once more since, with no `resolved` between. */
const forgottenOf = (events: readonly LedgerEvent[], begin: number): readonly string[] => {
  const last = new Map<string, 'told' | 'resolved'>()
  const forgotten = new Set<string>()
  for (const event of events) {
    if (event.what !== 'notified') continue
    const key = `${event.canary} ${event.fingerprint} ${event.way ?? ''}`
    if (event.status === 'resolved') last.set(key, 'resolved')
    else if (event.at < begin - TOLD_MS) last.set(key, 'told')
    else if (event.at >= begin && last.get(key) === 'told') forgotten.add(event.canary)
  }
  return [...forgotten]
}

/** Canaries, an entry for each time that another member notified one so shortly after the last that it cannot have heard of that. */
const togetherOf = (events: readonly LedgerEvent[]): readonly string[] => {
  const last = new Map<string, { readonly host: string; readonly at: number; readonly firing: boolean }>()
  return events.flatMap((event) => {
    if (event.what !== 'notified') return []
    const key = `${event.canary} ${event.fingerprint} ${event.way ?? ''}`
    const before = last.get(key)
    const firing = event.status === 'firing'
    last.set(key, { host: event.host, at: event.at, firing })
    const twice = firing && before?.firing && before.host !== event.host && event.at - before.at < HEARD_MS
    return twice ? [event.canary] : []
  })
}

/** The labels in which notifications of one canary differ: with any, replicas don't send one alert but several. */
const differingLabels = (events: readonly LedgerEvent[]): readonly string[] => {
  const seen = new Map<string, Map<string, Readonly<Record<string, unknown>>>>()
  for (const event of events) {
    if (event.what !== 'notified' || event.status !== 'firing') continue
    const alerts = seen.get(event.canary) ?? new Map<string, Readonly<Record<string, unknown>>>()
    seen.set(event.canary, alerts)
    if (!alerts.has(event.fingerprint)) alerts.set(event.fingerprint, labelsIn(event.body, event.fingerprint))
  }
  const several = [...seen.values()].filter(({ size }) => size > 1)
  return [
    ...new Set(
      several.flatMap((alerts) => {
        const all = [...alerts.values()]
        const names = new Set(all.flatMap(Object.keys))
        return [...names].filter((name) => new Set(all.map((labels) => labels[name])).size > 1)
      }),
    ),
  ].sort()
}

/** Read by the receiver already; looked into once more, as anything may stand beside what it has read. */
const labelsIn = (body: unknown, fingerprint: string): Readonly<Record<string, unknown>> => {
  const { alerts } = (body ?? {}) as { readonly alerts?: unknown }
  if (!Array.isArray(alerts)) return {}
  const alert = alerts.find((one: { readonly fingerprint?: unknown } | null) => one?.fingerprint === fingerprint)
  return (alert?.labels ?? {}) as Readonly<Record<string, unknown>>
}
