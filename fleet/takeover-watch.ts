/**
 * A fleet that others have deployed, watched from its first change on: canary alerts get their route, receiver, rule and job by a reload of what runs,
 * and go again where the deploy has not put its own configuration in the place of the old one.
 */
import { dirname } from 'node:path'
import { parse } from 'yaml'
import { answered } from '../lib/answered.ts'
import { receiversOf } from '../lib/api/alertmanager.ts'
import type { Endpoint } from '../lib/api/endpoint.ts'
import { hasRule, targetsOf } from '../lib/api/prometheus.ts'
import { milliseconds } from '../lib/duration.ts'
import { HostError } from '../lib/errors.ts'
import { RELEASES } from '../lib/host-paths.ts'
import type { CanaryNames, Prepared, WatchedAlertmanager } from '../lib/ledger/fleet.ts'
import { flagIn, type Lent, lendConfig, type RunningConfig, runningBehind } from '../lib/ledger/lent-config.ts'
import type { Duration, Host, Inventory, Reach, Scope } from '../lib/model.ts'
import { scopeOf } from '../lib/playbook.ts'
import { endpointOf } from '../lib/program/web.ts'
import type { Labels } from '../lib/routing/matcher.ts'
import { type RelabelStep, relabel } from '../lib/routing/relabel.ts'
import { urlOf } from '../lib/url.ts'
import { withItem } from '../lib/yaml-items.ts'
import { CANARY_ALERT, CANARY_RECEIVER, canaryReceiver, canaryRoute } from '../roles/alertmanager/canary.ts'
import { alertmanager } from '../roles/alertmanager/role.ts'
import { type AlertPath, alertPath } from '../roles/prometheus/alert-path.ts'
import { CANARY_JOB, canaryTargets, textfileOnly } from '../roles/prometheus/canary.ts'
import { prometheus } from '../roles/prometheus/role.ts'
import { jobsOf } from '../roles/prometheus/targets.ts'
import type { PrometheusVars } from '../roles/prometheus/vars.ts'
import { ownFiles } from '../roles/rules/files.ts'
import { rules } from '../roles/rules/role.ts'
import { pathInForce } from './alerting-in-force.ts'

/** What a Prometheus's alerts of canaries carry before it adds anything; the rest of their labels differs from canary to canary. */
const BARE = { canary: 'c0000', run: 'run', severity: 'none', vestal: 'canary' }
/** Alertmanager's own, where no flag says otherwise (`cmd/alertmanager/main.go`). */
const PEER_TIMEOUT_MS = 15_000
const RULE_FILE = 'vestal-canary-rules.yml'

interface Lender {
  readonly inventory: Inventory
  readonly members: readonly WatchedAlertmanager[]
}

/**
 * Gives canary alerts a route, a receiver, a rule and a job on every Alertmanager and Prometheus that runs without them; those that do not answer are
 * passed over, and those that Vestal has deployed without. Throws HostError where one can't have them, once all that were changed are as they were.
 */
export const prepareTakeover = async (
  { inventory, members }: Lender,
  reach: Reach,
  names: CanaryNames,
): Promise<Prepared> => {
  const lent: { readonly host: Host; readonly config: Lent }[] = []
  const giveBack: Prepared['giveBack'] = async () => {
    const ended = await Promise.allSettled(lent.map(({ config }) => config.giveBack()))
    return ended.flatMap((one, at) =>
      one.status === 'rejected' ? [{ host: lent[at]?.host.name ?? '', why: wordsOf(one.reason) }] : [],
    )
  }
  let peerWaitMs = 0
  const changes = await Promise.allSettled([
    ...members.map(async (member) => {
      if (!(await memberLacks(member.endpoint, reach))) return
      const found = await lendAlertmanager(member, reach)
      if (!found) return
      const { config, running } = found
      lent.push({ host: member.endpoint.host, config })
      peerWaitMs = Math.max(peerWaitMs, (members.length - 1) * peerTimeout(running))
    }),
    ...replicasOf(inventory).map(async (host) => {
      if (!(await replicaLacks(host, reach))) return
      const config = await lendPrometheus(scopeOf(prometheus, host, inventory), reach, names)
      if (config) lent.push({ host, config })
    }),
  ])
  const failure = changes.find((one) => one.status === 'rejected')
  if (failure) {
    await giveBack()
    throw failure.reason
  }
  return { peerWaitMs, giveBack }
}

