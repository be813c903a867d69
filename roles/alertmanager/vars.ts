import { z } from 'zod'
import { absolutePath, duration, labelName, memoryMax, port, version } from '../../lib/inventory/schema/fields.ts'
import { sealKnownSecrets } from '../../lib/known-secrets.ts'
import type { WebServer } from '../../lib/model.ts'
import { extraFlagsBeside, setting, WEB_FLAGS } from '../../lib/program/flags.ts'
import { replaces, replacesData } from '../../lib/program/replaces.ts'
import { externalUrl, routePrefix, webFields } from '../../lib/program/web.ts'
import { settingsOf } from '../../lib/role.ts'
import { heartbeatVars } from './heartbeat-vars.ts'
import { missingReceivers } from './receivers.ts'

const clusterVars = z.strictObject({
  port: port.default(9094).describe('Port of the gossip, TCP and UDP; TCP alone with `tls: { gossip: true }`.'),
  advertise_address: z
    .union([z.ipv4(), z.ipv6()], { error: 'expected an IP address' })
    .optional()
    .describe(
      "The IP address under which other members reach it; default: the host's address, which must then be one.",
    ),
  label: z
    .string()
    .min(1, { error: 'expected a name; leave the setting out for no label' })
    .optional()
    .describe('Only members with the same label gossip with each other. Known from version 0.26 on, left out before.'),
  peer_timeout: duration.default('15s').describe('How long each further member waits for those before it to notify.'),
  gossip_interval: duration
    .optional()
    .describe(
      'How often news is sent to other members. A restarted one notifies again 50 times that later; default: a 75th of `peer_timeout`, so that none after it has waited for it by then, at most 200ms.',
    ),
  pushpull_interval: duration
    .optional()
    .describe('How often the whole state is compared with another member; default: a third of `peer_timeout`.'),
  settle_timeout: duration
    .default('1m')
    .describe('How long a starting member waits at most for the others before it notifies.'),
  reconnect_timeout: duration
    .default('5m')
    .describe(
      'How long members try to reach one that is gone, of those that the inventory does not name; those that it names are looked for always.',
    ),
})

const canaryVars = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .describe('Whether alerts can be watched: the route, the receiver, and the rule on every Prometheus.'),
  port: port
    .default(19094)
    .describe(
      "The port of the host's own loopback that the receiver sends to; it leads to the controller during a watched run.",
    ),
  every: duration.default('3s').describe('How often a watched run sends a canary alert.'),
  group_interval: duration
    .default('45s')
    .describe(
      'How often Alertmanager looks at a canary again, and so how late it may tell that one is over. The longer, the fewer stale notifications after a restart.',
    ),
})

const configVars = z
  .looseObject(
    {
      route: z
        .looseObject(
          {
            receiver: z
              .string({ error: 'expected the name of the receiver of everything that no other route takes' })
              .describe('The receiver of everything that no route below takes.'),
          },
          { error: 'expected the route at the top of the tree, with a `receiver`' },
        )
        .describe('The routing tree.'),
      receivers: z
        .array(
          z.looseObject({
            name: z.string({ error: 'expected the name of the receiver' }).describe('What routes call it.'),
          }),
          {
            error: 'expected a list of receivers, each with a `name`',
          },
        )
        .min(1, { error: 'expected at least one receiver' })
        .describe('Who can be notified. Every receiver that a route names must be here.'),
    },
    { error: 'expected the Alertmanager configuration: `route` and `receivers` at least' },
  )
  .superRefine((config, context) => {
    for (const { path, receiver } of missingReceivers(config))
      context.addIssue({
        code: 'custom',
        path: [...path],
        message: `no receiver is called ${JSON.stringify(receiver)}`,
      })
  })

const teamsVars = z.union(
  [
    z.literal(false),
    z.strictObject({
      folder: z
        .string()
        .optional()
        .describe('Folder of the files of teams, relative to the inventory; default: `teams`, where there is one.'),
      label: labelName.default('team').describe('The label of an alert that says which team it is of.'),
    }),
  ],
  { error: 'expected settings of teams, or false' },
)

export const alertmanagerVars = z.strictObject({
  version: version.describe('The version that runs.'),
  ...webFields(9093),
  external_url: externalUrl,
  route_prefix: routePrefix,
  config: configVars
    .transform(sealKnownSecrets)
    .describe(
      'The configuration file, as Alertmanager reads it: route, receivers, inhibit_rules, time_intervals, … A secret can stand anywhere as { $env: NAME } or { $file: path }.',
    ),
  teams: teamsVars
    .prefault({})
    .describe('Teams as files, from which routes and receivers are generated: see docs/teams.md. `false`: none.'),
  canary: canaryVars
    .prefault({})
    .describe(
      'What a run with --watch-alerts needs: a receiver of its own for canary alerts, silent while no run watches.',
    ),
  heartbeats: heartbeatVars
    .optional()
    .describe(
      'A sign of life of every path of alerts, from each Prometheus through each Alertmanager, to a service that raises an alarm where one does not come: see docs/alert-paths.md.',
    ),
  templates: z
    .string()
    .optional()
    .describe(
      'Folder of notification templates (*.tmpl), from the inventory; loaded unless `config` says which to load.',
    ),
  cluster: clusterVars.prefault({}).describe('How the members of group `alertmanager` find each other.'),
  retention: duration.default('120h').describe('How long silences and notifications are remembered after their end.'),
  data_dir: absolutePath.default('/var/lib/alertmanager').describe('Folder of silences and the notification log.'),
  log_level: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('The lowest level that is logged.'),
  memory_max: memoryMax,
  replaces,
  replaces_data: replacesData,
  extra_flags: extraFlagsBeside({
    ...WEB_FLAGS,
    'web.route-prefix': setting('route_prefix'),
    'config.file': 'its file is written from `config`, and is always /etc/alertmanager/alertmanager.yml',
    'storage.path': setting('data_dir'),
    'data.retention': setting('retention'),
    'cluster.listen-address': setting('cluster.port'),
    'cluster.advertise-address': setting('cluster.advertise_address'),
    'cluster.peer': 'its peers are the hosts of group `alertmanager`',
    'cluster.peer-name': 'it is the name of the host',
    'cluster.label': setting('cluster.label'),
    'cluster.tls-config': 'gossip with TLS is tls: { gossip: true }',
    'cluster.peer-timeout': setting('cluster.peer_timeout'),
    'cluster.gossip-interval': setting('cluster.gossip_interval'),
    'cluster.pushpull-interval': setting('cluster.pushpull_interval'),
    'cluster.settle-timeout': setting('cluster.settle_timeout'),
    'cluster.reconnect-timeout': setting('cluster.reconnect_timeout'),
  }).describe('Further command line flags, beside those that settings stand for.'),
})
export type AlertmanagerVars = z.infer<typeof alertmanagerVars>

/** Its web server. */
export const WEB: WebServer = { role: 'alertmanager', folder: '/etc/alertmanager', user: 'alertmanager' }

/** The settings of an Alertmanager's host. */
export const alertmanagerOn = settingsOf('alertmanager', alertmanagerVars, { web: WEB })
