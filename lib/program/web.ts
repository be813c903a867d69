import { z } from 'zod'
import type { Endpoint } from '../api/endpoint.ts'
import { listenAddress, secret, url } from '../inventory/schema/fields.ts'
import { sealKnownSecrets } from '../known-secrets.ts'
import type { Host, Scrape } from '../model.ts'
import type { Secret } from '../secret.ts'

/** The settings of a program's web port, which all programs of the Prometheus project share. */
export interface Web {
  readonly listen: string
  readonly external_url?: string
  readonly route_prefix?: string
  readonly web_config?: { readonly tls_server_config?: unknown }
  readonly web_client_tls?: Readonly<Record<string, unknown>>
  readonly web_user?: { readonly username: string; readonly password: Secret }
  /** Whether it has a certificate by the fleet's `tls`, now; false while TLS is turned on or off there. Undefined where `tls` doesn't concern it. */
  readonly certified?: boolean
}

export const webFields = (port: number) => ({
  listen: listenAddress.default(`0.0.0.0:${port}`).describe('Address and port of its web server.'),
  web_config: webConfig
    .optional()
    .transform(sealKnownSecrets)
    .describe(
      'The web configuration file (tls_server_config, basic_auth_users with bcrypt hashes, http_server_config), as the exporter toolkit reads it.',
    ),
  web_client_tls: z
    .looseObject({})
    .optional()
    .transform((tls_config) => sealKnownSecrets({ tls_config }).tls_config)
    .describe(
      'How Prometheus trusts the certificate in `web_config`: its tls_config (ca_file, server_name, insecure_skip_verify). Default: by the CAs of the system.',
    ),
  web_user: z
    .strictObject({
      username: z.string().describe('One of the names in `basic_auth_users`.'),
      password: secret.describe('Its password, not the hash: { $env: NAME } or { $file: path }.'),
    })
    .optional()
    .describe('Who Vestal and Prometheus are to the web server where `web_config` has basic_auth_users.'),
})
export const externalUrl = url
  .optional()
  .describe(
    'The URL under which people reach it; links in notifications use it. Its path becomes the prefix of every page, unless `route_prefix` is another.',
  )

export const routePrefix = z
  .string()
  .regex(/^\/(?:[\w.~-]+(?:\/[\w.~-]+)*)?$/, {
    error: 'expected a path that starts with / and does not end in one: /prometheus, or / for none',
  })
  .optional()
  .describe(
    'The path under which it serves its pages, where that is another than the path of `external_url`: `/` behind a proxy that takes that path off.',
  )

const webConfig = z.looseObject({
  tls_server_config: z
    .looseObject({
      client_auth_type: z
        .enum(['NoClientCert', 'RequestClientCert', 'VerifyClientCertIfGiven'], {
          error: 'client certificates cannot be required: Vestal has none to show to its own gates',
        })
        .optional()
        .describe('What is asked of clients. Client certificates cannot be required.'),
    })
    .optional()
    .describe('The certificate and key, as files that are on the machine and that the service may read.'),
})

/** How Prometheus speaks to this web server: fields of a scrape config or of an entry of `alertmanagers`. */
export const clientConfig = (web: Web): Readonly<Record<string, unknown>> => ({
  ...(hasTls(web) && { scheme: 'https', ...(web.web_client_tls && { tls_config: web.web_client_tls }) }),
  ...(web.web_user && { basic_auth: web.web_user }),
})

/**
 * How Prometheus scrapes it, as a job of this name. Where the fleet's `tls` is on, that is said of each target by itself (`__scheme__`, which counts
 * before the job's: Prometheus' `scrape/target.go`), in a file that is read again without a reload: so targets of one job can change one after the other.
 */
export const scrapeOf = (job: string, web: Web): Scrape => {
  const { scheme, ...client } = clientConfig(web)
  const trusted = web.certified !== undefined && { tls_config: web.web_client_tls }
  return {
    job,
    port: portOf(web.listen),
    ...(web.certified && { labels: { __scheme__: 'https' } }),
    config: {
      ...(prefixOf(web) !== '' && { metrics_path: `${prefixOf(web)}/metrics` }),
      ...(web.certified === undefined && scheme !== undefined && { scheme }),
      ...client,
      ...trusted,
    },
  }
}

/**
 * Whether its web port speaks TLS. The web configuration is read again with every request, but this is decided at start
 * (exporter-toolkit `web/tls_config.go`), so it stands in the unit, a change of which restarts the service.
 */
export const hasTls = (web: Web): boolean => web.web_config?.tls_server_config !== undefined

/** The port of a listen address. */
export const portOf = (listen: string): number => Number(listen.slice(listen.lastIndexOf(':') + 1))

/** `address:port`, with an IPv6 address in brackets. */
export const joined = (address: string, port: number): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`

/** The path under which a program serves its pages: its own, or that of its external URL; without a `/` at its end. */
export const prefixOf = ({ route_prefix, external_url }: Web): string =>
  (route_prefix ?? (external_url ? new URL(external_url).pathname : '')).replace(/\/+$/, '')

/** Where a program's web server is asked from the host itself. */
export const endpointOf = (host: Host, web: Web): Endpoint => {
  const address = web.listen.slice(0, web.listen.lastIndexOf(':')).replace(/^\[(.*)\]$/, '$1')
  return {
    host,
    address: ['', '0.0.0.0', '::'].includes(address) ? '127.0.0.1' : address,
    port: portOf(web.listen),
    prefix: prefixOf(web),
    user: web.web_user,
    ...(web.certified &&
      host.tls &&
      host.tls.authority !== '' && { trust: { authority: host.tls.authority, name: host.address } }),
  }
}