/** Whether an Alertmanager or Prometheus of the fleet runs without a way for canary alerts: somebody else has deployed it. */
export const isOthers = async (inventory: Inventory, reach: Reach): Promise<boolean> => {
  const members = inventory.hosts.filter(({ groups }) => groups.includes('alertmanager'))
  const lacking = await Promise.all([
    ...members.map((host) => memberLacks(endpointOf(host, alertmanager.varsOf(host)), reach)),
    ...replicasOf(inventory).map((host) => replicaLacks(host, reach)),
  ])
  return lacking.includes(true)
}

const replicasOf = ({ hosts }: Inventory): readonly Host[] =>
  hosts.filter(({ groups }) => groups.includes('prometheus'))

/** False too for one that does not answer. */
const memberLacks = async (endpoint: Endpoint, reach: Reach): Promise<boolean> =>
  (await answered(() => receiversOf(reach, endpoint)))?.includes(CANARY_RECEIVER) === false

const replicaLacks = async (host: Host, reach: Reach): Promise<boolean> =>
  (await answered(() => hasRule(reach, endpointOf(host, prometheus.varsOf(host)), CANARY_ALERT))) === false

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const lendAlertmanager = async (
  { endpoint, port, lentToken = '' }: WatchedAlertmanager,
  reach: Reach,
): Promise<{ readonly config: Lent; readonly running: RunningConfig } | null> => {
  const connection = await reach(endpoint.host)
  const { canary } = alertmanager.varsOf(endpoint.host)
  const running = await runningBehind(connection, { port: endpoint.port, usual: 'alertmanager.yml' })
  if (isOurs(running)) return null
  const config = await lendConfig(connection, running, {
    edit: (text) => {
      const routed = withItem(text, ['route', 'routes'], { item: canaryRoute(canary.group_interval), at: 'first' })
      const receiver = canaryReceiver(port, { credentials: lentToken })
      return withItem(routed, ['receivers'], { item: receiver, at: 'last' })
    },
    lacks: async () =>
      (await receiversOf(reach, endpoint)).includes(CANARY_RECEIVER) ? null : 'has no receiver for canary alerts',
  })
  return { config, running }
}

/** Its configuration may be as the inventory wants it, and would not be written anew: nothing is lent there. */
const isOurs = ({ program }: RunningConfig): boolean => program.startsWith(`${RELEASES}/`)

const peerTimeout = ({ command }: RunningConfig): number => {
  const value = flagIn(command, 'cluster.peer-timeout')
  return value && /^\d+(ms|s|m|h)$/.test(value) ? milliseconds(value as Duration) : PEER_TIMEOUT_MS
}

const lendPrometheus = async (scope: Scope<PrometheusVars>, reach: Reach, names: CanaryNames): Promise<Lent | null> => {
  const { host, vars, inventory } = scope
  const endpoint = endpointOf(host, vars)
  const connection = await reach(host)
  const running = await runningBehind(connection, { port: endpoint.port, usual: 'prometheus.yml' })
  if (isOurs(running)) return null
  const now = await pathInForce(reach, host)
  const steps = likeAfterwards(host, { now, afterwards: alertPath(scope), alert: names.alert })
  const job = canaryJob(scope)
  const pool = await jobThatReads(canaryTargets(inventory), endpoint, reach)
  const rule = ownFiles(scopeOf(rules, host, inventory)).find(({ text }) => text.includes(`alert: ${names.alert}`))
  return lendConfig(connection, running, {
    edit: (text) => {
      const edits: readonly (readonly [readonly string[], unknown, 'first' | 'last'])[] = [
        [['rule_files'], `${dirname(running.file)}/${RULE_FILE}`, 'last'],
        [['scrape_configs'], { ...job, ...(pool !== undefined && askedLike(text, pool)) }, 'last'],
        ...steps.map((step) => [['alerting', 'alert_relabel_configs'], step, 'last'] as const),
      ]
      return edits.reduce((edited, [path, item, at]) => withItem(edited, path, { item, at }), text)
    },
    beside: { name: RULE_FILE, text: rule?.text ?? '' },
    lacks: async () => {
      if (!(await hasRule(reach, endpoint, names.alert))) return 'has no rule for canary alerts'
      const targets = await targetsOf(reach, endpoint)
      return targets.some(({ scrapePool, health }) => scrapePool === CANARY_JOB && health === 'up')
        ? null
        : 'scrapes no machine that has their metrics'
    },
  })
}

