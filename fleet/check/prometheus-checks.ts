import compare from 'semver/functions/compare.js'
import { relabel } from '../../lib/routing/relabel.ts'
import { disagreement, type FleetRule, inBoth } from './fleet-facts.ts'
import type { FleetView, PrometheusView } from './view.ts'

/** An alert with one label of its own. */
const ALERT = { alertname: 'Any', severity: 'warning' }

/** The labels with which one alert leaves a Prometheus. */
const sentLabels = ({ version, externalLabels, alertRelabel }: PrometheusView): Readonly<Record<string, string>> => {
  try {
    const dotAll = compare(version, '3.0.0') >= 0
    return relabel({ ...externalLabels, ...ALERT }, alertRelabel, dotAll) ?? { dropped: 'yes' }
  } catch (error) {
    // Of what runs, it is what a host has said.
    return { 'cannot be followed': error instanceof Error ? error.message : String(error) }
  }
}

/** Whom these send to that is neither deployed by the inventory nor known otherwise. */
const strangers = (
  inventory: FleetView,
  senders: FleetView['prometheus'],
  known: (one: PrometheusView) => readonly string[],
): readonly { readonly host: string; readonly foreign: readonly string[] }[] => {
  const ours = [...inventory.alertmanagers.map(({ address }) => address), ...(inventory.ring ?? [])]
  return senders.flatMap((one) => {
    const all = new Set([...ours, ...known(one)])
    const foreign = one.alertmanagers.filter((address) => !all.has(address))
    return foreign.length > 0 ? [{ host: one.host, foreign }] : []
  })
}

