import { z } from 'zod'
import {
  absolutePath,
  bytes,
  duration,
  jobName,
  labelName,
  labels,
  memoryMax,
  version,
} from '../../lib/inventory/schema/fields.ts'
import { sealKnownSecrets } from '../../lib/known-secrets.ts'
import type { Instances, WebServer } from '../../lib/model.ts'
import { extraFlagsBeside, setting, WEB_FLAGS } from '../../lib/program/flags.ts'
import { replaces } from '../../lib/program/replaces.ts'
import { externalUrl, routePrefix, webFields } from '../../lib/program/web.ts'
import { settingsOf } from '../../lib/role.ts'
import { globalVars, REMOTE_WRITE, remoteWrite, scrapeConfig, targetVars, yaml } from './scrape-vars.ts'

const alertingVars = z.strictObject({
  alertmanagers: z
    .array(yaml)
    .default([])
    .transform(sealKnownSecrets)
    .describe(
      'Further Alertmanagers that alerts are sent to, as Prometheus reads them. Vestal deploys none of them, and asks none whether it serves.',
    ),
})
/** A label as a target has it while it is relabelled. */
const targetLabel = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: 'expected a label of targets, such as __address__, job or namespace' })

const retentionVars = z.strictObject({
  time: duration.default('15d').describe('How long samples are kept.'),
  size: bytes
    .optional()
    .describe('How much room blocks may take; the oldest go first. Leave room for the WAL beside it.'),
})

const STORAGE = '/var/lib/prometheus'

