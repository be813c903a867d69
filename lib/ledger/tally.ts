import type { AlertsReport } from '../model.ts'
import type { LedgerEvent } from './events.ts'

/** How long things may take in a fleet that works. Milliseconds. */
export interface Patience {
  /** A canary that lasted this long must have been notified. */
  readonly dueMs: number
  /** This long after its end nothing more is to be expected of one that was never notified. */
  readonly lateMs: number
  /** A stale `firing` comes no later than this after `resolved`. */
  readonly quietMs: number
}
/** For some time nothing was left that could evaluate canaries whose names begin so. Milliseconds of the controller's clock. */
export interface NoPath {
  readonly prefixes: readonly string[]
  readonly beginAt: number
  /** Left out while it lasts. */
  readonly endAt?: number
}
/** What may be expected, and of which canaries nothing. */
type Expected = Patience & { readonly noPath?: NoPath }
/** A server that is started again is asked for no alert before it has read its data, scraped and evaluated. */
const STARTS_MS = 20_000

export interface Tally {
  readonly report: AlertsReport
  /** Canaries that are waited for: not notified yet, not resolved, or resolved too short ago. */
  readonly open: number
  /** Of those, how many have not been notified yet. */
  readonly undelivered: number
  /** How many were notified by the cluster that has notified the fewest. */
  readonly leastDelivered: number
  /** The names of those that were notified. */
  readonly notified: readonly string[]
}

/** Works out what became of every canary, from all events up to `now`. */
export const tally = (events: readonly LedgerEvent[], patience: Expected, now: number): Tally => {
  const { noPath } = patience
  const closedAt = events.find(({ what }) => what === 'closed')?.at
  const fates = fatesOf(events)
  const loud = fates.filter(({ silenced }) => !silenced)
  const at = { now, closedAt, patience }
  const missed = loud.filter((fate) => isLost(fate, at))
  const excused = missed.filter((fate) => noPath && hadNoPath(fate, noPath, at))
  const lost = missed.filter((fate) => !excused.includes(fate))
  const open = closedAt === undefined ? fates.filter((fate) => isOpen(fate, at)) : []
  const notified = loud.filter(({ deliveredAt }) => deliveredAt !== undefined)
  const unresolved = loud.filter(({ firing }) => firing)
  const muted = fates.filter(({ silenced }) => silenced)
  const leaked = muted.filter(({ deliveredAt }) => deliveredAt !== undefined)
  const total = (count: (fate: Fate) => number): number => loud.reduce((sum, fate) => sum + count(fate), 0)
  return {
    report: {
      sent: loud.length,
      delivered: notified.length,
      lost: lost.length,
      ...(noPath && { withoutPath: excused.length }),
      duplicated: total(({ duplicated }) => duplicated),
      refired: total(({ refired }) => refired),
      repeated: total(({ repeated }) => repeated),
      resolvedEarly: total(({ resolvedEarly }) => resolvedEarly),
      unresolved: unresolved.length,
      cutShort: closedAt === undefined ? 0 : loud.length - notified.length - missed.length,
      largestDelayMs: Math.max(0, ...notified.map(({ sentAt, deliveredAt = sentAt }) => deliveredAt - sentAt)),
      longestBlackoutMs: longestBlackout(loud, closedAt ?? now),
      silenced: { sent: muted.length, notified: leaked.length },
      linksLost: events.filter(({ what }) => what === 'link-lost').length,
      canaries: {
        lost: names(lost),
        duplicated: names(loud.filter(({ duplicated }) => duplicated > 0)),
        refired: names(loud.filter(({ refired }) => refired > 0)),
        unresolved: names(unresolved),
        silenced: names(leaked),
      },
    },
    open: open.length,
    leastDelivered: leastOf(notified, loud),
    notified: notified.map(({ name }) => name),
    undelivered: open.filter(({ silenced, deliveredAt }) => !silenced && deliveredAt === undefined).length,
  }
}

/** Every cluster that had one to notify counts. */
const leastOf = (notified: readonly Fate[], all: readonly Fate[]): number => {
  const ways = [...new Set(all.map(({ way }) => way))]
  return ways.length === 0 ? 0 : Math.min(...ways.map((way) => notified.filter((fate) => fate.way === way).length))
}

/** What became of a canary at one cluster. */
interface Fate {
  readonly name: string
  /** The cluster, where there are several. */
  readonly way?: string
  readonly silenced: boolean
  readonly sentAt: number
  readonly endedAt?: number
  /** When `firing` was first notified. */
  deliveredAt?: number
  /** Whether what was notified last, of any of its alerts, is `firing`. */
  firing: boolean
  resolvedAt?: number
  duplicated: number
  refired: number
  repeated: number
  resolvedEarly: number
}