export const prometheusRules: readonly FleetRule[] = [
  {
    id: 'replica-labels-equal',
    severity: 'error',
    why: 'Remote storage takes the samples of both replicas for one series, and refuses or mixes them; nobody can tell which replica said what.',
    fix: 'Give each replica its own `prometheus.replica`, or leave it out: the host’s name is the default.',
    find: inBoth((view) =>
      inShards(view, (replicas) =>
        [...Map.groupBy(replicas, ({ externalLabels }) => canonical(externalLabels)).values()]
          .filter((same) => same.length > 1)
          .map((same) => ({
            hosts: namesOf(same),
            what: `replicas with the same external labels ${canonical(same[0]?.externalLabels ?? {})}`,
          })),
      ),
    ),
  },
  {
    id: 'replica-label-on-alerts',
    severity: 'error',
    why: 'To Alertmanager the alerts of two replicas are then two alerts: everything is notified twice, and inhibition and silences by label may fit only one.',
    fix: 'Drop the replica label in `alert_relabel_configs` (the role does), and let no later step put it or another differing label back.',
    find: inBoth((view) =>
      inShards(view, (replicas) => {
        const found = disagreement(replicas, (one) => canonical(sentLabels(one)))
        return found ? [{ hosts: found.hosts, what: `one alert has different labels: ${found.what}` }] : []
      }),
    ),
  },
  {
    id: 'alertmanager-missing',
    severity: 'error',
    why: 'Alerts are not gossiped: an Alertmanager that a Prometheus does not send to never hears of them, and is no help when the others are gone.',
    fix: 'Let `prometheus.alertmanager_group` name all members of a cluster, and deploy.',
    find: ({ inventory, running }) => {
      const members = inventory.alertmanagers
      const lacks = (view: FleetView) =>
        view.prometheus.flatMap(({ host, alertmanagers }) => {
          const missing = members.filter(({ address }) => !alertmanagers.includes(address))
          return missing.length > 0
            ? [
                {
                  hosts: [host],
                  what: `does not send alerts to ${missing.map((one) => `${one.host} (${one.address})`).join(', ')}`,
                },
              ]
            : []
        })
      return inBoth(lacks)({ inventory, running, unread: [], paths: [], untested: [], balanced: [] })
    },
  },
  {
    id: 'alertmanager-foreign',
    severity: 'error',
    why: 'Behind a load balancer each alert reaches only one member, so members notify and resolve on their own; a stranger may notify a second time.',
    fix: 'List every Alertmanager by its own address, and nothing else.',
    find: ({ inventory, running }) => {
      const named = new Map(inventory.prometheus.map(({ host, alertmanagers }) => [host, alertmanagers]))
      return strangers(inventory, running.prometheus, ({ host }) => named.get(host) ?? []).map(({ host, foreign }) => ({
        hosts: [host],
        what: `sends alerts to ${foreign.join(', ')}, no Alertmanager of the inventory`,
      }))
    },
  },
  {
    id: 'alertmanager-of-others',
    severity: 'warning',
    why: 'Nobody here knows whether it serves, and what it is told it may notify of a second time.',
    fix: 'See that each of its members is listed in `prometheus.alerting.alertmanagers` by an address of its own; once Vestal is to deploy it, put it into group alertmanager.',
    find: ({ inventory }) =>
      strangers(inventory, inventory.prometheus, () => []).map(({ host, foreign }) => ({
        hosts: [host],
        what: `sends alerts to ${foreign.join(', ')}, which Vestal does not deploy`,
      })),
  },
  {
    id: 'alertmanager-balanced',
    severity: 'error',
    why: 'A name with several addresses is a load balancer: each alert reaches one of them, not all.',
    fix: 'Set `ansible_host` of each Alertmanager to an address of its own.',
    find: ({ balanced }) =>
      balanced.map(({ host, name, addresses }) => ({
        hosts: [host],
        what: `${name} has ${addresses.length} addresses: ${addresses.join(', ')}`,
      })),
  },
  {
    id: 'alertmanager-unreachable',
    severity: 'error',
    why: 'Alerts of this Prometheus don’t arrive there; when the others are down they don’t arrive at all.',
    fix: 'Let the Prometheus hosts reach the Alertmanagers’ web port (TCP 9093).',
    find: ({ paths }) =>
      paths
        .filter(({ name, open }) => name === 'web' && !open)
        .map(({ from, to, address, port, why }) => ({
          hosts: [from, to],
          what: `${from} does not reach ${to} at ${address}:${port}: ${why}`,
        })),
  },
  {
    id: 'targets-differ',
    severity: 'error',
    why: 'Replicas of a shard stand in for each other only if both scrape everything.',
    fix: 'Give all hosts of the shard the same `targets` and `scrape_configs`, and deploy.',
    find: inBoth((view) => differing(view, ({ targets }) => targets, 'replicas scrape different targets')),
  },
  {
    id: 'rules-differ',
    severity: 'error',
    why: 'An alert that only one replica knows resolves when that replica stops.',
    fix: 'Give all hosts of the shard the same `rules`, and deploy.',
    find: inBoth((view) => differing(view, ({ rules }) => rules, 'replicas have different rules')),
  },
  {
    id: 'pace-differs',
    severity: 'warning',
    why: 'Replicas that scrape or evaluate at another pace see alerts start and end at other times.',
    fix: 'Set `scrape_interval`, `evaluation_interval` and `resend_delay` for the group, not for a host.',
    find: inBoth((view) =>
      inShards(view, (replicas) =>
        [disagreement(replicas, ({ pace }) => canonical(pace))].filter((one) => one !== null),
      ),
    ),
  },
  {
    id: 'retention-differs',
    severity: 'warning',
    why: 'After the loss of the replica that keeps more, the older samples are gone.',
    fix: 'Set `retention` for the group, not for a host.',
    find: inBoth((view) => [
      ...inShards(view, (replicas) =>
        [disagreement(replicas, ({ retention }) => retention)].filter((one) => one !== null),
      ),
      ...[disagreement(view.alertmanagers, ({ retention }) => retention)].filter((one) => one !== null),
    ]),
  },
  {
    id: 'replica-alone',
    severity: 'warning',
    why: 'While it is down nothing of its shard is scraped and no alert of it fires.',
    fix: 'Add a second Prometheus to the shard.',
    find: ({ inventory }) =>
      inShards(inventory, (replicas) =>
        replicas.length === 1
          ? [{ hosts: namesOf(replicas), what: `the only replica of shard ${replicas[0]?.shard}` }]
          : [],
      ),
  },
  {
    id: 'resend-slow',
    severity: 'warning',
    why: 'Alertmanager doesn’t store alerts: after a restart it knows of none until they are sent again.',
    fix: 'Set `resend_delay` and `evaluation_interval` to a minute or less.',
    find: inBoth((view) =>
      view.prometheus
        .filter(({ resendMs }) => resendMs > 120_000)
        .map(({ host, resendMs }) => ({
          hosts: [host],
          what: `sends firing alerts again only every ${resendMs / 1_000} s`,
        })),
    ),
  },
  {
    id: 'remote-write-shards-alike',
    severity: 'error',
    why: 'The HA tracker of Cortex and Mimir takes the samples of one replica for each value of `cluster`: those of all other shards are dropped.',
    fix: 'Set `ha_tracker: true` in the `remote_write` entry, which puts the shard into the value of `cluster`.',
    find: inBoth((view) =>
      [...Map.groupBy(tracked(view), ({ url, cluster }) => JSON.stringify([url, cluster])).values()]
        .filter((alike) => new Set(alike.map(({ shard }) => shard)).size > 1)
        .map((alike) => ({
          hosts: [...new Set(alike.map(({ host }) => host))],
          what: `shards ${[...new Set(alike.map(({ shard }) => shard))].join(', ')} send samples with \`__replica__\` and the same \`cluster\` ${JSON.stringify(alike[0]?.cluster)} to ${alike[0]?.url}`,
        })),
    ),
  },
  {
    id: 'remote-write-replica-alone',
    severity: 'error',
    why: 'The HA tracker of Cortex and Mimir takes replicas for one only where they agree on `cluster`: otherwise it keeps the samples of each, and they clash.',
    fix: 'Set `ha_tracker: true` in the `remote_write` entry of all, and the same `prometheus.cluster`.',
    find: inBoth((view) =>
      inShards(view, (replicas) =>
        [...Map.groupBy(tracked({ ...view, prometheus: replicas }), ({ url }) => url).values()].flatMap((sent) =>
          [disagreement(sent, ({ cluster }) => JSON.stringify(cluster))].filter((one) => one !== null),
        ),
      ),
    ),
  },
  {
    id: 'remote-write-untracked',
    severity: 'warning',
    why: 'Cortex and Mimir get every sample of both replicas: they refuse those of one as duplicates, or keep two series, one for each replica.',
    fix: 'Set `ha_tracker: true` in the `remote_write` entry, and let the receiver track replicas.',
    find: inBoth((view) =>
      inShards(view, (replicas) =>
        [...Map.groupBy(replicas.flatMap(untracked), ({ url }) => url).values()]
          .filter((sent) => sent.length > 1)
          .map((sent) => ({
            hosts: sent.map(({ host }) => host),
            what: `replicas send samples without \`__replica__\` to ${sent[0]?.url}`,
          })),
      ),
    ),
  },
  {
    id: 'versions-mixed',
    severity: 'warning',
    why: 'A roll was left half way: what one version accepts and does, the other may not.',
    fix: 'Finish the roll, or roll back.',
    find: inBoth((view) => [
      ...inShards(view, (replicas) => [disagreement(replicas, ({ version }) => version)].filter((one) => one !== null)),
      ...[disagreement(view.alertmanagers, ({ version }) => version)].filter((one) => one !== null),
    ]),
  },
]

