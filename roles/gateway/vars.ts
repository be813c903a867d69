import { z } from 'zod'
import { absolutePath, duration, listenAddress, secret } from '../../lib/inventory/schema/fields.ts'
import { settingsOf } from '../../lib/role.ts'

const pages = (port: number, what: string) =>
  listenAddress
    .nullable()
    .default(`0.0.0.0:${port}`)
    .describe(`Address and port for ${what}; null for none. There is none where the inventory has no such hosts.`)

const user = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}$/, {
  error: 'expected a name of letters, digits, _, ., @ and -',
})

const CIDR =
  /^(?:(?:\d{1,3}\.){3}\d{1,3}\/(?:[1-9]|[12]\d|3[012])|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*\/(?:[1-9]|[1-9]\d|1[01]\d|12[0-8]))$/

const floating = z.strictObject({
  address: z
    .string()
    .regex(CIDR, { error: 'expected an address with the length of its network, such as 10.0.0.100/24' })
    .describe('The address, with the length of its network: `10.0.0.100/24`.'),
  interface: z
    .string()
    .regex(/^[A-Za-z0-9_.:-]{1,15}$/, { error: 'expected the name of a network interface' })
    .default('eth0')
    .describe('The network interface that it is on.'),
  router_id: z
    .int()
    .min(1)
    .max(255)
    .default(51)
    .describe('Number of the group in its network: VRRP’s virtual router id, which no other group there may have.'),
  interval: duration
    .default('500ms')
    .describe('How often the one that has it says so. Another one takes it after a little more than three of these.'),
})

export const gatewayVars = z.strictObject({
  query: pages(8090, 'queries, by Thanos Query'),
  prometheus: pages(8091, 'the pages of Prometheus'),
  alertmanager: pages(8093, 'the pages of Alertmanager'),
  ring: pages(8094, 'the pages and the API of tenants, by a ring of Cortex Alertmanagers'),
  metrics: listenAddress
    .default('0.0.0.0:8404')
    .describe('Address and port for its own metrics (`/metrics`) and what it thinks of whom it asks (`/`).'),
  query_check: z
    .string()
    .min(1)
    .default('count(up)')
    .describe('The question that a Thanos Query must answer with at least one series to be asked.'),
  check_interval: duration.default('1s').describe('How often each of those that it asks is looked at.'),
  connect_timeout: duration
    .default('1s')
    .describe('How long a connection may take before another one is asked in its place.'),
  timeout: duration.default('130s').describe('How long an answer may take; longer than a query may.'),
  users: z
    .record(user, secret)
    .default({})
    .meta({ examples: [{ ops: { $file: 'secrets/ops.hash' } }] })
    .describe(
      'Who may log in (basic auth), each with the hash of the password, as `openssl passwd -5` prints it; without any, everybody is let in. Set `certificate` too: passwords else go in the clear.',
    ),
  certificate: z
    .union([z.literal('fleet'), absolutePath], {
      error: 'expected `fleet`, or the path of a file on the machine, which begins with /',
    })
    .optional()
    .describe(
      'A file on the machine with certificate and key in PEM, which its group `haproxy` may read: all pages then speak TLS. `fleet`: one that the authority of `tls` issues, for the host and the floating address, and that is renewed with all others.',
    ),
  floating: floating
    .optional()
    .describe('An address that is always on one gateway that works, by keepalived (VRRP); the same on all.'),
})
export type GatewayVars = z.infer<typeof gatewayVars>

/** The settings of a gateway's host. */
export const gatewayOn = settingsOf('gateway', gatewayVars)

/** Where the certificate of its pages is: that of the fleet, or the operator's own; undefined without TLS. */
export const certificatePath = ({ certificate }: Pick<GatewayVars, 'certificate'>): string | undefined =>
  certificate === 'fleet' ? '/etc/gateway/web.pem' : certificate