const fatesOf = (events: readonly LedgerEvent[]): readonly Fate[] => {
  const ends = new Map(events.flatMap((event) => (event.what === 'ended' ? [[event.canary, event.at] as const] : [])))
  const fates = new Map<string, Fate>()
  for (const event of events) {
    if (event.what !== 'sent') continue
    const { canary, silenced, at, ways = [undefined] } = event
    for (const way of ways) {
      const name = way === undefined ? canary : `${canary} (${way})`
      const counts = { duplicated: 0, refired: 0, repeated: 0, resolvedEarly: 0 }
      fates.set(name, { name, way, silenced, sentAt: at, endedAt: ends.get(canary), firing: false, ...counts })
    }
  }
  const alerts = Map.groupBy(
    events.filter((event) => event.what === 'notified'),
    ({ canary, fingerprint, way }) => `${canary} ${fingerprint} ${way}`,
  )
  const breaks = events.filter((event) => event.what === 'link-lost')
  for (const story of alerts.values()) {
    const [first] = story
    const fate = fates.get(first?.way === undefined ? (first?.canary ?? '') : `${first.canary} (${first.way})`)
    if (fate) follow(fate, story, breaks)
  }
  return [...fates.values()]
}

type Of<W extends LedgerEvent['what']> = Extract<LedgerEvent, { what: W }>

/** One alert's notifications, in the order they came. */
const follow = (fate: Fate, story: readonly Of<'notified'>[], breaks: readonly Of<'link-lost'>[]): void => {
  let last: Of<'notified'> | undefined
  for (const one of story) {
    if (one.status === 'firing') {
      fate.deliveredAt = Math.min(fate.deliveredAt ?? one.at, one.at)
      if (last?.status === 'firing') {
        if (wayBroke(breaks, one, fate.sentAt)) fate.repeated += 1
        else fate.duplicated += 1
      }
      if (last?.status === 'resolved' && fate.endedAt !== undefined && one.at > fate.endedAt) fate.refired += 1
    } else {
      fate.resolvedAt = Math.max(fate.resolvedAt ?? one.at, one.at)
      if (fate.endedAt === undefined || one.at < fate.endedAt) fate.resolvedEarly += 1
    }
    last = one
  }
  fate.firing ||= last?.status === 'firing'
}

/** Whether the link to who notified this broke since the canary was sent: it may be said once more because the first time got no answer. */
export const wayBroke = (
  breaks: readonly Of<'link-lost'>[],
  { host, at }: Pick<Of<'notified'>, 'host' | 'at'>,
  sentAt: number,
): boolean => breaks.some((one) => one.host === host && one.at >= sentAt && one.at <= at)

interface Moment {
  readonly now: number
  readonly closedAt?: number
  readonly patience: Patience
}

const isLost = ({ deliveredAt, sentAt, endedAt }: Fate, { now, closedAt, patience }: Moment): boolean => {
  if (deliveredAt !== undefined) return false
  const end = endedAt ?? closedAt
  if (end === undefined || end - sentAt < patience.dueMs) return false
  return closedAt !== undefined || now - end >= patience.lateMs
}

/** Whether it fired for too short a time, before and after, while there was something to evaluate it. */
const hadNoPath = (
  { name, sentAt, endedAt }: Fate,
  { prefixes, beginAt, endAt = Number.POSITIVE_INFINITY }: NoPath,
  { closedAt, patience: { dueMs } }: Moment,
): boolean => {
  const end = endedAt ?? closedAt ?? Number.POSITIVE_INFINITY
  const before = Math.min(end, beginAt) - sentAt
  const after = end - Math.max(sentAt, endAt + STARTS_MS)
  return prefixes.some((prefix) => name.startsWith(prefix)) && end > beginAt && before < dueMs && after < dueMs
}

const isOpen = ({ deliveredAt, endedAt, firing, resolvedAt, silenced }: Fate, { now, patience }: Moment): boolean => {
  if (firing || endedAt === undefined) return true
  if (silenced || deliveredAt === undefined) return now - endedAt < patience.lateMs
  return now - (resolvedAt ?? now) < patience.quietMs
}

/** A canary waits from being sent until it is notified, or until its end if it never is. */
const longestBlackout = (fates: readonly Fate[], until: number): number => {
  const steps = fates
    .flatMap(({ sentAt, deliveredAt, endedAt = until }) => [
      { at: sentAt, waiting: 1, delivery: false },
      { at: Math.max(sentAt, deliveredAt ?? endedAt), waiting: -1, delivery: deliveredAt !== undefined },
    ])
    .sort((one, other) => one.at - other.at || other.waiting - one.waiting)
  let [longest, waiting, since] = [0, 0, 0]
  for (const step of steps) {
    if (waiting === 0) since = step.at
    waiting += step.waiting
    if (step.delivery || waiting === 0) longest = Math.max(longest, step.at - since)
    if (step.delivery) since = step.at
  }
  return longest
}

const MOST_NAMES = 10
const names = (fates: readonly Fate[]): readonly string[] => fates.slice(0, MOST_NAMES).map(({ name }) => name)
