import { answered } from '../lib/answered.ts'
import { alertsOf } from '../lib/api/alertmanager.ts'
import { countsOfQuery } from '../lib/api/prometheus.ts'
import { type Counted, MINUTES, pathStatus } from '../lib/health/paths.ts'
import type { PathStatus } from '../lib/health/types.ts'
import type { Host, Inventory, Reach } from '../lib/model.ts'
import { endpointOf, joined, portOf } from '../lib/program/web.ts'
import { urlOf } from '../lib/url.ts'
import { PATH_ALERT, PATH_LABELS } from '../roles/alertmanager/heartbeats.ts'
import { alertmanager } from '../roles/alertmanager/role.ts'
import { membersIn } from '../roles/cortex-alertmanager/members.ts'
import { prometheus } from '../roles/prometheus/role.ts'

/** One question for all legs: what was tried, and what of it failed, by who tried and to whom. */
const QUESTION = [
  ['sent', 'sum by (instance, alertmanager)', 'prometheus_notifications_sent_total'],
  ['unsent', 'sum by (instance, alertmanager)', 'prometheus_notifications_errors_total'],
  ['notified', 'sum by (instance, integration)', 'alertmanager_notifications_total'],
  ['unnotified', 'sum by (instance, integration)', 'alertmanager_notifications_failed_total'],
  ['notified', 'sum by (instance, integration)', 'cortex_alertmanager_notifications_total'],
  ['unnotified', 'sum by (instance, integration)', 'cortex_alertmanager_notifications_failed_total'],
]
  .map(([what, sum, metric]) => `label_replace(${sum} (increase(${metric}[${MINUTES}m])), "leg", "${what}", "", "")`)
  .join(' or ')

/**
 * Every leg of every path of alerts: as each Prometheus has counted of whom it scrapes, and, with heartbeats, as each Alertmanager holds them. Hosts that don't answer
 * say nothing of their own. Where a Prometheus sends tenants' alerts to a ring, each of its instances is the end of a path.
 */
export const alertPaths = async (
  inventory: Inventory,
  { hosts, reach }: { readonly hosts: readonly Host[]; readonly reach: Reach },
): Promise<readonly PathStatus[]> => {
  const of = (group: string): readonly Host[] => hosts.filter(({ groups }) => groups.includes(group))
  const members = of('alertmanager').map((host) => ({ host, vars: alertmanager.varsOf(host) }))
  const servers = of('prometheus').map((host) => ({ host, vars: prometheus.varsOf(host) }))
  const senders = servers.filter(({ vars }) => vars.tenants.length > 0).map(({ host }) => host.name)
  const ring = (senders.length > 0 ? membersIn({ hosts }) : []).map(({ host, vars }) => ({
    host,
    vars,
    name: members.some((member) => member.host === host) ? `${host.name} (ring)` : host.name,
  }))
  if (members.length + ring.length === 0 || servers.length === 0) return []
  const [counts, held] = await Promise.all([
    Promise.all(
      servers.map(({ host, vars }) =>
        answered(() => countsOfQuery(reach, endpointOf(host, vars), QUESTION)).then((found) => found ?? []),
      ),
    ),
    Promise.all(
      members.map(async ({ host, vars }) => {
        const alerts = vars.heartbeats ? await answered(() => alertsOf(reach, endpointOf(host, vars))) : null
        const names = alerts?.items
          .filter(({ labels }) => labels.alertname === PATH_ALERT && labels[PATH_LABELS.through] === host.name)
          .map(({ labels }) => labels[PATH_LABELS.from] ?? '')
        return [host.name, names] as const
      }),
    ),
  ])
  const places = new Map(
    [...members.map((member) => ({ ...member, name: member.host.name })), ...ring].map(
      ({ host, vars, name }) => [joined(host.address, portOf(vars.listen)), name] as const,
    ),
  )
  const legs = legsOf(counts.flat(), { all: inventory.hosts, places })
  return pathStatus({
    prometheus: servers.map(({ host }) => host.name),
    alertmanagers: members.map(({ host }) => host.name),
    ring: { senders, instances: ring.map(({ name }) => name) },
    sent: legs('sent', 'unsent'),
    handedOver: legs('notified', 'unnotified'),
    heartbeats: (name) => new Map(held).get(name),
  })
}

type Counts = Awaited<ReturnType<typeof countsOfQuery>>

/** Replicas have counted the same: of each leg, the most that one of them saw. */
const legsOf =
  (counts: Counts, { all, places }: { readonly all: readonly Host[]; readonly places: ReadonlyMap<string, string> }) =>
  (tried: string, failed: string): readonly Counted[] => {
    const names = new Map(all.map(({ name }) => [name, name]))
    const legs = new Map<string, { from: string; to: string; tried: number; failed: number }>()
    for (const { labels, count } of counts) {
      const { leg, instance = '', alertmanager: url = '', integration } = labels
      if (leg !== tried && leg !== failed) continue
      const from = names.get(instance.replace(/:\d+$/, ''))
      const to = integration ?? places.get(placeOf(url))
      if (from === undefined || to === undefined) continue
      const known = legs.get(`${from} ${to}`) ?? { from, to, tried: 0, failed: 0 }
      legs.set(`${from} ${to}`, known)
      const of = leg === tried ? 'tried' : 'failed'
      known[of] = Math.max(known[of], count)
    }
    return [...legs.values()]
  }

const placeOf = (url: string): string => {
  const parsed = urlOf(url)
  return parsed ? joined(parsed.hostname.replace(/^\[(.*)\]$/, '$1'), Number(parsed.port || 80)) : ''
}
