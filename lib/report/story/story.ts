/** A recorded run as a person would tell it: what was done when and where, what was seen meanwhile, what came of it. All times are milliseconds since its start. */
import type { RunEvent } from '../../engine/events.ts'
import type { LedgerEvent } from '../../ledger/events.ts'
import type { AlertsReport, DrillReport, RunReport } from '../../model.ts'
import type { AuditEntry } from '../audit.ts'

/** Something that lasted on a host. */
export interface Span {
  readonly host: string
  readonly what: string
  readonly kind: 'fault' | 'work' | 'down'
  readonly from: number
  readonly to: number
}
/** A canary alert, once for each cluster that is to notify it. */
export interface Canary {
  readonly name: string
  readonly silenced: boolean
  readonly sentAt: number
  /** When it was first notified as firing; left out where it never was. */
  readonly deliveredAt?: number
  /** Whether it is one of those that the report calls lost. */
  readonly lost: boolean
}
/** A notification as it came. */
export interface Notice {
  readonly canary: string
  readonly host: string
  readonly at: number
  readonly status: 'firing' | 'resolved'
  /** Whether its alert was notified as firing already, with no resolved since. */
  readonly again: boolean
}
/** How many members of its cluster a host saw, from this moment on. */
export interface Seen {
  readonly host: string
  readonly at: number
  readonly members: number
}
export interface AskedGate {
  readonly play: string
  readonly host: string
  readonly name: string
  readonly pass: boolean
  readonly why?: string
  readonly ms: number
}
export type Result = 'passed' | 'deviated' | 'failed' | 'aborted' | 'interrupted' | 'unfinished'

export interface Story {
  readonly run: string
  readonly playbook: string
  readonly inventory: string
  readonly owner: string
  /** RFC 3339. */
  readonly startedAt: string
  readonly ms: number
  /** A drill's own verdict; of other runs whether they went well. `unfinished`: it left no report. */
  readonly result: Result
  readonly causes: readonly string[]
  readonly hosts: readonly string[]
  readonly spans: readonly Span[]
  readonly canaries: readonly Canary[]
  readonly notices: readonly Notice[]
  readonly seen: readonly Seen[]
  readonly gates: readonly AskedGate[]
  readonly alerts?: AlertsReport
  readonly drill?: DrillReport
  readonly tasks: { readonly changed: number; readonly same: number; readonly failed: number; readonly skipped: number }
}

/** What a run's folder tells. A run that was killed has told a part of it. */
export const storyOf = (entry: AuditEntry): Story => {
  const { report } = entry
  const events = entry.events as unknown as readonly RunEvent[]
  const ledger = entry.notifications as unknown as readonly LedgerEvent[]
  const start = Date.parse(entry.startedAt) || Date.parse(report?.startedAt ?? '') || 0
  const since = (at: string | number): number => Math.max(0, (typeof at === 'number' ? at : Date.parse(at)) - start)
  const last = [...events.map(({ at }) => since(at)), ...ledger.map(({ at }) => since(at))]
  const ms = Math.max(
    1,
    last.reduce((most, one) => Math.max(most, one || 0), report?.ms ?? 0),
  )
  const started = events.find((event) => event.event === 'run-started')
  const spans = [...faultsOf(report?.drill, since, ms), ...workOf(events, since, ms), ...downOf(events, since, ms)]
  const notices = noticesOf(ledger, since)
  const outcomes = Object.values(report?.hosts ?? {}).flatMap((tasks) => Object.values(tasks))
  const count = (status: string): number => outcomes.filter((one) => one.status === status).length
  return {
    run: entry.run,
    playbook: entry.playbook,
    inventory: entry.inventory,
    owner: entry.owner,
    startedAt: entry.startedAt,
    ms,
    result: resultOf(entry),
    causes: causesOf(report),
    hosts: started?.hosts ?? [...new Set(spans.map(({ host }) => host))],
    spans,
    canaries: canariesOf(ledger, { since, lost: report?.alerts?.canaries.lost ?? [] }),
    notices,
    seen: events.flatMap((event) =>
      event.event === 'seen' && event.members !== undefined
        ? [{ host: event.host, at: since(event.at), members: event.members }]
        : [],
    ),
    gates: gatesOf(events, report),
    ...(report?.alerts && { alerts: report.alerts }),
    ...(report?.drill && { drill: report.drill }),
    tasks: { changed: count('changed'), same: count('same'), failed: count('failed'), skipped: count('skipped') },
  }
}

type Since = (at: string | number) => number

const resultOf = ({ report, result }: AuditEntry): Result => {
  if (report?.drill) return report.drill.verdict
  if (result === 'done' || result === 'planned') return 'passed'
  if (result === 'interrupted') return 'interrupted'
  return report ? 'failed' : 'unfinished'
}

