import type { Labels } from '../../lib/routing/matcher.ts'
import { heldBy, spanOf } from './at-alertmanagers.ts'
import type { AlertmanagerFacts, Cause, Facts } from './facts.ts'

/** Why somebody may be notified of one alert more than once. */
export const causesOfTwo = (labels: Labels, facts: Facts): readonly Cause[] => [
  ...copies(labels, facts),
  ...split(facts),
  ...differing(labels, facts),
  ...unevenSilence(labels, facts),
  ...severalRoutes(labels, facts),
  ...repeating(labels, facts),
]

/** Alerts that differ in labels that tell replicas apart, and in those only; or in others that their rules set. */
const copies = (labels: Labels, { alertmanagers, prometheus }: Facts): readonly Cause[] => {
  const external = [...new Set(prometheus.flatMap(({ external }) => Object.keys(external)))]
  const apart = external.filter((name) => new Set(prometheus.map((one) => one.external[name])).size > 1)
  const others = alertmanagers
    .flatMap(({ alerts }) => alerts)
    .filter((one) => one.labels.alertname === labels.alertname)
  const replica = apart.find((name) => others.some((one) => differOnlyIn([name], one.labels, labels)))
  if (replica !== undefined)
    return [
      twice(
        'replica-label',
        `the label ${replica}, which tells Prometheus replicas apart, is on the alert, so that each replica's is another`,
        'Drop it in alert_relabel_configs: vestal deploy does.',
      ),
    ]
  const instances = prometheus.map(({ groups }) =>
    groups.flatMap(({ rules }) => rules.filter(({ type, name }) => type === 'alerting' && name === labels.alertname)),
  )
  const spellings = new Set(
    instances.flatMap((rules) =>
      rules.length > 0 ? [JSON.stringify(rules.map((one) => sorted(one.labels ?? {})))] : [],
    ),
  )
  return spellings.size > 1
    ? [
        twice(
          'rules-differ',
          `the rule ${labels.alertname} has other labels on one Prometheus than on another`,
          'Deploy the same rules to both.',
        ),
      ]
    : []
}

const sorted = (labels: Labels) => Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))

const differOnlyIn = (names: readonly string[], one: Labels, other: Labels): boolean => {
  const differ = [...new Set([...Object.keys(one), ...Object.keys(other)])].filter((name) => one[name] !== other[name])
  return differ.length > 0 && differ.every((name) => names.includes(name))
}

const split = ({ alertmanagers, members }: Facts): readonly Cause[] => {
  if (members < 2) return []
  const alone = alertmanagers.filter((one) => one.members === null)
  if (alone.length > 0)
    return [
      twice(
        'no-cluster',
        `${namesOf(alone)} is no member of a cluster, and notifies by itself`,
        'Look at its --cluster flags.',
      ),
    ]
  const few = alertmanagers.filter((one) => (one.members ?? 0) < members)
  return few.length > 0
    ? [
        twice(
          'split',
          `${few.map((one) => `${one.host} sees ${one.members} of ${members} members`).join(', ')}: those that do not hear of each other each notify`,
          'Look at gossip, TCP and UDP: vestal check.',
        ),
      ]
    : []
}

const differing = (labels: Labels, { alertmanagers }: Facts): readonly Cause[] => {
  const ways = alertmanagers.map(({ router }) =>
    JSON.stringify(router.route(labels).map(({ receiver, groupBy }) => [receiver, [...groupBy].sort()])),
  )
  return new Set(ways).size > 1
    ? [
        twice(
          'configs-differ',
          `Alertmanagers have different routes for it: ${alertmanagers
            .map(
              ({ host, router }) =>
                `${host} tells ${router
                  .route(labels)
                  .map(({ receiver, groupBy }) => `${receiver} grouped by ${groupBy.join(', ') || 'nothing'}`)
                  .join(' and ')}`,
            )
            .join('; ')}`,
          'Deploy the same config to all.',
        ),
      ]
    : []
}

/** A silence that only some have: those that lack it notify. */
const unevenSilence = (labels: Labels, { alertmanagers }: Facts): readonly Cause[] => {
  const having = alertmanagers.flatMap((one) => {
    const alert = heldBy(one, labels)
    return alert ? [{ one, silenced: (alert.status?.silencedBy ?? []).length > 0 }] : []
  })
  const without = having.filter(({ silenced }) => !silenced)
  return without.length > 0 && without.length < having.length
    ? [
        twice(
          'silence-not-everywhere',
          `it is silenced on some Alertmanagers, and ${namesOf(without.map(({ one }) => one))} lacks the silence and notifies`,
          'Look at gossip; make the silence again on that one.',
        ),
      ]
    : []
}

const severalRoutes = (labels: Labels, { alertmanagers: [first] }: Facts): readonly Cause[] => {
  const told = first?.router.route(labels) ?? []
  return told.length > 1
    ? [
        twice(
          'several-routes',
          `${told.length} routes take it, as a route goes on (continue): ${told.map(({ receiver }) => receiver).join(', ')}`,
          'Leave `continue` out where one is enough.',
        ),
      ]
    : []
}

/** Told again by intent, sooner than people expect. */
const repeating = (labels: Labels, { alertmanagers: [first] }: Facts): readonly Cause[] => {
  const repeat = first?.router.pace(labels)[0]?.repeat
  const alert = first && heldBy(first, labels)
  if (repeat === undefined || !first || !alert || spanOf(repeat) > SHORT_MS) return []
  return first.now - Date.parse(alert.startsAt) >= spanOf(repeat)
    ? [
        twice(
          'repeats',
          `it is notified again every ${repeat} while it fires (repeat_interval)`,
          'Lengthen repeat_interval: some hours are usual.',
        ),
      ]
    : []
}
const SHORT_MS = 30 * 60_000

const namesOf = (some: readonly AlertmanagerFacts[]): string => some.map(({ host }) => host).join(', ')

const twice = (id: string, what: string, fix: string): Cause => ({ id, effect: 'twice', what, fix })