/** The job by which it reads one of these already; undefined where none does. */
const jobThatReads = async (
  wanted: readonly { readonly address: string }[],
  endpoint: Endpoint,
  reach: Reach,
): Promise<string | undefined> => {
  const found = await answered(() => targetsOf(reach, endpoint))
  return found?.find(({ scrapeUrl }) => wanted.some(({ address }) => urlOf(scrapeUrl)?.host === address))?.scrapePool
}

/** How a job of its file asks: by TLS or not, as whom, under which path. In that very file it shows nothing that isn't there. */
export const askedLike = (text: string, job: string): Readonly<Record<string, unknown>> => {
  const { scrape_configs: jobs } = (parse(text, { version: '1.1', merge: true, logLevel: 'error' }) ?? {}) as {
    readonly scrape_configs?: readonly Readonly<Record<string, unknown>>[]
  }
  const found = Array.isArray(jobs) ? jobs.find((one) => String(one?.job_name) === job) : undefined
  return Object.fromEntries(Object.entries(found ?? {}).filter(([name]) => ASKING.has(name)))
}
const ASKING = new Set([
  ...['scheme', 'metrics_path', 'tls_config', 'basic_auth', 'authorization', 'bearer_token', 'bearer_token_file'],
  ...['oauth2', 'http_headers', 'proxy_url', 'no_proxy', 'proxy_from_environment', 'proxy_connect_header'],
])

/** A job of its own, as the inventory asks node_exporter, that takes nothing but metrics of canaries. */
const canaryJob = (scope: Scope<PrometheusVars>): Readonly<Record<string, unknown>> => {
  const node = jobsOf(scope).find(({ name }) => name === 'node')
  return {
    job_name: CANARY_JOB,
    scrape_interval: scope.vars.scrape_interval,
    ...textfileOnly(node?.config ?? {}),
    static_configs: canaryTargets(scope.inventory).map(({ address, labels }) => ({ targets: [address], labels })),
    metric_relabel_configs: [{ source_labels: ['__name__'], regex: 'vestal_canary_.+', action: 'keep' }],
  }
}

/**
 * What makes a Prometheus send canary alerts with the labels that it will give them once it is deployed: an alert with other labels is another alert,
 * notified once more. Throws HostError where it drops them.
 */
const likeAfterwards = (
  host: Host,
  { now, afterwards, alert }: { readonly now: AlertPath; readonly afterwards: AlertPath; readonly alert: string },
): readonly RelabelStep[] => {
  const bare = { alertname: alert, ...BARE }
  const sentBy = ({ external, steps, dotAll }: AlertPath): Labels | null =>
    relabel({ ...external, ...bare }, steps, dotAll)
  const [old, wanted] = [sentBy(now), sentBy(afterwards)]
  if (!old || !wanted)
    throw new HostError(host.name, 'its alert_relabel_configs drop canary alerts, so they cannot be watched')
  const names = new Set([...Object.keys(old), ...Object.keys(wanted)])
  return [...names]
    .filter((name) => old[name] !== wanted[name])
    .map((name) => ({
      source_labels: ['alertname'],
      regex: alert,
      target_label: name,
      replacement: (wanted[name] ?? '').replaceAll('$', '$$$$'),
    }))
}
