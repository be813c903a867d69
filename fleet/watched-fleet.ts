import { milliseconds } from '../lib/duration.ts'
import { InputError } from '../lib/errors.ts'
import type { WatchedFleet } from '../lib/ledger/fleet.ts'
import type { Duration, Host, Inventory } from '../lib/model.ts'
import { endpointOf, joined, portOf } from '../lib/program/web.ts'
import { CANARY_TOKEN } from '../roles/alertmanager/canary.ts'
import { alertmanager } from '../roles/alertmanager/role.ts'
import { nodeExporter } from '../roles/node-exporter/role.ts'
import { prometheus } from '../roles/prometheus/role.ts'

/** How often the rule in roles/rules/files/canary.yml is evaluated. */
const EVALUATE_MS = 5_000

/**
 * What of an inventory takes part when alerts are watched. Throws InputError where it has no Prometheus, no Alertmanager or no node_exporter,
 * or has canary alerts turned off.
 */
export const watchedFleet = ({ hosts }: Inventory): WatchedFleet => {
  const of = (group: string): readonly Host[] => hosts.filter(({ groups }) => groups.includes(group))
  const members = of('alertmanager').map((host) => ({ host, vars: alertmanager.varsOf(host) }))
  const replicas = of('prometheus').map((host) => ({ host, vars: prometheus.varsOf(host) }))
  const machines = of('node_exporter').map((host) => ({ host, vars: nodeExporter.varsOf(host) }))
  const off = members.find(({ vars }) => !vars.canary.enabled)
  if (off) throw unwatchable('alertmanager.canary.enabled', `is false on ${off.host.name}`)
  if (members.length === 0) throw unwatchable('group alertmanager', 'is empty')
  if (replicas.length === 0) throw unwatchable('group prometheus', 'is empty')
  if (machines.length === 0) throw unwatchable('group node_exporter', 'is empty')
  const longest = (durations: readonly Duration[]): number => Math.max(...durations.map(milliseconds))
  return {
    alertmanagers: members.map(({ host, vars }) => ({
      endpoint: endpointOf(host, vars),
      port: vars.canary.port,
      tokenFile: CANARY_TOKEN,
    })),
    prometheus: replicas.map(({ host, vars }) => endpointOf(host, vars)),
    machines: turnAbout(machines.map(({ host }) => host)).map((host) => {
      const { textfile_dir, listen } = nodeExporter.varsOf(host)
      return { host, folder: textfile_dir, address: joined(host.address, portOf(listen)) }
    }),
    pace: {
      everyMs: longest(members.map(({ vars }) => vars.canary.every)),
      scrapeMs: longest(replicas.map(({ vars }) => nodeInterval(vars.targets.node?.config) ?? vars.scrape_interval)),
      evaluateMs: EVALUATE_MS,
      groupIntervalMs: longest(members.map(({ vars }) => vars.canary.group_interval)),
      peerWaitMs: (members.length - 1) * longest(members.map(({ vars }) => vars.cluster.peer_timeout)),
    },
  }
}

const nodeInterval = (config: Readonly<Record<string, unknown>> | undefined): Duration | undefined => {
  const interval = config?.scrape_interval
  return typeof interval === 'string' && /^\d+(ms|s|m|h|d)$/.test(interval) ? (interval as Duration) : undefined
}

/** Hosts of different groups by turns, so that the first two are not restarted in one play. */
const turnAbout = (hosts: readonly Host[]): readonly Host[] => {
  const turn = new Map(
    [...Map.groupBy(hosts, ({ groups }) => groups.join()).values()].flatMap((alike) =>
      alike.map((host, at) => [host, at] as const),
    ),
  )
  return [...hosts].sort((one, other) => (turn.get(one) ?? 0) - (turn.get(other) ?? 0))
}

const unwatchable = (where: string, what: string): InputError =>
  new InputError([
    {
      where,
      what: `${what}, so alerts cannot be watched`,
      fix: 'Change that and deploy, or run with --no-watch-alerts.',
    },
  ])