export const prometheusVars = z.strictObject({
  version: version.describe('The version that runs.'),
  ...webFields(9090),
  external_url: externalUrl,
  route_prefix: routePrefix,
  cluster: z
    .string()
    .optional()
    .describe('Value of the cluster label: the same on all replicas, and on every alert and remote sample.'),
  cluster_label: labelName.default('cluster').describe('Name of the external label that says which cluster this is.'),
  replica: z.string().optional().describe("Value of the replica label; default: the host's name."),
  replica_label: labelName
    .default('replica')
    .describe(
      'Name of the external label that tells replicas apart; taken off alerts, so that those of all replicas are the same.',
    ),
  shard: z
    .union([z.int().nonnegative(), z.string()], { error: 'expected the number of a shard, from 0' })
    .transform(String)
    .optional()
    .describe(
      'Which shard it is a replica of; default: the number of its group `shard_NUMBER`, else the part of `shards` that its place among the hosts gives it, else 0. Replicas of one shard scrape the same targets; two of them are never interrupted at once.',
    ),
  shards: z
    .int({ error: 'expected how many shards there are' })
    .min(1)
    .max(1_000)
    .optional()
    .describe(
      'How many shards there are: the same for all hosts, which are handed out to them in the order of the inventory, as many to each.',
    ),
  sharding: z
    .enum(['table', 'hashmod'], { error: 'expected table or hashmod' })
    .optional()
    .describe(
      'How targets are spread over shards: by the table in `shards.yml` beside the inventory, which `vestal shards` writes, or by their hash modulo the number of shards. Default: `table` where that file is there or `shards` is given; else each host scrapes all that its settings name.',
    ),
  shard_labels: z
    .array(targetLabel)
    .min(1)
    .default(['__address__'])
    .describe(
      'With `sharding: hashmod`, the labels that targets are hashed by; a table has its own. In place of `__address__` it is `__param_target` for jobs that set it, which probes do.',
    ),
  shard_label: labelName
    .default('shard')
    .describe(
      'Name of the external label with the number of the shard, where targets are spread; taken off alerts, so that one that moves with its target stays the same.',
    ),
  keep_dropped_targets: z
    .int({ error: 'expected a number of targets; 0 is no limit' })
    .nonnegative()
    .optional()
    .describe(
      'How many targets that it doesn’t scrape a sharded Prometheus remembers for each job, from 2.47 on; default: 1, and all of jobs whose own relabelling drops some, as `vestal shards verify` must tell those from what no shard scrapes.',
    ),
  external_labels: labels.default({}).describe('Further external labels.'),
  scrape_interval: duration.default('15s').describe('How often targets are scraped.'),
  scrape_timeout: duration
    .optional()
    .describe('How long a scrape may take; default: 10s, or the interval where that is shorter.'),
  evaluation_interval: duration.default('15s').describe('How often rules are evaluated.'),
  targets: z
    .record(jobName, targetVars.nullable())
    .default({})
    .transform(sealKnownSecrets)
    .describe(
      'Jobs by name, each over the hosts of a group. `node`, `prometheus` and `alertmanager` are there by themselves; give one of them to change it, or null to leave it out.',
    ),
  scrape_configs: z
    .array(scrapeConfig)
    .default([])
    .transform(sealKnownSecrets)
    .describe('Further scrape configs, as Prometheus reads them.'),
  target_folders: z
    .array(z.string())
    .default([])
    .describe(
      'Folders of files of targets (`*.yml`, `*.yaml`, `*.json`), relative to the inventory; brought to /etc/prometheus/targets, which `targets/*.yml` in a `file_sd_configs` means.',
    ),
  scrape_config_files: z
    .array(z.string())
    .default([])
    .describe('Files on the machine with further scrape configs, as Prometheus reads it; brought there by others.'),
  global: globalVars('prometheus', ['scrape_interval', 'scrape_timeout', 'evaluation_interval', 'external_labels'])
    .prefault({})
    .describe(
      'Further fields of `global`, as Prometheus reads them: sample_limit, rule_query_offset, query_log_file, …',
    ),
  storage: yaml
    .optional()
    .transform(sealKnownSecrets)
    .describe('The section `storage`, as Prometheus reads it: tsdb, exemplars.'),
  tracing: yaml.optional().transform(sealKnownSecrets).describe('The section `tracing`, as Prometheus reads it.'),
  otlp: yaml.optional().describe('The section `otlp`, as Prometheus reads it.'),
  runtime: yaml.optional().describe('The section `runtime`, as Prometheus reads it.'),
  remote_read: z
    .array(yaml)
    .default([])
    .transform(sealKnownSecrets)
    .describe('Where samples of others are read from, as Prometheus reads it.'),
  alerting: alertingVars.prefault({}).describe('Alertmanagers beside those of the inventory.'),
  alertmanager_group: z
    .string()
    .default('alertmanager')
    .describe('The inventory group with the Alertmanagers it sends alerts to.'),
  tenants: z
    .array(
      z
        .string()
        .regex(/^[A-Za-z0-9!_.*'()-]{1,150}$/, { error: "expected a tenant's name: letters, digits and !-_.*'()" }),
    )
    .default([])
    .describe(
      'Tenants of the ring of Cortex Alertmanagers (group `cortex_alertmanager`) as which alerts are sent there too. From version 2.55 on.',
    ),
  alert_relabel_configs: z
    .array(yaml)
    .default([])
    .describe('Relabelling of alerts, after the replica label is taken off.'),
  resend_delay: duration.default('1m').describe('How often a firing alert is sent again, at least.'),
  remote_write: remoteWrite.default([]).transform(sealKnownSecrets).describe(REMOTE_WRITE),
  retention: retentionVars.prefault({}).describe('How long and how much is kept.'),
  storage_dir: absolutePath
    .default(STORAGE)
    .describe(
      'Folder of the samples; of one of several on a machine (`vestal: { instance: NAME }`), the default has that name behind it.',
    ),
  log_level: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('The lowest level that is logged.'),
  memory_max: memoryMax,
  replaces,
  extra_flags: extraFlagsBeside({
    ...WEB_FLAGS,
    'web.route-prefix': setting('route_prefix'),
    'config.file': 'its file is written from these settings, and is always /etc/prometheus/prometheus.yml',
    'storage.tsdb.path': setting('storage_dir'),
    'storage.tsdb.retention': setting('retention.time'),
    'storage.tsdb.retention.time': setting('retention.time'),
    'storage.tsdb.retention.size': setting('retention.size'),
    'rules.alert.resend-delay': setting('resend_delay'),
    agent: 'agent mode has no rules, no alerts and no queries, which this role is for',
    'storage.agent.path': 'agent mode has no rules, no alerts and no queries, which this role is for',
  }).describe('Further command line flags, beside those that settings stand for.'),
})
export type PrometheusVars = z.infer<typeof prometheusVars>

/** Its web server. */
export const WEB: WebServer = { role: 'prometheus', folder: '/etc/prometheus', user: 'prometheus' }

/** Several of them can share a machine. */
export const INSTANCES: Instances<PrometheusVars> = {
  settings: (vars, instance) => ({
    ...vars,
    storage_dir: vars.storage_dir === STORAGE ? `${STORAGE}-${instance}` : vars.storage_dir,
  }),
}

/** The settings of a Prometheus' host. */
export const prometheusOn = settingsOf('prometheus', prometheusVars, { web: WEB, instances: INSTANCES })
