/** Why an alert was notified to nobody, or twice: worked out from what the servers say, along the way that an alert goes. */
import type { HeldAlert } from '../../lib/api/alertmanager.ts'
import { type Labels, type Matcher, meetsAll } from '../../lib/routing/matcher.ts'
import { causesAtAlertmanagers } from './at-alertmanagers.ts'
import { causesAtPrometheus, type Made, madeBy } from './at-prometheus.ts'
import type { Cause, Facts } from './facts.ts'
import { causesOfTwo } from './twice.ts'

/** One alert, with the labels that Alertmanager sees. */
export interface Explained {
  readonly labels: Labels
  readonly causes: readonly Cause[]
}
export interface Explanation {
  /** True of the rule rather than of one alert: it does not fire, or is not there. */
  readonly causes: readonly Cause[]
  readonly alerts: readonly Explained[]
}

/** Of all alerts that these matchers take, before or after relabelling; 50 at most. `now` is in milliseconds since the epoch. */
export const explain = (matchers: readonly Matcher[], facts: Facts): Explanation => {
  const made = facts.prometheus.flatMap((one) => madeBy(one))
  const wanted = made.filter(
    ({ labels, sent }) => meetsAll(labels, matchers) || (sent !== null && meetsAll(sent, matchers)),
  )
  const held = facts.alertmanagers.flatMap(({ alerts }) => alerts).filter(({ labels }) => meetsAll(labels, matchers))
  const firing = wanted.filter(({ state }) => state === 'firing')
  const subjects = subjectsOf(firing, held)
  const alerts = subjects.slice(0, MOST).map((labels) => {
    const own = firing.filter((one) => keyOf(one.sent ?? one.labels) === keyOf(labels))
    return { labels, causes: causesOf(labels, { own, facts }) }
  })
  return { alerts, causes: subjects.length > 0 ? [] : causesAtPrometheus(matchers, { wanted, facts }) }
}
const MOST = 50

const causesOf = (
  labels: Labels,
  { own, facts }: { readonly own: readonly Made[]; readonly facts: Facts },
): readonly Cause[] => {
  const found = [...causesAtAlertmanagers(labels, { own, facts }), ...causesOfTwo(labels, facts)]
  const wrong = found.filter(({ effect }) => effect !== 'fine')
  if (wrong.length > 0) return wrong
  if (found.length > 0) return found
  const told = facts.alertmanagers[0]?.router.route(labels).map(({ receiver }) => receiver) ?? []
  const since = facts.alertmanagers.flatMap(({ alerts }) => alerts).find((one) => keyOf(one.labels) === keyOf(labels))
  const repeat = facts.alertmanagers[0]?.router.pace(labels)[0]?.repeat
  return [
    {
      id: 'notified',
      effect: 'fine',
      what: `${told.join(', ')} is notified of it, since ${since?.startsAt ?? 'it fires'}; again after ${repeat}, or when its group changes`,
      fix: 'Look at the receiver itself: what Alertmanager handed over is no more in its sight.',
    },
  ]
}

/** Each alert once, as Alertmanager sees it; one that relabelling drops, as its rule made it. */
const subjectsOf = (firing: readonly Made[], held: readonly HeldAlert[]): readonly Labels[] => [
  ...new Map(
    [...firing.map(({ labels, sent }) => sent ?? labels), ...held.map(({ labels }) => labels)].map((one) => [
      keyOf(one),
      one,
    ]),
  ).values(),
]

const keyOf = (labels: Labels): string => JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))
