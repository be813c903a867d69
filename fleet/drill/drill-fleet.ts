import { isAlive, silencesOf } from '../../lib/api/alertmanager.ts'
import type { Endpoint } from '../../lib/api/endpoint.ts'
import { seriesOfQuery } from '../../lib/api/prometheus.ts'
import type { Fault } from '../../lib/drill/fault.ts'
import type { HeldSilences } from '../../lib/drill/run.ts'
import type { Asked, DrillFleet, DrillMember, Question } from '../../lib/drill/scenario.ts'
import type { WatchedService } from '../../lib/drill/watch.ts'
import type { Gate, Host, Inventory, Playbook, Reach } from '../../lib/model.ts'
import { isSameMachine, ofInstance } from '../../lib/one-machine.ts'
import { rolesGiven, scopeOf } from '../../lib/playbook.ts'
import { endpointOf, joined, portOf, type Web } from '../../lib/program/web.ts'
import { serviceOn } from '../../lib/role.ts'
import { gossipAddress, type Member } from '../../roles/alertmanager/cluster.ts'
import { CONFIG as ALERTMANAGER_CONFIG } from '../../roles/alertmanager/flags.ts'
import { alertmanager } from '../../roles/alertmanager/role.ts'
import { gatewayOn } from '../../roles/gateway/vars.ts'
import { nodeExporter } from '../../roles/node-exporter/role.ts'
import { configOf } from '../../roles/prometheus/config.ts'
import { prometheus } from '../../roles/prometheus/role.ts'
import { replicasOf } from '../../roles/prometheus/shards.ts'
import { queryOn } from '../../roles/thanos-query/vars.ts'

/** An inventory as scenarios see it; their settings are added to it. */
export const drillFleet = (inventory: Inventory): DrillFleet => {
  const of = (group: string): readonly Host[] => inventory.hosts.filter(({ groups }) => groups.includes(group))
  const lab = inventory.hosts[0]?.machine.lab
  const members = of('alertmanager').map((host): Member => ({ host, vars: alertmanager.varsOf(host) }))
  const services = (group: string, unit: string) => of(group).map((host) => ({ host, unit }))
  return {
    prometheus: of('prometheus').map(prometheusOn),
    shards: [...replicasOf(inventory)].map(([name, hosts]) => ({ name, prometheus: hosts.map(prometheusOn) })),
    ring: services('cortex_alertmanager', 'cortex-alertmanager'),
    queries: services('thanos_query', 'thanos-query'),
    gateways: services('gateway', 'gateway'),
    asked: placesAsked(inventory),
    textfiles: of('node_exporter').map((host) => ({ host, folder: nodeExporter.varsOf(host).textfile_dir })),
    settings: {},
    alertmanagers: members.map((one) => ({
      ...member(one.host, one.vars, { unit: 'alertmanager', data: one.vars.data_dir, config: ALERTMANAGER_CONFIG }),
      version: one.vars.version,
      ...(members.length > 1 && { gossip: gossipOf(one) }),
    })),
    ...(lab !== undefined && { lab: process.env.VESTAL_LAB ?? lab }),
  }
}

const prometheusOn = (host: Host): DrillMember => {
  const vars = prometheus.varsOf(host)
  return member(host, vars, {
    unit: serviceOn(prometheus, host),
    data: prometheus.data?.folder(vars) ?? '',
    config: configOf(host),
  })
}

/**
 * Where people ask for queries: the address that all gateways share, asked by machines that are no gateway; without one each gateway; without gateways,
 * and where they let nobody in without a login, each Thanos Query.
 */
const placesAsked = (inventory: Inventory): readonly Asked[] => {
  const of = (group: string): readonly Host[] => inventory.hosts.filter(({ groups }) => groups.includes(group))
  const queries = of('thanos_query').map((host) => {
    const endpoint = endpointOf(host, queryOn(host))
    return { place: joined(host.address, endpoint.port), endpoints: [endpoint] }
  })
  const gateways = of('gateway').map((host) => ({ host, vars: gatewayOn(host) }))
  const open = gateways.filter(({ vars }) => Object.keys(vars.users).length === 0)
  const [first] = open
  if (!first || queries.length === 0) return queries
  const { query, floating } = first.vars
  if (query === null) return queries
  if (!floating) return open.map(({ host }) => placeOn([host], host.address, portOf(query)))
  const askers = inventory.hosts.filter(({ groups }) => !groups.includes('gateway') && !groups.includes('thanos_query'))
  return [placeOn(askers.slice(-2), floating.address.replace(/\/\d+$/, ''), portOf(query))]
}

const placeOn = (askers: readonly Host[], address: string, port: number): Asked => ({
  place: joined(address, port),
  endpoints: askers.map((host) => ({ host, address, port })),
})

