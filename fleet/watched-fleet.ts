import { randomBytes } from 'node:crypto'
import { milliseconds } from '../lib/duration.ts'
import { InputError } from '../lib/errors.ts'
import type { Entry, TextfileHost, WatchedAlertmanager, WatchedFleet } from '../lib/ledger/fleet.ts'
import { tokenIn } from '../lib/ledger/token.ts'
import type { Connection, Duration, Host, Inventory } from '../lib/model.ts'
import { endpointOf, joined, portOf } from '../lib/program/web.ts'
import { CANARY_TOKEN } from '../roles/alertmanager/canary.ts'
import { alertmanager } from '../roles/alertmanager/role.ts'
import { endpointOf as ringEndpointOf } from '../roles/cortex-alertmanager/api.ts'
import { CANARY_TENANT, limitAgainstCanary } from '../roles/cortex-alertmanager/canary.ts'
import { type Member, membersIn } from '../roles/cortex-alertmanager/members.ts'
import { PREFIX } from '../roles/cortex-alertmanager/vars.ts'
import { nodeExporter } from '../roles/node-exporter/role.ts'
import { CANARY_JOB, canaryMachines } from '../roles/prometheus/canary.ts'
import { prometheus } from '../roles/prometheus/role.ts'
import { replicasOf, scrapesNothing, shardingOf } from '../roles/prometheus/shards.ts'
import { prepareTakeover } from './takeover-watch.ts'
import { canaryTokenIn } from './tenants/canary.ts'
import { requestFor, storedIn } from './tenants/ring-client.ts'
import type { TenantBody } from './tenants/tenant.ts'

/** How often the rule in roles/rules/files/canary.yml is evaluated. */
const EVALUATE_MS = 5_000

/** What the ways of alerts are called, where there are both. */
const WAYS = { cluster: 'Alertmanagers', ring: 'ring' }

/**
 * What of an inventory takes part when alerts are watched: its Alertmanagers, and its ring where a Prometheus sends to one. Throws InputError where
 * it has neither, no Prometheus or no node_exporter, or has canary alerts turned off.
 */
export const watchedFleet = (inventory: Inventory): WatchedFleet => {
  const of = (group: string): readonly Host[] => inventory.hosts.filter(({ groups }) => groups.includes(group))
  const members = of('alertmanager').map((host) => ({ host, vars: alertmanager.varsOf(host) }))
  const replicas = of('prometheus').map((host) => ({ host, vars: prometheus.varsOf(host) }))
  const machines = of('node_exporter')
  const off = members.find(({ vars }) => !vars.canary.enabled)
  if (off) throw unwatchable('alertmanager.canary.enabled', `is false on ${off.host.name}`)
  if (replicas.length === 0) throw unwatchable('group prometheus', 'is empty')
  const ring = ringWatched(membersIn(inventory), {
    sends: replicas.some(({ vars }) => vars.tenants.length > 0),
    alone: members.length === 0,
  })
  if (members.length + ring.length === 0) throw unwatchable('group alertmanager', 'is empty')
  if (machines.length === 0) throw unwatchable('group node_exporter', 'is empty')
  const longest = (durations: readonly Duration[]): number => Math.max(0, ...durations.map(milliseconds))
  const canaries = [...members, ...ring].map(({ vars }) => vars.canary)
  const both = members.length > 0 && ring.length > 0
  const cluster: readonly WatchedAlertmanager[] = members.map(({ host, vars }) => ({
    endpoint: endpointOf(host, vars),
    port: vars.canary.port,
    token: tokenIn(CANARY_TOKEN),
    lentToken: randomBytes(32).toString('hex'),
    ...(both && { way: WAYS.cluster }),
  }))
  return {
    alertmanagers: [...cluster, ...ring.map((member) => ({ ...ringMember(member), ...(both && { way: WAYS.ring }) }))],
    entries: entriesOf(inventory),
    // Which targets are whose is not known before shards are deployed.
    ...(!shardingOf(inventory) && {
      prepare: (reach, names) => prepareTakeover({ inventory, members: cluster }, reach, names),
    }),
    pace: {
      everyMs: longest(canaries.map(({ every }) => every)),
      scrapeMs: longest(replicas.map(({ vars }) => nodeInterval(vars.targets.node?.config) ?? vars.scrape_interval)),
      evaluateMs: EVALUATE_MS,
      groupIntervalMs: longest(canaries.map(({ group_interval }) => group_interval)),
      peerWaitMs: Math.max(
        (members.length - 1) * longest(members.map(({ vars }) => vars.cluster.peer_timeout)),
        (notifying(ring) - 1) * longest(ring.map(({ vars }) => vars.peer_timeout)),
      ),
    },
  }
}

