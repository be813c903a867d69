import type { Host, Inventory, Scope } from '../../lib/model.ts'
import { webOn } from '../../lib/program/certified.ts'
import { clientConfig, joined, portOf, prefixOf } from '../../lib/program/web.ts'
import { yamlFile } from '../../lib/program/yaml-file.ts'
import type { RelabelStep } from '../../lib/routing/relabel.ts'
import type { Sealed } from '../../lib/secret.ts'
import { PATH_ALERT, PATH_LABELS } from '../alertmanager/heartbeats.ts'
import { CANARY_TENANT, canaryStep } from '../cortex-alertmanager/canary.ts'
import { PREFIX } from '../cortex-alertmanager/vars.ts'
import { addedLabels, relabelSteps } from './alert-path.ts'
import { externalLabels } from './external-labels.ts'
import type { Job } from './job.ts'
import { remoteWriteOf } from './remote-write.ts'
import { shardedScrape } from './spread.ts'
import type { Receiving, RingReceiving } from './targets.ts'
import { type PrometheusVars, WEB } from './vars.ts'

/** The folder of its configuration on a host. */
export const homeOf = (host: Host): string => webOn(host, WEB).folder
export const configOf = (host: Host): string => `${homeOf(host)}/prometheus.yml`
/** The folder of the targets that the inventory has. */
export const targetsFolder = (host: Host): string => `${homeOf(host)}/file_sd`

export interface Parts {
  readonly jobs: readonly Job[]
  readonly alertmanagers: readonly Receiving[]
  /** Where tenants' alerts go. */
  readonly ring: readonly RingReceiving[]
  /** Whether canary alerts go there too, as a tenant of their own. */
  readonly ringCanary: boolean
  /** Where the rule files are. */
  readonly rules: string
  /** What gives alerts their teams. */
  readonly ownership: readonly RelabelStep[]
}

/** prometheus.yml. All replicas of a shard differ in nothing but the value of their replica label. */
export const configFile = (
  scope: Scope<PrometheusVars>,
  { jobs, alertmanagers, ring, ringCanary, rules, ownership }: Parts,
): string | Sealed => {
  const { vars } = scope
  const spread = shardedScrape(scope)
  return yamlFile({
    global: {
      scrape_interval: vars.scrape_interval,
      ...(vars.scrape_timeout && { scrape_timeout: vars.scrape_timeout }),
      evaluation_interval: vars.evaluation_interval,
      external_labels: externalLabels(vars.version, addedLabels(scope)),
      ...vars.global,
    },
    ...(vars.runtime && { runtime: vars.runtime }),
    rule_files: [`${rules}/*.yml`],
    alerting: {
      alert_relabel_configs: relabelSteps(scope, ownership),
      alertmanagers: [
        ...senders(scope.host, alertmanagers),
        // A canary alert is no tenant's of the operator: nobody is to be notified of it.
        ...vars.tenants.flatMap((tenant) => tenantSenders(tenant, { ring, canaries: 'drop' })),
        ...(ringCanary ? tenantSenders(CANARY_TENANT, { ring, canaries: 'keep' }) : []),
        ...vars.alerting.alertmanagers,
      ],
    },
    ...(vars.scrape_config_files.length > 0 && { scrape_config_files: vars.scrape_config_files }),
    scrape_configs: [...jobs.map((job) => scrapeConfig(job, scope.host)), ...vars.scrape_configs].flatMap(spread),
    ...(vars.remote_write.length > 0 && { remote_write: remoteWriteOf(scope) }),
    ...(vars.remote_read.length > 0 && { remote_read: vars.remote_read }),
    ...(vars.storage && { storage: vars.storage }),
    ...(vars.otlp && { otlp: vars.otlp }),
    ...(vars.tracing && { tracing: vars.tracing }),
  })
}

/** A job's targets, as file_sd reads them: Prometheus notices a change of this file by itself. Printed once for all replicas. */
export const targetsFile = ({ targets }: Job, inventory: Inventory): string | Sealed => {
  const files = printed.get(inventory) ?? new Map<string, string | Sealed>()
  printed.set(inventory, files)
  const key = JSON.stringify(targets)
  const file = files.get(key) ?? yamlFile(targets.map(({ address, labels }) => ({ targets: [address], labels })))
  files.set(key, file)
  return file
}

const printed = new WeakMap<Inventory, Map<string, string | Sealed>>()

export const targetsPath = ({ name }: Job, host: Host): string => `${targetsFolder(host)}/${name}.yml`

const scrapeConfig = (job: Job, host: Host) => ({
  job_name: job.name,
  ...job.config,
  file_sd_configs: [{ files: [targetsPath(job, host)] }],
})

/** One entry for each tenant, the header being the same for all targets of an entry, and for all instances that are asked in the same way. */
const tenantSenders = (
  tenant: string,
  { ring, canaries }: { readonly ring: readonly RingReceiving[]; readonly canaries: 'keep' | 'drop' },
) =>
  [...Map.groupBy(ring, ({ web }) => JSON.stringify(clientConfig(web))).values()].map((some) => ({
    api_version: 'v2',
    path_prefix: PREFIX,
    ...(some[0] && clientConfig(some[0].web)),
    http_headers: { 'X-Scope-OrgID': { values: [tenant] } },
    alert_relabel_configs: [canaryStep(canaries)],
    static_configs: [{ targets: some.map(placeOf) }],
  }))

const placeOf = ({ host, web: { listen } }: RingReceiving): string => joined(host.address, portOf(listen))

/** One entry for all Alertmanagers that are asked in the same way; with heartbeats each its own, whose alert says which path it takes. */
const senders = (self: Host, alertmanagers: Parts['alertmanagers']) => {
  const alike = Map.groupBy(alertmanagers, ({ host, web }) =>
    JSON.stringify([prefixOf(web), clientConfig(web), web.heartbeats && host.name]),
  )
  return [...alike.values()].map((some) => {
    const web = some[0]?.web
    const prefix = web ? prefixOf(web) : ''
    return {
      api_version: 'v2',
      ...(prefix !== '' && { path_prefix: prefix }),
      ...(web && clientConfig(web)),
      ...(some[0] && web?.heartbeats && { alert_relabel_configs: pathSteps(self, some[0].host) }),
      static_configs: [{ targets: some.map(({ host, web: { listen } }) => joined(host.address, portOf(listen))) }],
    }
  })
}

const pathSteps = (self: Host, receiving: Host) =>
  [
    [PATH_LABELS.from, self.name],
    [PATH_LABELS.through, receiving.name],
  ].map(([target_label, replacement = '']) => ({
    source_labels: ['alertname'],
    regex: PATH_ALERT,
    target_label,
    // A `$` would be a group of the expression.
    replacement: replacement.replaceAll('$', '$$$$'),
  }))