/** What is sent for a tracker of replicas. */
const tracked = ({ prometheus }: FleetView) =>
  prometheus.flatMap(({ host, shard, remoteWrite }) =>
    remoteWrite.flatMap(({ url, tracked: labels }) =>
      labels?.replica ? [{ host, shard, url, cluster: labels.cluster }] : [],
    ),
  )

/** Sent without a replica to where Cortex and Mimir take samples. */
const untracked = ({ host, remoteWrite }: PrometheusView) =>
  remoteWrite
    .filter(({ url, tracked: labels }) => /\/api\/(?:v1|prom)\/push$/.test(url) && labels?.replica === '')
    .map(({ url }) => ({ host, url }))

const inShards = <T>(
  { prometheus }: FleetView,
  find: (replicas: readonly PrometheusView[]) => readonly T[],
): readonly T[] => [...Map.groupBy(prometheus, ({ shard }) => shard).values()].flatMap(find)

const differing = (view: FleetView, value: (one: PrometheusView) => string, what: string) =>
  inShards(view, (replicas) => {
    const groups = [...Map.groupBy(replicas, value).values()].map((some) => namesOf(some).join(', '))
    return groups.length > 1 ? [{ hosts: namesOf(replicas), what: `${what}: ${groups.join(' | ')}` }] : []
  })

const namesOf = (all: readonly PrometheusView[]): readonly string[] => all.map(({ host }) => host)

const canonical = (labels: Readonly<Record<string, string>>): string =>
  `{${Object.entries(labels)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(', ')}}`
