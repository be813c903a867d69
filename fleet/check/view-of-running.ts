import { answered } from '../../lib/answered.ts'
import { statusOf } from '../../lib/api/alertmanager.ts'
import { configOf, type RuleGroup, ruleGroupsOf, sendsTo, targetsOf, versionOf } from '../../lib/api/prometheus.ts'
import { runningYaml } from '../../lib/api/running-yaml.ts'
import { HostError } from '../../lib/errors.ts'
import type { Host, Inventory, Reach } from '../../lib/model.ts'
import { endpointOf, joined, portOf } from '../../lib/program/web.ts'
import { alertingForm, routingForm } from '../../lib/routing/running-forms.ts'
import { alertmanager } from '../../roles/alertmanager/role.ts'
import { stateBytesOf } from '../../roles/alertmanager/state-size.ts'
import { prometheus } from '../../roles/prometheus/role.ts'
import { shardOf } from '../../roles/prometheus/shards.ts'
import { type AlertmanagerView, alertmanagerView, type FleetView, type PrometheusView, prometheusView } from './view.ts'

export interface RunningHosts {
  readonly hosts: readonly Host[]
  readonly reach: Reach
  /** The command line of the process that has this port on the host; undefined where none has. */
  command(host: Host, port: number): readonly string[] | undefined
}

/** The fleet as it runs now, and the hosts whose answers cannot be understood. */
export interface RunningFleet {
  readonly view: FleetView
  readonly unread: readonly { readonly host: string; readonly why: string }[]
}

/** The fleet as it runs now, of these hosts; what doesn't run, or doesn't answer, is not part of it. */
export const runningView = async (inventory: Inventory, running: RunningHosts): Promise<RunningFleet> => {
  const of = (group: string) =>
    inventory.hosts.filter((host) => running.hosts.includes(host) && host.groups.includes(group))
  const unread: { host: string; why: string }[] = []
  const viewOf = async <T>(
    host: Host,
    look: (host: Host, running: RunningHosts, inventory: Inventory) => Promise<T | null>,
  ) => {
    try {
      const one = await look(host, running, inventory)
      return one === null ? [] : [one]
    } catch (error) {
      if (!(error instanceof HostError)) throw error
      if (error.task !== undefined) unread.push({ host: host.name, why: error.message })
      return []
    }
  }
  const [prometheuses, alertmanagers] = await Promise.all([
    Promise.all(of('prometheus').map((host) => viewOf(host, onePrometheus))),
    Promise.all(of('alertmanager').map((host) => viewOf(host, oneAlertmanager))),
  ])
  return { view: { prometheus: prometheuses.flat(), alertmanagers: alertmanagers.flat() }, unread }
}

const onePrometheus = async (
  host: Host,
  { reach, command }: RunningHosts,
  inventory: Inventory,
): Promise<PrometheusView | null> => {
  const vars = prometheus.varsOf(host)
  const words = command(host, portOf(vars.listen))
  if (!words) return null
  const endpoint = endpointOf(host, vars)
  const [config, version, alertmanagers, targets, groups] = await Promise.all([
    configOf(reach, endpoint),
    versionOf(reach, endpoint),
    sendsTo(reach, endpoint),
    targetsOf(reach, endpoint),
    ruleGroupsOf(reach, endpoint),
  ])
  return prometheusView({
    host: host.name,
    shard: shardOf(host, inventory),
    version: plain(version),
    command: words,
    config: runningYaml(host.name, config, alertingForm),
    alertmanagers,
    targets: fingerprint(targets.map(({ scrapePool, scrapeUrl }) => `${scrapePool} ${scrapeUrl}`)),
    rules: fingerprint(groups.map(asWritten)),
  })
}

const oneAlertmanager = async (host: Host, { reach, command }: RunningHosts): Promise<AlertmanagerView | null> => {
  const vars = alertmanager.varsOf(host)
  const words = command(host, portOf(vars.listen))
  if (!words) return null
  const [status, stateBytes] = await Promise.all([
    statusOf(reach, endpointOf(host, vars)),
    answered(() => stateBytesOf(reach, endpointOf(host, vars))),
  ])
  return alertmanagerView({
    host: host.name,
    address: joined(host.address, portOf(vars.listen)),
    version: plain(status.versionInfo.version),
    command: words,
    config: runningYaml(host.name, status.config.original, routingForm),
    seen: status.cluster.peers.map(({ address }) => address),
    ...(stateBytes !== null && { stateBytes }),
  })
}

/** The order in which the API lists things says nothing. */
const fingerprint = (items: readonly unknown[]): string =>
  JSON.stringify(items.map((one) => JSON.stringify(one)).sort())

/** Debian's builds add `+ds1` to upstream's version. */
const plain = (version: string): string => version.replace(/\+.*/, '')

/** What a group of rules is, without how its last evaluation went. */
const asWritten = ({ name, file, interval, rules }: RuleGroup) => ({
  name,
  file,
  interval,
  rules: rules.map(({ alerts: _, ...rule }) => rule),
})
