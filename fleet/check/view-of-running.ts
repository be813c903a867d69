import { z } from 'zod'
import { askJson } from '../../lib/api/endpoint.ts'
import { listOf, placeInUrl, texts, versionText } from '../../lib/api/forms.ts'
import { runningYaml } from '../../lib/api/running-yaml.ts'
import { HostError } from '../../lib/errors.ts'
import type { Host, Inventory, Reach } from '../../lib/model.ts'
import { endpointOf, joined, portOf } from '../../lib/program/web.ts'
import { alertingForm, routingForm } from '../../lib/routing/running-forms.ts'
import { alertmanager } from '../../roles/alertmanager/role.ts'
import { prometheus } from '../../roles/prometheus/role.ts'
import { type AlertmanagerView, alertmanagerView, type FleetView, type PrometheusView, prometheusView } from './view.ts'

export interface Running {
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
export const runningView = async (inventory: Inventory, running: Running): Promise<RunningFleet> => {
  const of = (group: string) =>
    inventory.hosts.filter((host) => running.hosts.includes(host) && host.groups.includes(group))
  const unread: { host: string; why: string }[] = []
  const answered = async <T>(host: Host, look: (host: Host, running: Running) => Promise<T | null>) => {
    try {
      const one = await look(host, running)
      return one === null ? [] : [one]
    } catch (error) {
      if (!(error instanceof HostError)) throw error
      if (error.task !== undefined) unread.push({ host: host.name, why: error.message })
      return []
    }
  }
  const [prometheuses, alertmanagers] = await Promise.all([
    Promise.all(of('prometheus').map((host) => answered(host, onePrometheus))),
    Promise.all(of('alertmanager').map((host) => answered(host, oneAlertmanager))),
  ])
  return { view: { prometheus: prometheuses.flat(), alertmanagers: alertmanagers.flat() }, unread }
}

const onePrometheus = async (host: Host, { reach, command }: Running): Promise<PrometheusView | null> => {
  const vars = prometheus.varsOf(host)
  const words = command(host, portOf(vars.listen))
  if (!words) return null
  const ask = <T>(path: string, form: z.ZodType<T>) =>
    askJson(reach, endpointOf(host, vars), { path, form: z.object({ data: form }) }).then(({ data }) => data)
  const [{ yaml }, { version }, { activeAlertmanagers }, { activeTargets }, { groups }] = await Promise.all([
    ask('/api/v1/status/config', z.object({ yaml: z.string() })),
    ask('/api/v1/status/buildinfo', z.object({ version: versionText })),
    ask('/api/v1/alertmanagers', z.object({ activeAlertmanagers: listOf(z.object({ url: placeInUrl })) })),
    ask('/api/v1/targets?state=active', TARGETS),
    ask('/api/v1/rules', RULES),
  ])
  return prometheusView({
    host: host.name,
    shard: vars.shard,
    version: plain(version),
    command: words,
    config: runningYaml(host.name, yaml, alertingForm),
    alertmanagers: activeAlertmanagers.map(({ url }) => url),
    targets: fingerprint(activeTargets.map(({ scrapePool, scrapeUrl }) => `${scrapePool} ${scrapeUrl}`)),
    rules: fingerprint(groups),
  })
}

const oneAlertmanager = async (host: Host, { reach, command }: Running): Promise<AlertmanagerView | null> => {
  const vars = alertmanager.varsOf(host)
  const words = command(host, portOf(vars.listen))
  if (!words) return null
  const status = await askJson(reach, endpointOf(host, vars), { path: '/api/v2/status', form: STATUS })
  return alertmanagerView({
    host: host.name,
    address: joined(host.address, portOf(vars.listen)),
    version: plain(status.versionInfo.version),
    command: words,
    config: runningYaml(host.name, status.config.original, routingForm),
    seen: (status.cluster.peers ?? []).map(({ address }) => address),
  })
}

/** The order in which the API lists things says nothing. */
const fingerprint = (items: readonly unknown[]): string =>
  JSON.stringify(items.map((one) => JSON.stringify(one)).sort())

/** Debian's builds add `+ds1` to upstream's version. */
const plain = (version: string): string => version.replace(/\+.*/, '')

const TARGETS = z.object({ activeTargets: listOf(z.object({ scrapePool: z.string(), scrapeUrl: z.string() })) })
/** What a rule is, without how its last evaluation went. */
const RULES = z.object({
  groups: listOf(
    z.object({
      name: z.string(),
      file: z.string(),
      interval: z.number(),
      rules: listOf(
        z.object({
          name: z.string(),
          query: z.string(),
          duration: z.number().optional(),
          labels: texts.nullish(),
          annotations: texts.nullish(),
        }),
      ),
    }),
  ),
})
const STATUS = z.object({
  cluster: z.object({ peers: listOf(z.object({ address: z.string() })).nullish() }),
  versionInfo: z.object({ version: versionText }),
  config: z.object({ original: z.string() }),
})
