import { isAlive, silencesOf } from '../../lib/api/alertmanager.ts'
import type { Fault } from '../../lib/drill/fault.ts'
import type { HeldSilences } from '../../lib/drill/run.ts'
import type { DrillFleet, DrillMember } from '../../lib/drill/scenario.ts'
import type { WatchedService } from '../../lib/drill/watch.ts'
import type { Gate, Host, Inventory, Playbook, Reach } from '../../lib/model.ts'
import { rolesGiven, scopeOf } from '../../lib/playbook.ts'
import { endpointOf, portOf, type Web } from '../../lib/program/web.ts'
import { gossipAddress, type Member } from '../../roles/alertmanager/cluster.ts'
import { CONFIG as ALERTMANAGER_CONFIG } from '../../roles/alertmanager/flags.ts'
import { alertmanager } from '../../roles/alertmanager/role.ts'
import { CONFIG as PROMETHEUS_CONFIG } from '../../roles/prometheus/config.ts'
import { prometheus } from '../../roles/prometheus/role.ts'
import { replicasOf } from '../../roles/prometheus/shards.ts'

/** An inventory as scenarios see it. */
export const drillFleet = (inventory: Inventory): DrillFleet => {
  const of = (group: string): readonly Host[] => inventory.hosts.filter(({ groups }) => groups.includes(group))
  const lab = inventory.hosts[0]?.machine.lab
  const members = of('alertmanager').map((host): Member => ({ host, vars: alertmanager.varsOf(host) }))
  return {
    prometheus: of('prometheus').map((host) => {
      const vars = prometheus.varsOf(host)
      return member(host, vars, {
        unit: 'prometheus',
        data: prometheus.data?.folder(vars) ?? '',
        config: PROMETHEUS_CONFIG,
      })
    }),
    alertmanagers: members.map((one) => ({
      ...member(one.host, one.vars, { unit: 'alertmanager', data: one.vars.data_dir, config: ALERTMANAGER_CONFIG }),
      ...(members.length > 1 && { gossip: gossipOf(one) }),
    })),
    ...(lab !== undefined && { lab: process.env.VESTAL_LAB ?? lab }),
  }
}

const member = (host: Host, web: Web, about: Pick<DrillMember, 'unit' | 'data' | 'config'>): DrillMember => ({
  host,
  endpoint: endpointOf(host, web),
  port: portOf(web.listen),
  address: host.address,
  ...about,
})

const gossipOf = (one: Member): { readonly address: string; readonly port: number } => {
  const at = gossipAddress(one)
  return { address: at.slice(0, at.lastIndexOf(':')).replace(/^\[(.*)\]$/, '$1'), port: one.vars.cluster.port }
}

/** Everything that is asked of this fleet's services, as `status` asks it. */
export const steadyGates = (book: Playbook, inventory: Inventory): readonly Gate[] =>
  inventory.hosts.flatMap((host) =>
    rolesGiven(book, host).flatMap((role) => role.healthy(scopeOf(role, host, inventory))),
  )

/** The services of these machines that can be looked at. */
export const watchedServices = (book: Playbook, inventory: Inventory): readonly WatchedService[] =>
  inventory.hosts.flatMap((host) =>
    rolesGiven(book, host).flatMap((role) => {
      const status = role.instance?.(scopeOf(role, host, inventory))?.status
      const { name: service, title = service, service: unit = service } = role
      return status ? [{ host, service, unit, title, status }] : []
    }),
  )

/** The silences of every Alertmanager. Throws HostError where one does not answer. */
export const silencesHeld = async (
  { alertmanagers }: DrillFleet,
  reach: Reach,
): Promise<ReadonlyMap<string, HeldSilences>> =>
  new Map(
    await Promise.all(
      alertmanagers.map(async ({ host, endpoint }) => {
        const { items } = await silencesOf(reach, endpoint)
        const ids = (some: typeof items) => some.map(({ id }) => id)
        return [host.name, { alive: ids(items.filter(isAlive)), known: ids(items) }] as const
      }),
    ),
  )

/** Services of which these faults leave none at some moment: `every Alertmanager`, `every Prometheus of shard 0`. */
export const leftWithout = (faults: readonly Fault[], inventory: Inventory): readonly string[] => {
  const groups = [
    { title: 'every Alertmanager', unit: 'alertmanager', hosts: inGroup(inventory, 'alertmanager') },
    ...[...replicasOf(inventory)].map(([shard, hosts]) => ({
      title: `every Prometheus of shard ${shard}`,
      unit: 'prometheus',
      hosts,
    })),
  ]
  return groups
    .filter(({ unit, hosts }) => {
      const moments = faults.map(({ afterMs = 0 }) => afterMs)
      return hosts.length > 0 && moments.some((at) => hosts.every((host) => isTaken({ host, unit, at }, faults)))
    })
    .map(({ title }) => title)
}

const inGroup = ({ hosts }: Inventory, group: string): readonly Host[] =>
  hosts.filter(({ groups }) => groups.includes(group))

const isTaken = (
  { host, unit, at }: { readonly host: Host; readonly unit: string; readonly at: number },
  faults: readonly Fault[],
): boolean =>
  faults.some(
    ({ host: of, takes, afterMs = 0, forMs = Number.POSITIVE_INFINITY }) =>
      of === host && (takes === unit || takes === 'machine') && at >= afterMs && at < afterMs + forMs,
  )
