import { z } from 'zod'
import {
  absolutePath,
  bytes,
  duration,
  labelName,
  listenAddress,
  port,
  secret,
  url,
  version,
} from '../../lib/inventory/schema/fields.ts'
import type { WebServer } from '../../lib/model.ts'
import { settingsOf } from '../../lib/role.ts'

/** Under which path Cortex serves the API of each tenant's Alertmanager; the path of its external URL must be the same. */
export const PREFIX = '/alertmanager'

const count = z.int({ error: 'expected a whole number' }).min(0, { error: 'expected a whole number from 0' })

const s3 = z.strictObject({
  backend: z.literal('s3').describe('S3, and whatever speaks its protocol.'),
  endpoint: z.string().describe('Where it is: a host and a port, without http://.'),
  bucket: z.string().min(1).describe('The bucket; it must be there already.'),
  region: z.string().optional().describe('Its region, where it has one.'),
  access_key_id: z.string().optional().describe('Who asks; default: by the role of the machine.'),
  secret_access_key: secret.optional().describe('The key that belongs to `access_key_id`.'),
  insecure: z.boolean().default(false).describe('Whether it speaks HTTP and no TLS.'),
  lookup: z
    .enum(['auto', 'virtual-hosted', 'path'])
    .default('auto')
    .describe('Whether the bucket stands in the host name or in the path.'),
})
const gcs = z.strictObject({
  backend: z.literal('gcs').describe('Google Cloud Storage.'),
  bucket: z.string().min(1).describe('The bucket.'),
  service_account: secret.optional().describe('The JSON of the service account; default: that of the machine.'),
})
const azure = z.strictObject({
  backend: z.literal('azure').describe('Azure Blob Storage.'),
  account_name: z.string().min(1).describe('The storage account.'),
  account_key: secret.optional().describe('Its key; default: by the identity of the machine.'),
  container: z.string().min(1).describe('The container.'),
  endpoint_suffix: z.string().optional().describe('The end of its host name, where it is not blob.core.windows.net.'),
})
const swift = z.strictObject({
  backend: z.literal('swift').describe('OpenStack Swift.'),
  auth_url: url.describe('Where Keystone is.'),
  username: z.string().describe('Who asks.'),
  password: secret.describe('The password of `username`.'),
  user_domain_name: z.string().optional().describe('The domain of the user.'),
  project_name: z.string().describe('The project.'),
  project_domain_name: z.string().optional().describe('The domain of the project.'),
  region_name: z.string().optional().describe('The region.'),
  container: z.string().min(1).describe('The container.'),
})
const filesystem = z.strictObject({
  backend: z.literal('filesystem').describe('A folder that all instances share.'),
  dir: absolutePath.describe(
    'A folder that every instance sees: NFS, CephFS and the like. That it is one and the same is tried before anything goes on.',
  ),
})

const tenantsVars = z.strictObject({
  folder: z.string().default('tenants').describe('Folder of the tenants’ files, relative to the inventory.'),
  teams: z
    .strictObject({
      folder: z.string().default('teams').describe('Folder of the files of teams, relative to the inventory.'),
      label: labelName.default('team').describe('The label of an alert that says which team it is of.'),
    })
    .optional()
    .describe('Where teams as files are tenants too, each by its name: see docs/teams.md. Default: none is.'),
  canaries: z
    .array(z.string())
    .optional()
    .describe('Tenants whose configurations are uploaded first; default: three of those that change.'),
})

const canaryVars = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .describe(
      'Whether alerts can be watched: the tenant `vestal-canary`, which `vestal tenants sync` brings, and that Prometheus sends as it.',
    ),
  port: port
    .default(19095)
    .describe(
      "The port of an instance's own loopback that the tenant's receiver sends to; it leads to the controller during a watched run.",
    ),
  every: duration.default('3s').describe('How often a watched run sends a canary alert.'),
  group_interval: duration
    .default('45s')
    .describe('How often an instance looks at a canary again, and so how late it may tell that one is over.'),
})

const limitsVars = z.strictObject({
  max_config_size_bytes: count.optional().describe('How large a tenant’s configuration may be; 0: no limit.'),
  max_templates_count: count.optional().describe('How many templates a tenant may have; 0: no limit.'),
  max_template_size_bytes: count.optional().describe('How large one template may be; 0: no limit.'),
  max_alerts_count: count.optional().describe('How many alerts a tenant may have at once; 0: no limit.'),
  max_alerts_size_bytes: count.optional().describe('How large a tenant’s alerts may be together; 0: no limit.'),
  max_dispatcher_aggregation_groups: count
    .optional()
    .describe('How many groups of alerts a tenant may have; 0: no limit.'),
  max_silences_count: count.optional().describe('How many silences a tenant may have; 0: no limit.'),
  max_silences_size_bytes: count.optional().describe('How large one silence may be; 0: no limit.'),
  notification_rate_limit: z
    .number()
    .min(-1)
    .optional()
    .describe('Notifications a second, of each integration of a tenant; 0: no limit, below 0: none at all.'),
  receivers_firewall_block_cidr_networks: z
    .array(z.string())
    .optional()
    .describe('Networks that no receiver may send to.'),
  receivers_firewall_block_private_addresses: z
    .boolean()
    .optional()
    .describe('Whether receivers may not send to private addresses.'),
})

