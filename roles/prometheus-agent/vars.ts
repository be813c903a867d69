import { z } from 'zod'
import {
  absolutePath,
  duration,
  jobName,
  labelName,
  labels,
  memoryMax,
  version,
} from '../../lib/inventory/schema/fields.ts'
import { sealKnownSecrets } from '../../lib/known-secrets.ts'
import type { WebServer } from '../../lib/model.ts'
import { extraFlagsBeside, setting, WEB_FLAGS } from '../../lib/program/flags.ts'
import { externalUrl, routePrefix, webFields } from '../../lib/program/web.ts'
import { settingsOf } from '../../lib/role.ts'
import { globalVars, REMOTE_WRITE, remoteWrite, scrapeConfig, targetVars } from '../prometheus/scrape-vars.ts'

export const agentVars = z.strictObject({
  version: version.describe('The version that runs; 3.0 or later.'),
  ...webFields(9090),
  external_url: externalUrl,
  route_prefix: routePrefix,
  cluster: z.string().optional().describe('Value of the cluster label: the same on all replicas.'),
  cluster_label: labelName.default('cluster').describe('Name of the external label that says which cluster this is.'),
  replica: z.string().optional().describe("Value of the replica label; default: the host's name."),
  replica_label: labelName.default('replica').describe('Name of the external label that tells replicas apart.'),
  external_labels: labels.default({}).describe('Further external labels.'),
  scrape_interval: duration.default('15s').describe('How often targets are scraped.'),
  scrape_timeout: duration
    .optional()
    .describe('How long a scrape may take; default: 10s, or the interval where that is shorter.'),
  targets: z
    .record(jobName, targetVars)
    .default({})
    .transform(sealKnownSecrets)
    .describe('Jobs by name, each over the hosts of a group. None is there by itself.'),
  scrape_configs: z
    .array(scrapeConfig)
    .default([])
    .transform(sealKnownSecrets)
    .describe('Further scrape configs, as Prometheus reads them.'),
  global: globalVars('prometheus_agent', ['scrape_interval', 'scrape_timeout', 'external_labels'])
    .prefault({})
    .describe('Further fields of `global`, as Prometheus reads them: sample_limit, label_limit, …'),
  remote_write: remoteWrite
    .min(1, { error: 'expected where samples are sent to: an agent keeps none that can be asked for' })
    .transform(sealKnownSecrets)
    .describe(REMOTE_WRITE),
  storage_dir: absolutePath
    .default('/var/lib/prometheus-agent')
    .describe('Folder of the samples that wait to be sent; those of the last two hours at least.'),
  log_level: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('The lowest level that is logged.'),
  memory_max: memoryMax,
  extra_flags: extraFlagsBeside({
    ...WEB_FLAGS,
    'web.route-prefix': setting('route_prefix'),
    'config.file': 'its file is written from these settings, and is always /etc/prometheus-agent/prometheus.yml',
    agent: 'it is always there: this role is for agent mode',
    'storage.agent.path': setting('storage_dir'),
  }).describe('Further command line flags, beside those that settings stand for.'),
})
export type AgentVars = z.infer<typeof agentVars>

/** Its web server. */
export const WEB: WebServer = { role: 'prometheus-agent', folder: '/etc/prometheus-agent', user: 'prometheus-agent' }

/** The settings of an agent's host. */
export const agentOn = settingsOf('prometheus_agent', agentVars, { web: WEB })