const causesOf = (report: RunReport | null): readonly string[] => {
  if (!report) return ['The run left no report: it was killed, or its controller was.']
  if (report.drill) return report.drill.causes
  const tasks = Object.entries(report.hosts).flatMap(([host, own]) =>
    Object.entries(own).flatMap(([task, one]) => (one.status === 'failed' ? [`${host}: ${task}: ${one.why}`] : [])),
  )
  const gates = report.gates.flatMap(({ pass, host, name, why }) => (pass ? [] : [`${host}: ${name}: ${why ?? 'no'}`]))
  const { lost = 0, duplicated = 0, silenced = { notified: 0 } } = report.alerts ?? {}
  return [
    ...(report.stops ?? []),
    ...tasks,
    ...gates,
    ...(lost > 0 ? [`${lost} canary alerts were never notified`] : []),
    ...(duplicated > 0 ? [`${duplicated} canary alerts were notified twice`] : []),
    ...(silenced.notified > 0 ? [`${silenced.notified} canary alerts were notified in spite of a silence`] : []),
  ]
}

const faultsOf = (drill: DrillReport | undefined, since: Since, end: number): readonly Span[] =>
  (drill?.faults ?? []).flatMap(({ host, name, beginAt, endAt }) =>
    beginAt === undefined
      ? []
      : [
          {
            host,
            what: name,
            kind: 'fault' as const,
            from: since(beginAt),
            to: endAt === undefined ? end : since(endAt),
          },
        ],
  )

/** From the start of a batch to the end of each of its hosts in that play. */
const workOf = (events: readonly RunEvent[], since: Since, end: number): readonly Span[] => {
  const over = (host: string, play: string, from: number): number => {
    const found = events.find(
      (event) =>
        since(event.at) >= from &&
        ((event.event === 'host-done' && event.host === host && event.play === play) ||
          (event.event === 'taken-back' && event.host === host && event.play === play) ||
          (event.event === 'host-failed' && event.host === host)),
    )
    return found ? since(found.at) : end
  }
  return events.flatMap((event) =>
    event.event === 'batch-started'
      ? event.hosts.map((host) => {
          const from = since(event.at)
          return { host, what: event.play, kind: 'work' as const, from, to: over(host, event.play, from) }
        })
      : [],
  )
}

/** From the moment at which a service was seen not to serve to that at which it did again. */
const downOf = (events: readonly RunEvent[], since: Since, end: number): readonly Span[] => {
  const all = events.filter((event) => event.event === 'seen')
  return all.flatMap((event, at) => {
    const before = all.slice(0, at).findLast(({ host, service }) => host === event.host && service === event.service)
    if (event.serves || before?.serves === false) return []
    const again = all
      .slice(at)
      .find(({ host, service, serves }) => host === event.host && service === event.service && serves)
    const what = `${event.service} does not serve`
    return [{ host: event.host, what, kind: 'down' as const, from: since(event.at), to: again ? since(again.at) : end }]
  })
}

const noticesOf = (ledger: readonly LedgerEvent[], since: Since): readonly Notice[] => {
  const firing = new Set<string>()
  return ledger.flatMap((event) => {
    if (event.what !== 'notified') return []
    const { canary, host, status, fingerprint, way, at } = event
    const key = `${canary} ${fingerprint} ${way}`
    const again = status === 'firing' && firing.has(key)
    if (status === 'firing') firing.add(key)
    else firing.delete(key)
    return [{ canary, host, status, again, at: since(at) }]
  })
}

const canariesOf = (
  ledger: readonly LedgerEvent[],
  { since, lost }: { readonly since: Since; readonly lost: readonly string[] },
): readonly Canary[] => {
  const first = new Map<string, number>()
  for (const event of ledger)
    if (event.what === 'notified' && event.status === 'firing') {
      const key = keyOf(event.canary, event.way)
      if (!first.has(key)) first.set(key, since(event.at))
    }
  return ledger.flatMap((event) => {
    if (event.what !== 'sent') return []
    const { ways = [undefined] } = event
    return ways.map((way) => {
      const name = keyOf(event.canary, way)
      const deliveredAt = first.get(name)
      const sentAt = since(event.at)
      return {
        name,
        silenced: event.silenced,
        sentAt,
        lost: lost.includes(name),
        ...(deliveredAt !== undefined && { deliveredAt }),
      }
    })
  })
}
const keyOf = (canary: string, way: string | undefined): string => (way === undefined ? canary : `${canary} (${way})`)

/** The report's; of a run without one, the last answer to each that was heard. */
const gatesOf = (events: readonly RunEvent[], report: RunReport | null): readonly AskedGate[] =>
  report?.gates ??
  events.flatMap((event) => {
    if (event.event !== 'gate' || !event.last) return []
    const { play, host, name, verdict, ms } = event
    return [{ play, host, name, pass: verdict.pass, ms, ...(!verdict.pass && { why: verdict.why }) }]
  })