export const cortexVars = z.strictObject({
  version: version.describe('The version that runs.'),
  listen: listenAddress.default('0.0.0.0:9009').describe('Address and port of its web server: the API of all tenants.'),
  grpc_port: port.default(9095).describe('Port by which instances hand requests and state to each other, TCP.'),
  gossip_port: port.default(7946).describe('Port of the gossip that the ring is kept in, TCP.'),
  cluster_port: port.default(9094).describe('Port of the gossip between instances that are not sharded, TCP and UDP.'),
  advertise_address: z
    .union([z.ipv4(), z.ipv6()], { error: 'expected an IP address' })
    .optional()
    .describe("The IP address under which others reach it; default: the host's address, which must then be one."),
  external_url: url
    .optional()
    .refine((value) => value === undefined || new URL(value).pathname.replace(/\/+$/, '') === PREFIX, {
      error: `expected a URL whose path is ${PREFIX}: Cortex serves the API of all tenants there`,
    })
    .describe(
      `The URL under which people reach it, its path ${PREFIX}; default: that of the machine. Links in notifications use it.`,
    ),
  sharding: z
    .boolean()
    .default(true)
    .describe(
      'Whether tenants are shared out over the ring. Without, every instance has all tenants, and they know nothing of each other.',
    ),
  replication_factor: z.int().min(1).default(3).describe('How many instances each tenant is on. The same on all.'),
  zone: z
    .string()
    .min(1)
    .optional()
    .describe(
      'The zone that the machine is in. With it, replicas of a tenant are spread over zones; all must have one.',
    ),
  seeds: z
    .array(z.string())
    .optional()
    .describe(
      'Hosts that a starting instance asks who else is there; default: the first three of the group, so that one more at its end restarts nobody.',
    ),
  tokens: z
    .string()
    .optional()
    .describe(
      'Folder with chosen tokens, from the inventory: a file `HOST.json`, as `vestal tenants capacity --choose` writes it. They count when an instance starts for the first time. Default: Cortex draws them.',
    ),
  replica_set_extension: z
    .boolean()
    .default(false)
    .describe(
      'Whether another instance takes over for one that is down. A configuration that ends a process could then go through the whole ring (cortex#7200).',
    ),
  heartbeat_period: duration.default('15s').describe('How often an instance says that it is alive.'),
  heartbeat_timeout: duration.default('1m').describe('After how long without a heartbeat it counts as unhealthy.'),
  peer_timeout: duration
    .default('15s')
    .describe('How long each further replica of a tenant waits for those before it to notify.'),
  settle: duration
    .default('15s')
    .describe(
      'How long nothing may fail on the ring before the next instance is interrupted; longer than the `group_wait` of most tenants.',
    ),
  poll_interval: duration
    .default('1m')
    .describe('How often new configurations are looked for: each time every instance reads all that it owns.'),
  users_interval: duration
    .default('1m')
    .describe('How often the list of all tenants is written; new ones are found by it.'),
  persist_interval: duration
    .default('15m')
    .describe(
      'How often silences and the notification log are saved to the object store. They are read from there only when a whole ring starts anew.',
    ),
  retention: duration.default('120h').describe('How long silences and notifications are remembered after their end.'),
  storage: z
    .discriminatedUnion('backend', [s3, gcs, azure, swift, filesystem], {
      error: 'expected storage with a `backend`: s3, gcs, azure, swift or filesystem',
    })
    .describe('The object store that all instances share: configurations, silences and the notification log.'),
  limits: limitsVars.prefault({}).describe('Limits of each tenant.'),
  tenants: tenantsVars.prefault({}).describe('Where tenants’ configurations are: see docs/tenants.md.'),
  canary: canaryVars
    .prefault({})
    .describe(
      'What a run with --watch-alerts needs: a tenant of its own for canary alerts, silent while no run watches.',
    ),
  data_dir: absolutePath
    .default('/var/lib/cortex-alertmanager')
    .describe('Folder of the state of the tenants, in `data`, and of the tokens.'),
  log_level: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('The lowest level that is logged.'),
  memory_max: z
    .union([bytes, z.string().regex(/^([1-9]\d?|100)%$/)], {
      error: 'expected a size such as 8GiB, or a part of the machine such as 80%',
    })
    .default('80%')
    .describe('Memory limit of the service, as a size or as a part of the machine. Go is told of nine tenths of it.'),
  extra_flags: z
    .record(
      z.string().regex(/^[a-z][a-z0-9.-]*$/, { error: 'expected a flag name without dashes in front' }),
      z.union([z.string(), z.number(), z.boolean()]),
    )
    .default({})
    .meta({ title: 'flags', examples: [{ 'server.log-request-at-info-level-enabled': true }] })
    .describe('Further command line flags.'),
})
export type CortexVars = z.infer<typeof cortexVars>

/** The account of its service. */
export const USER = 'cortex'

/** Its web server. */
export const WEB: WebServer = { role: 'cortex-alertmanager', folder: '/etc/cortex-alertmanager', user: USER }

/** The settings of an instance's host. */
export const cortexOn = settingsOf('cortex_alertmanager', cortexVars, { web: WEB })
