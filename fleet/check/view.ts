/** A fleet as the rules look at it: the same shape for what the inventory says and for what runs. */
import type { z } from 'zod'
import { flagIn } from '../../lib/program/flags.ts'
import type { RelabelStep } from '../../lib/routing/relabel.ts'
import type { alertingForm } from '../../lib/routing/running-forms.ts'
import { trackedLabels } from '../../roles/prometheus/remote-write.ts'

export interface FleetView {
  readonly prometheus: readonly PrometheusView[]
  readonly alertmanagers: readonly AlertmanagerView[]
  /** `address:port` of each instance of a ring that tenants' alerts may go to. */
  readonly ring?: readonly string[]
}
export interface PrometheusView {
  readonly host: string
  readonly shard: string
  readonly version: string
  readonly externalLabels: Readonly<Record<string, string>>
  readonly alertRelabel: readonly RelabelStep[]
  /** What it sends samples to, and what an HA tracker there sees of them; null where that can't be followed. */
  readonly remoteWrite: readonly { readonly url: string; readonly tracked: ReturnType<typeof trackedLabels> }[]
  /** `address:port` of all it sends to. */
  readonly alertmanagers: readonly string[]
  /** Equal where these are equal: what is scraped, the rules, and how often, how long. */
  readonly targets: string
  readonly rules: string
  readonly pace: Readonly<Record<string, string>>
  readonly retention: string
  /** In milliseconds: a firing alert is sent again after the longer of both. */
  readonly resendMs: number
}
export interface AlertmanagerView {
  readonly host: string
  /** `address:port` that Prometheus sends to. */
  readonly address: string
  readonly version: string
  /** Without it, it stands alone. */
  readonly gossip?: {
    readonly self: string
    readonly label: string
    readonly tls: boolean
    readonly peerTimeoutMs: number
    readonly gossipIntervalMs: number
    readonly timings: Readonly<Record<string, string>>
    /** Whom it sees; only of one that runs. */
    readonly seen?: readonly string[]
  }
  /** The shortest of the routing tree, in milliseconds. */
  readonly groupIntervalMs: number
  readonly retention: string
  /** How large its whole state is, in bytes; only of one that runs. */
  readonly stateBytes?: number
}
/** What a view is made of. `command` is the argument list of the process; `config` what stands in its file. */
export interface PrometheusParts extends Pick<PrometheusView, 'host' | 'shard' | 'version' | 'targets' | 'rules'> {
  readonly command: readonly string[]
  readonly config: PrometheusConfig
  /** Default: the static targets in `config`. */
  readonly alertmanagers?: readonly string[]
}
export interface AlertmanagerParts extends Pick<AlertmanagerView, 'host' | 'address' | 'version' | 'stateBytes'> {
  readonly command: readonly string[]
  readonly config: AlertmanagerConfig
  readonly seen?: readonly string[]
}

export const prometheusView = ({ command, config, alertmanagers, ...rest }: PrometheusParts): PrometheusView => {
  const global = config.global ?? {}
  const alerting = config.alerting ?? {}
  const senders = alerting.alertmanagers ?? []
  const evaluation = global.evaluation_interval ?? '1m'
  const resend = flagIn(command, 'rules.alert.resend-delay') ?? '1m'
  const externalLabels = Object.fromEntries(
    Object.entries(global.external_labels ?? {}).map(([name, value]) => [name, String(value)]),
  )
  return {
    ...rest,
    externalLabels,
    remoteWrite: (config.remote_write ?? []).map(({ url = '', write_relabel_configs: steps }) => ({
      url,
      tracked: trackedLabels(externalLabels, steps ?? [], rest.version),
    })),
    alertRelabel: alerting.alert_relabel_configs ?? [],
    alertmanagers:
      alertmanagers ??
      senders.flatMap(({ static_configs }) => (static_configs ?? []).flatMap(({ targets }) => targets ?? [])),
    pace: {
      scrape_interval: global.scrape_interval ?? '1m',
      evaluation_interval: evaluation,
      'rules.alert.resend-delay': resend,
    },
    retention: ['time', 'size']
      .map((what) => `${what} ${flagIn(command, `storage.tsdb.retention.${what}`) ?? 'default'}`)
      .join(', '),
    resendMs: Math.max(goMilliseconds(evaluation), goMilliseconds(resend)),
  }
}

export const alertmanagerView = ({ command, config, seen, ...rest }: AlertmanagerParts): AlertmanagerView => {
  const { route = {} } = config
  const alone = flagIn(command, 'cluster.listen-address') === ''
  const timing = (name: string): string => flagIn(command, `cluster.${name}`) ?? DEFAULTS[name] ?? ''
  return {
    ...rest,
    groupIntervalMs: Math.min(...groupIntervals(route, '5m')),
    retention: flagIn(command, 'data.retention') ?? '120h',
    ...(!alone && {
      gossip: {
        self: flagIn(command, 'cluster.advertise-address') ?? '',
        label: flagIn(command, 'cluster.label') ?? '',
        tls: flagIn(command, 'cluster.tls-config') !== undefined,
        peerTimeoutMs: goMilliseconds(timing('peer-timeout')),
        gossipIntervalMs: goMilliseconds(timing('gossip-interval')),
        timings: Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, timing(name)])),
        seen,
      },
    }),
  }
}

/** Alertmanager's own (cmd/alertmanager/main.go, from hashicorp/memberlist's LAN settings). */
const DEFAULTS: Readonly<Record<string, string>> = {
  'peer-timeout': '15s',
  'gossip-interval': '200ms',
  'pushpull-interval': '1m',
  'settle-timeout': '1m',
}

/** The parts of prometheus.yml that are looked at. */
export type PrometheusConfig = z.infer<typeof alertingForm>
interface Route {
  readonly group_interval?: string
  readonly routes?: readonly Route[]
}
/** The parts of alertmanager.yml that are looked at. */
export interface AlertmanagerConfig {
  readonly route?: Route
}

/** A route without its own has its parent's. */
const groupIntervals = ({ group_interval, routes = [] }: Route, parent: string): readonly number[] => {
  const mine = group_interval ?? parent
  return [goMilliseconds(mine), ...routes.flatMap((route) => groupIntervals(route, mine))]
}

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1e3,
  m: 60e3,
  h: 3_600e3,
  d: 86_400e3,
  w: 604_800e3,
  y: 31_536_000e3,
}
/** A duration as Prometheus writes them: `1m30s`, `2h`, `15d`. */
const goMilliseconds = (text: string): number =>
  [...text.matchAll(/([\d.]+)(ms|[smhdwy])/g)].reduce(
    (sum, [, n, unit = '']) => sum + Number(n) * (UNITS[unit] ?? 0),
    0,
  )
