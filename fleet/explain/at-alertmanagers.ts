import type { HeldAlert } from '../../lib/api/alertmanager.ts'
import { milliseconds } from '../../lib/duration.ts'
import type { Duration } from '../../lib/model.ts'
import { labelsText } from '../../lib/routing/cases.ts'
import type { Labels } from '../../lib/routing/matcher.ts'
import { type Made, nobody } from './at-prometheus.ts'
import type { AlertmanagerFacts, Cause, Facts } from './facts.ts'

interface AlertPath {
  /** The alert as Prometheus makes it. */
  readonly own: readonly Made[]
  readonly facts: Facts
}

/** Why an alert that fires is notified to nobody: the first place on its way where it stops. */
export const causesAtAlertmanagers = (labels: Labels, { own, facts }: AlertPath): readonly Cause[] => {
  const { alertmanagers } = facts
  const having = alertmanagers.flatMap((one) => {
    const alert = heldBy(one, labels)
    return alert ? [{ one, alert }] : []
  })
  if (having.length === 0) return beforeAny({ own, facts })
  const suppressed = having.map(({ one, alert }) => suppression(one, alert))
  if (suppressed.every((some) => some.length > 0)) return distinct(suppressed.flat())
  const free = having.filter((_, at) => suppressed[at]?.length === 0)
  return distinct(free.flatMap(({ one, alert }) => atReceivers(one, alert)))
}

export const heldBy = ({ alerts }: AlertmanagerFacts, labels: Labels): HeldAlert | undefined =>
  alerts.find((one) => same(one.labels, labels))

export const same = (one: Labels, other: Labels): boolean =>
  Object.keys(one).length === Object.keys(other).length &&
  Object.entries(one).every(([name, value]) => other[name] === value)

/** It fires, and no Alertmanager has it. */
const beforeAny = ({ own, facts }: AlertPath): readonly Cause[] => {
  const { alertmanagers, prometheus, silent } = facts
  const kept = own.filter(({ sent }) => sent !== null)
  if (kept.length === 0)
    return [nobody('dropped', `alert_relabel_configs of ${hostsOf(own)} drops it`, 'Look at alert_relabel_configs.')]
  if (alertmanagers.length === 0)
    return [
      nobody(
        'alertmanager-silent',
        `no Alertmanager answers: ${silent
          .filter(({ service }) => service === 'alertmanager')
          .map(({ host, why }) => `${host}: ${why}`)
          .join('; ')}`,
        'Ask vestal status.',
      ),
    ]
  const senders = prometheus.filter(({ host }) => kept.some((one) => one.host === host))
  if (senders.every(({ sendsTo }) => sendsTo.length === 0))
    return [nobody('sends-to-none', `${hostsOf(kept)} sends to no Alertmanager`, 'Look at `alerting` in its config.')]
  const places = alertmanagers.map(({ place }) => place)
  if (senders.every(({ sendsTo }) => !sendsTo.some((place) => places.includes(place))))
    return [
      nobody(
        'sends-elsewhere',
        `${hostsOf(kept)} sends to ${senders[0]?.sendsTo.join(', ')}, and no Alertmanager of the inventory is there`,
        'Deploy, or look at `alerting` in its config.',
      ),
    ]
  const refusing = alertmanagers.filter(({ invalid }) => invalid > 0)
  if (refusing.length > 0)
    return [
      nobody(
        'refused',
        `${hostsOf(refusing)} refuses alerts as invalid`,
        'Look for empty label names, or names that its version does not take.',
      ),
    ]
  const failing = senders.filter(({ errors }) => errors.some(({ value }) => value > 0))
  if (failing.length > 0)
    return [
      nobody(
        'send-fails',
        `${hostsOf(failing)} fails to send alerts to ${[...new Set(failing.flatMap(({ errors }) => errors.filter(({ value }) => value > 0).map(({ labels }) => labels.alertmanager ?? '?')))].join(', ')}`,
        'Look at the network between them, TLS and passwords.',
      ),
    ]
  const full = senders.filter(({ dropped }) => dropped > 0)
  if (full.length > 0)
    return [
      nobody(
        'queue-full',
        `${hostsOf(full)} gives alerts up, as its queue is full`,
        'Look at how fast the Alertmanagers answer.',
      ),
    ]
  return [
    nobody(
      'not-received',
      `${hostsOf(kept)} has it, and no Alertmanager`,
      'It may be on its way: ask again in a minute. Else compare the clocks of both.',
    ),
  ]
}

