import { z } from 'zod'
import { askJson } from '../../lib/api/endpoint.ts'
import { HostError } from '../../lib/errors.ts'
import type { Host, Inventory, Reach } from '../../lib/model.ts'
import { endpointOf, joined, portOf } from '../../lib/program/web.ts'
import { alertmanager } from '../../roles/alertmanager/role.ts'
import { prometheus } from '../../roles/prometheus/role.ts'
import { type AlertmanagerView, alertmanagerView, type FleetView, type PrometheusView, prometheusView } from './view.ts'

export interface Running {
  readonly hosts: readonly Host[]
  readonly reach: Reach
  /** The command line of the process that has this port on the host; undefined where none has. */
  command(host: Host, port: number): readonly string[] | undefined
}

/** The fleet as it runs now, of these hosts; what doesn't run, or doesn't answer, is not part of it. */
export const runningView = async (inventory: Inventory, running: Running): Promise<FleetView> => {
  const of = (group: string) =>
    inventory.hosts.filter((host) => running.hosts.includes(host) && host.groups.includes(group))
  const [prometheuses, alertmanagers] = await Promise.all([
    Promise.all(of('prometheus').map((host) => answered(onePrometheus(host, running)))),
    Promise.all(of('alertmanager').map((host) => answered(oneAlertmanager(host, running)))),
  ])
  return { prometheus: prometheuses.flat(), alertmanagers: alertmanagers.flat() }
}

const answered = async <T>(view: Promise<T | null>): Promise<readonly T[]> => {
  try {
    const one = await view
    return one === null ? [] : [one]
  } catch (error) {
    if (error instanceof HostError) return []
    throw error
  }
}

const onePrometheus = async (host: Host, { reach, command }: Running): Promise<PrometheusView | null> => {
  const vars = prometheus.varsOf(host)
  const words = command(host, portOf(vars.listen))
  if (!words) return null
  const ask = <T>(path: string, form: z.ZodType<T>) =>
    askJson(reach, endpointOf(host, vars), { path, form: z.object({ data: form }) }).then(({ data }) => data)
  const [{ yaml }, { version }, { activeAlertmanagers }, { activeTargets }, { groups }] = await Promise.all([
    ask('/api/v1/status/config', z.object({ yaml: z.string() })),
    ask('/api/v1/status/buildinfo', z.object({ version: z.string() })),
    ask('/api/v1/alertmanagers', z.object({ activeAlertmanagers: z.array(z.object({ url: z.string() })) })),
    ask('/api/v1/targets?state=active', TARGETS),
    ask('/api/v1/rules', RULES),
  ])
  return prometheusView({
    host: host.name,
    shard: vars.shard,
    version: plain(version),
    command: words,
    config: yaml,
    alertmanagers: activeAlertmanagers.map(({ url }) => new URL(url).host),
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
    config: status.config.original,
    seen: (status.cluster.peers ?? []).map(({ address }) => address),
  })
}

/** The order in which the API lists things says nothing. */
const fingerprint = (items: readonly unknown[]): string =>
  JSON.stringify(items.map((one) => JSON.stringify(one)).sort())

/** Debian's builds add `+ds1` to upstream's version. */
const plain = (version: string): string => version.replace(/\+.*/, '')

const TARGETS = z.object({ activeTargets: z.array(z.object({ scrapePool: z.string(), scrapeUrl: z.string() })) })
/** What a rule is, without how its last evaluation went. */
const RULES = z.object({
  groups: z.array(
    z.object({
      name: z.string(),
      file: z.string(),
      interval: z.number(),
      rules: z.array(
        z.object({
          name: z.string(),
          query: z.string(),
          duration: z.number().optional(),
          labels: z.record(z.string(), z.string()).nullish(),
          annotations: z.record(z.string(), z.string()).nullish(),
        }),
      ),
    }),
  ),
})
const STATUS = z.object({
  cluster: z.object({ peers: z.array(z.object({ address: z.string() })).nullish() }),
  versionInfo: z.object({ version: z.string() }),
  config: z.object({ original: z.string() }),
})