/** Asked in every drill: somebody of each shard that is left answers; one that scrapes nothing yet, too. */
export const questionsTo = (fleet: DrillFleet, without: readonly string[]): readonly Question[] =>
  fleet.shards
    .filter(({ name }) => !without.includes(name))
    .map(({ name, prometheus: replicas }) => ({
      name:
        fleet.shards.length === 1 ? 'A Prometheus answers queries' : `A Prometheus of shard ${name} answers queries`,
      most: '15s',
      ask: (reach) =>
        anyAnswers(
          reach,
          replicas.map(({ endpoint }) => endpoint),
          'count(up) or vector(0)',
        ),
    }))

/** One that answers with something is enough. Throws where none does. */
export const anyAnswers = async (reach: Reach, endpoints: readonly Endpoint[], query: string): Promise<void> => {
  await Promise.any(
    endpoints.map(async (endpoint) => {
      if ((await seriesOfQuery(reach, endpoint, query)).length === 0) throw new Error('it knows of no series')
    }),
  )
}

const member = (host: Host, web: Web, about: Pick<DrillMember, 'unit' | 'data' | 'config'>): DrillMember => ({
  host,
  endpoint: endpointOf(host, web),
  port: portOf(web.listen),
  address: host.address,
  ...about,
})

const gossipOf = (one: Member): NonNullable<DrillMember['gossip']> => {
  const at = gossipAddress(one)
  return {
    address: at.slice(0, at.lastIndexOf(':')).replace(/^\[(.*)\]$/, '$1'),
    port: one.vars.cluster.port,
    tls: one.host.tls?.gossip ?? false,
  }
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
      const { name: service, title = service } = role
      return status ? [{ host, service, unit: serviceOn(role, host), title, status }] : []
    }),
  )

/** The silences of each of these, a ring's instances among them. Throws HostError where one does not answer. */
export const silencesHeld = async (
  endpoints: readonly Endpoint[],
  reach: Reach,
): Promise<ReadonlyMap<string, HeldSilences>> =>
  new Map(
    await Promise.all(
      endpoints.map(async (endpoint) => {
        const { items } = await silencesOf(reach, endpoint)
        const ids = (some: typeof items) => some.map(({ id }) => id)
        return [endpoint.host.name, { alive: ids(items.filter(isAlive)), known: ids(items) }] as const
      }),
    ),
  )

/** Services of which these faults leave none at some moment: `every Alertmanager`, `every Prometheus of shard 0`. */
export const leftWithout = (faults: readonly Fault[], inventory: Inventory): readonly string[] => {
  const groups = [
    { title: 'every Alertmanager', unit: 'alertmanager', hosts: inGroup(inventory, 'alertmanager') },
    {
      title: 'every instance of the ring',
      unit: 'cortex-alertmanager',
      hosts: inGroup(inventory, 'cortex_alertmanager'),
    },
    { title: 'every Thanos Query', unit: 'thanos-query', hosts: inGroup(inventory, 'thanos_query') },
    { title: 'every gateway', unit: 'gateway', hosts: inGroup(inventory, 'gateway') },
    ...[...replicasOf(inventory)].map(([shard, hosts]) => ({
      title: `every Prometheus of shard ${shard}`,
      unit: 'prometheus',
      hosts,
    })),
  ]
  return groups.filter((group) => areAllTaken(group, faults)).map(({ title }) => title)
}

/** The shards of which these faults leave no Prometheus at some moment. */
export const shardsWithout = (faults: readonly Fault[], inventory: Inventory): readonly string[] =>
  [...replicasOf(inventory)]
    .filter(([, hosts]) => areAllTaken({ unit: 'prometheus', hosts }, faults))
    .map(([shard]) => shard)

const areAllTaken = (
  { unit, hosts }: { readonly unit: string; readonly hosts: readonly Host[] },
  faults: readonly Fault[],
): boolean => {
  const moments = faults.map(({ afterMs = 0 }) => afterMs)
  return hosts.length > 0 && moments.some((at) => hosts.every((host) => isTaken({ host, unit, at }, faults)))
}

const inGroup = ({ hosts }: Inventory, group: string): readonly Host[] =>
  hosts.filter(({ groups }) => groups.includes(group))

const isTaken = (
  { host, unit, at }: { readonly host: Host; readonly unit: string; readonly at: number },
  faults: readonly Fault[],
): boolean =>
  faults.some(
    ({ host: of, takes, afterMs = 0, forMs = Number.POSITIVE_INFINITY }) =>
      ((of === host && takes === ofInstance(host, unit)) || (takes === 'machine' && isSameMachine(of, host))) &&
      at >= afterMs &&
      at < afterMs + forMs,
  )
