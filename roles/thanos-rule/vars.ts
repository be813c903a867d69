import { z } from 'zod'
import { absolutePath, duration, labels, port, url } from '../../lib/inventory/schema/fields.ts'
import type { WebServer } from '../../lib/model.ts'
import { webFields } from '../../lib/program/web.ts'
import { settingsOf } from '../../lib/role.ts'
import { USER } from '../thanos/release.ts'
import { grpcListen, thanosFields, versionField } from '../thanos/vars.ts'

export const ruleVars = z.strictObject({
  version: versionField,
  ...webFields(10906),
  grpc_listen: grpcListen(10905, 'Thanos Query asks'),
  rules: z
    .array(z.string())
    .default([])
    .describe(
      'Folders of rule files (`*.yml`, `*.yaml`, with `groups:` at the top), relative to the inventory: rules over the data of all shards, beside those of Prometheus that no shard can evaluate alone.',
    ),
  labels: labels
    .default({})
    .describe(
      'Further labels of its alerts and recorded series, beside the `cluster` of Prometheus and the replica label, which is taken off alerts.',
    ),
  evaluation_interval: duration.default('15s').describe('How often rules are evaluated that do not say so themselves.'),
  resend_delay: duration.default('1m').describe('How often a firing alert is sent again, at least.'),
  alertmanager_group: z
    .string()
    .default('alertmanager')
    .describe('The inventory group with the Alertmanagers it sends alerts to, to each of them.'),
  query_url: url
    .optional()
    .describe(
      'Where people can ask: links in notifications lead there. Default: the first gateway, or else Thanos Query.',
    ),
  endpoint_timeout: duration
    .default('5s')
    .describe(
      'How long a Prometheus may send nothing before an evaluation goes on without it, or fails where its shard has no other one.',
    ),
  inner_port: port
    .default(10911)
    .describe(
      'The first of the ports of its own queries on the loopback: two for what it asks, and two for each shard.',
    ),
  retention: duration.default('15d').describe('How long what it records is kept, and how alerts have been pending.'),
  storage_dir: absolutePath.default('/var/lib/thanos-rule').describe('Folder of what it records.'),
  ...thanosFields(' Its queries have limits of the same size each.'),
})
export type RuleVars = z.infer<typeof ruleVars>

/** Its web server. */
export const WEB: WebServer = { role: 'thanos-rule', folder: '/etc/thanos-rule', user: USER }

/** The settings of a ruler's host. */
export const ruleOn = settingsOf('thanos_rule', ruleVars, { web: WEB })
