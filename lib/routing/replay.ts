import type { Labels } from './matcher.ts'
import { type RelabelStep, relabel } from './relabel.ts'
import type { Router } from './routes.ts'

/** Everything that decides who is notified of an alert of a rule: what its Prometheus does to it, and Alertmanager's routes. */
export interface Side {
  readonly external: Labels
  readonly steps: readonly RelabelStep[]
  readonly dotAll: boolean
  readonly router: Router
}
export interface Replayed {
  readonly before: readonly string[]
  readonly after: readonly string[]
}

/** Who is notified of an alert on each side at this time; sorted. A side that drops the alert notifies nobody. */
export const replay = (alert: Labels, { before, after }: { before: Side; after: Side }, at: Date): Replayed => ({
  before: toldBy(alert, before, at),
  after: toldBy(alert, after, at),
})

/** An alert as this side's Alertmanager sees it; null where it never does. Source: Prometheus' `notifier.Manager.Send`. */
export const sentAs = (alert: Labels, { external, steps, dotAll }: Omit<Side, 'router'>): Labels | null =>
  relabel({ ...external, ...alert }, steps, dotAll)

const toldBy = (alert: Labels, side: Side, at: Date): readonly string[] => {
  const sent = sentAs(alert, side)
  return sent ? receiversAt(side.router, sent, at) : []
}

/** The receivers of an alert that Alertmanager has, those that wait marked as such. */
export const receiversAt = (router: Router, labels: Labels, at: Date): readonly string[] =>
  [
    ...new Set(
      router.route(labels, at).map(({ receiver, mutedBy }) => (mutedBy.length > 0 ? `${receiver} (later)` : receiver)),
    ),
  ].sort()