/** The ring's instances, where canaries can go to it. Throws InputError where there is nothing else to watch, or its limits keep canaries back. */
const ringWatched = (
  ring: readonly Member[],
  { sends, alone }: { readonly sends: boolean; readonly alone: boolean },
): readonly Member[] => {
  const off = ring.find(({ vars }) => !vars.canary.enabled)
  if (alone && off) throw unwatchable('cortex_alertmanager.canary.enabled', `is false on ${off.host.name}`)
  if (alone && ring.length > 0 && !sends)
    throw unwatchable('prometheus.tenants', 'is empty on every Prometheus: none sends to the ring')
  if (off || !sends) return []
  for (const { host, vars } of ring) {
    const limit = limitAgainstCanary(vars)
    if (limit !== null)
      throw unwatchable(`cortex_alertmanager.limits.${limit}`, `keeps ${host.name} from its own loopback`)
  }
  return ring
}

/** How many instances of a ring may notify a tenant of one alert. */
const notifying = (ring: readonly Member[]): number => {
  const { sharding = false, replication_factor = 1 } = ring[0]?.vars ?? {}
  return sharding ? Math.min(replication_factor, ring.length) : ring.length
}

/** An instance, asked as the tenant of canary alerts, which is in force where `vestal tenants sync` has brought it. */
const ringMember = ({ host, vars }: Member): WatchedAlertmanager => {
  const stored = async (connection: Connection): Promise<TenantBody | null> =>
    storedIn(CANARY_TENANT, await connection.request(requestFor(host, CANARY_TENANT)))
  const token = async (connection: Connection): Promise<string | null> =>
    canaryTokenIn(vars.canary, await stored(connection))
  return {
    endpoint: { ...ringEndpointOf(host, vars), prefix: PREFIX, headers: { 'X-Scope-OrgID': CANARY_TENANT } },
    port: vars.canary.port,
    token,
    async unprepared(reach) {
      if ((await token(await reach(host))) !== null) return null
      return {
        why: `its ring has no tenant ${CANARY_TENANT} as the inventory wants it`,
        fix: 'Bring it with vestal tenants sync, or run with --no-watch-alerts.',
      }
    },
  }
}

/** Each shard that scrapes anything by itself; without shards all together. */
const entriesOf = (inventory: Inventory): readonly Entry[] => {
  const endpoint = (host: Host) => endpointOf(host, prometheus.varsOf(host))
  const machine = (host: Host): TextfileHost => {
    const { textfile_dir, listen } = nodeExporter.varsOf(host)
    return { host, folder: textfile_dir, address: joined(host.address, portOf(listen)) }
  }
  const replicas = [...replicasOf(inventory)]
  if (!shardingOf(inventory))
    return [
      {
        shard: null,
        prometheus: replicas.flatMap(([, some]) => some).map(endpoint),
        machines: canaryMachines(inventory).map(machine),
      },
    ]
  return replicas
    .filter(([, some]) => some.some((host) => !scrapesNothing(host, inventory)))
    .map(([shard, some]) => ({
      shard,
      prometheus: some.map(endpoint),
      machines: canaryMachines(inventory, shard).map(machine),
      job: CANARY_JOB,
    }))
}

const nodeInterval = (config: Readonly<Record<string, unknown>> | undefined): Duration | undefined => {
  const interval = config?.scrape_interval
  return typeof interval === 'string' && /^\d+(ms|s|m|h|d)$/.test(interval) ? (interval as Duration) : undefined
}

const unwatchable = (where: string, what: string): InputError =>
  new InputError([
    {
      where,
      what: `${what}, so alerts cannot be watched`,
      fix: 'Change that and deploy, or run with --no-watch-alerts.',
    },
  ])