const suppression = (one: AlertmanagerFacts, { labels, status }: HeldAlert): readonly Cause[] => {
  const bySilence = (status?.silencedBy ?? []).map((id) => {
    const silence = one.silences.find((some) => some.id === id)
    return nobody(
      'silenced',
      silence
        ? `the silence ${id} of ${silence.createdBy} holds until ${silence.endsAt}: ${silence.comment}`
        : `the silence ${id}`,
      'End it: vestal silences, or amtool silence expire.',
    )
  })
  const byAlert = (status?.inhibitedBy ?? []).map((id) => {
    const source = one.alerts.find(({ fingerprint }) => fingerprint === id)
    return nobody(
      'inhibited',
      `it is inhibited by ${source ? labelsText(source.labels) : `the alert ${id}`}`,
      'Look at inhibit_rules.',
    )
  })
  if (bySilence.length + byAlert.length > 0) return [...bySilence, ...byAlert]
  const told = one.router.route(labels, new Date(one.now))
  return told.length > 0 && told.every(({ mutedBy }) => mutedBy.length > 0)
    ? [
        nobody(
          'muted',
          `${told.map(({ receiver }) => receiver).join(', ')} is not told at this time: ${[...new Set(told.flatMap(({ mutedBy }) => mutedBy))].join(', ')}`,
          'Look at the time intervals of its route: vestal routes show.',
        ),
      ]
    : []
}

const atReceivers = (one: AlertmanagerFacts, alert: HeldAlert): readonly Cause[] => {
  const told = one.router.route(alert.labels, new Date(one.now)).filter(({ mutedBy }) => mutedBy.length === 0)
  const kinds = told.flatMap(({ receiver }) => one.receivers.get(receiver) ?? [])
  const names = told.map(({ receiver }) => receiver).join(', ')
  if (kinds.length === 0)
    return [
      nobody(
        'empty-receiver',
        `its receiver ${names} notifies nobody: it has no integration`,
        'Give it one, or route the alert elsewhere.',
      ),
    ]
  const waits = waiting(one, alert)
  if (waits) return [waits]
  const failed = one.failed.filter(({ labels, value }) => value > 0 && kinds.includes(labels.integration ?? ''))
  if (failed.length > 0)
    return [
      nobody(
        'fails',
        `${one.host} fails to notify: ${failed.map(({ labels, value }) => `${labels.integration} ${value} times${labels.reason ? ` (${labels.reason})` : ''}`).join(', ')}`,
        'Look at its log for what the receiver answers.',
      ),
    ]
  if (!one.reloaded)
    return [
      nobody(
        'alertmanager-old-config',
        `${one.host} has refused its last config and runs an older one`,
        'Mend the config: vestal check.',
      ),
    ]
  return told.every(({ way }) => way.length === 0) && one.receivers.size > 1
    ? [
        {
          id: 'no-route',
          effect: 'fine',
          what: `no route takes it: ${names} is notified, the receiver of the root`,
          fix: "Where somebody else should be, add a route, or a team's claim: vestal routes coverage.",
        },
      ]
    : []
}

/** A new group waits for others; an alert that joins one that was notified waits for its interval. */
const waiting = (one: AlertmanagerFacts, alert: HeldAlert): Cause | null => {
  const [told] = one.router.route(alert.labels)
  const [pace] = one.router.pace(alert.labels)
  if (!told || !pace) return null
  const age = one.now - Date.parse(alert.startsAt)
  const alike = one.alerts.filter(
    (other) =>
      other !== alert &&
      one.router.route(other.labels)[0]?.receiver === told.receiver &&
      groupOf(other.labels, told.groupBy) === groupOf(alert.labels, told.groupBy),
  )
  const older = alike.some(({ startsAt }) => Date.parse(startsAt) < Date.parse(alert.startsAt))
  if (!older && age < spanOf(pace.wait))
    return nobody('group-wait', `it is new, and its group waits for others: ${pace.wait} (group_wait)`, 'Wait.')
  return older && age < spanOf(pace.interval)
    ? nobody(
        'group-interval',
        `its group was notified already, and is looked at again each ${pace.interval} (group_interval)`,
        'Wait.',
      )
    : null
}

const groupOf = (labels: Labels, by: readonly string[]): string =>
  JSON.stringify(by.includes('...') ? Object.entries(labels).sort() : by.map((name) => labels[name] ?? ''))

/** Of `1h30m` too, as Go prints it. */
export const spanOf = (text: string): number =>
  (text.match(/\d+(?:ms|[smhdwy])/g) ?? []).reduce((total, part) => total + unitOf(part), 0)
const unitOf = (part: string): number => {
  const [, count = '0', unit = ''] = /^(\d+)([a-z]+)$/.exec(part) ?? []
  if (unit === 'w') return Number(count) * 7 * 86_400_000
  return unit === 'y' ? Number(count) * 365 * 86_400_000 : milliseconds(part as Duration)
}

const hostsOf = (some: readonly { readonly host: string }[]): string =>
  [...new Set(some.map(({ host }) => host))].join(', ')

const distinct = (causes: readonly Cause[]): readonly Cause[] => [
  ...new Map(causes.map((one) => [`${one.id} ${one.what}`, one])).values(),
]
