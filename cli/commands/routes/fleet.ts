import { alertsOf as alertsHeldBy } from '../../../lib/api/alertmanager.ts'
import type { Endpoint } from '../../../lib/api/endpoint.ts'
import { alertsOf as alertsMadeBy, seriesOfQuery } from '../../../lib/api/prometheus.ts'
import { InputError } from '../../../lib/errors.ts'
import type { Host, Inventory, Reach } from '../../../lib/model.ts'
import { scopeOf } from '../../../lib/playbook.ts'
import { endpointOf } from '../../../lib/program/web.ts'
import type { Labels } from '../../../lib/routing/matcher.ts'
import { alertmanager } from '../../../roles/alertmanager/role.ts'
import { type TeamRouting, teamRouting } from '../../../roles/alertmanager/teams.ts'
import { type AlertPath, alertPath } from '../../../roles/prometheus/alert-path.ts'
import { prometheus } from '../../../roles/prometheus/role.ts'

/** The hosts that are asked, and how they are reached. */
export interface Asked {
  readonly inventory: Inventory
  readonly hosts: readonly Host[]
  readonly reach: Reach
}

/** The routing that the inventory wants; that of its first Alertmanager. Throws InputError where it has none. */
export const routingOf = (inventory: Inventory): TeamRouting => {
  const first = inventory.hosts.find(({ groups }) => groups.includes('alertmanager'))
  if (first) return teamRouting(inventory, first, alertmanager.varsOf(first))
  throw new InputError([
    { where: 'inventory', what: 'no host is in the group alertmanager', fix: 'routes are those of an Alertmanager' },
  ])
}

export const inGroup = (hosts: readonly Host[], group: string): readonly Host[] =>
  hosts.filter(({ groups }) => groups.includes(group))

/** What a Prometheus does to alerts once the inventory is deployed. */
export const wantedPath = (inventory: Inventory, host: Host): AlertPath =>
  alertPath(scopeOf(prometheus, host, inventory))

/** The labels of alerts that fire, or fired within some days, as the rules of one Prometheus gave them. */
export const alertsOf = async (
  reach: Reach,
  host: Host,
  days: number,
): Promise<{ readonly firing: readonly Labels[]; readonly past: readonly Labels[] }> => {
  const endpoint = prometheusOn(host)
  const [now, before] = await Promise.all([
    alertsMadeBy(reach, endpoint),
    days > 0 ? seriesOfQuery(reach, endpoint, `count_over_time(ALERTS{alertstate="firing"}[${days}d])`) : [],
  ])
  const firing = now.filter(({ state }) => state === 'firing').map((one) => one.labels)
  const known = new Set(firing.map(keyOf))
  const past = before.map(({ alertstate: _, ...rest }) => rest).filter((one) => !known.has(keyOf(one)))
  return { firing, past }
}

/** Labels of the alerts that an Alertmanager holds. */
export const heldBy = async (reach: Reach, host: Host): Promise<readonly Labels[]> => {
  const { items } = await alertsHeldBy(reach, endpointOf(host, alertmanager.varsOf(host)))
  return items.map(({ labels }) => labels)
}

/** Where the Prometheus of a host is asked. */
export const prometheusOn = (host: Host): Endpoint => endpointOf(host, prometheus.varsOf(host))

/** The same for the same labels, in whatever order. */
export const keyOf = (labels: Labels): string =>
  JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))
