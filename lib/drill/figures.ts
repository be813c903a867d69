import type { LedgerEvent } from '../ledger/events.ts'
import { wayBroke } from '../ledger/tally.ts'
import type { DrillFigures } from '../model.ts'

/** When the faults of a drill were begun and over; milliseconds of the controller's clock. */
export interface FaultWindow {
  readonly beginAt: number
  readonly endAt: number
}
/** A member that a fault took away, and for which others' notifications did not reach it before `hearsAt`. Milliseconds of the controller's clock. */
export interface Away {
  readonly host: string
  /** When its undo was begun: it was away until then, at least. */
  readonly backAt: number
  readonly hearsAt: number
}
/** What was notified so shortly before a fault may not be known to every member yet. */
const TOLD_MS = 5_000
/** Members hear of each other's notifications by gossip, a few rounds of 200 ms (Alertmanager's `--cluster.gossip-interval`). */
const HEARD_MS = 1_000

/**
 * What a ledger's events say of the time before the faults and since, compared. Without faults, all of it is the time before. `closed` drills count each
 * canary once, those under a silence not at all.
 */
export const figuresOf = (
  events: readonly LedgerEvent[],
  window: FaultWindow | undefined,
  away: readonly Away[] = [],
): DrillFigures => {
  const begin = window?.beginAt ?? Number.POSITIVE_INFINITY
  const delays = delaysOf(events)
  const pairs = pairsOf(events)
  const together = namesOf(pairs, notHeardYet)
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
    ...(away.length > 0 && { unheard: namesOf(pairs, (pair) => away.some((one) => isUntold(pair, one))) }),
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

type Notification = Extract<LedgerEvent, { what: 'notified' }>
/** One canary notified as firing, and then once more, with nothing between. */
interface Pair {
  readonly first: Notification
  readonly again: Notification
}

/** Those that a tally counts as duplicates. */
const pairsOf = (events: readonly LedgerEvent[]): readonly Pair[] => {
  const last = new Map<string, Notification>()
  const sent = new Map(events.flatMap((event) => (event.what === 'sent' ? [[event.canary, event] as const] : [])))
  const breaks = events.filter((event) => event.what === 'link-lost')
  return events.flatMap((event) => {
    if (event.what !== 'notified') return []
    const key = `${event.canary} ${event.fingerprint} ${event.way ?? ''}`
    const first = last.get(key)
    last.set(key, event)
    if (first?.status !== 'firing' || event.status !== 'firing') return []
    const { silenced = false, at: sentAt = first.at } = sent.get(event.canary) ?? {}
    return silenced || wayBroke(breaks, event, sentAt) ? [] : [{ first, again: event }]
  })
}

/** The canaries of those pairs of which this is so, an entry for each. */
const namesOf = (pairs: readonly Pair[], isSo: (pair: Pair) => boolean): readonly string[] =>
  pairs.filter(isSo).map(({ again }) => again.canary)

/** Another member notified so shortly after the first that it cannot have heard of that. */
const notHeardYet = ({ first, again }: Pair): boolean => first.host !== again.host && again.at - first.at < HEARD_MS

/** One that is back notified what another had notified since it was, before it could be told. What others notified while it was away it reads at its start. */
const isUntold = ({ first, again }: Pair, { host, backAt, hearsAt }: Away): boolean =>
  again.host === host && first.host !== host && first.at >= backAt && first.at < hearsAt

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
