import { z } from 'zod'
import type { Endpoint } from '../lib/gates/endpoint.ts'
import { listenAddress, secret, url } from '../lib/inventory/fields.ts'
import type { Host } from '../lib/model.ts'
import type { Secret } from '../lib/secret.ts'

/** The settings of a program's web port, which all programs of the Prometheus project share. */
export interface Web {
  readonly listen: string
  readonly external_url?: string
  readonly web_user?: { readonly username: string; readonly password: Secret }
}

export const webFields = (port: number) => ({
  listen: listenAddress.default(`0.0.0.0:${port}`).describe('Address and port of its web server.'),
  web_config: webConfig
    .optional()
    .describe(
      'The web configuration file (basic_auth_users with bcrypt hashes, http_server_config), as the exporter toolkit reads it.',
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
    'The URL under which people reach it; links in notifications use it. Its path becomes the prefix of every page.',
  )

const webConfig = z.looseObject({
  tls_server_config: z
    .never({ error: 'TLS on the web port is not supported: gates ask over plain HTTP inside the SSH connection' })
    .optional()
    .describe('Not supported: gates ask over plain HTTP inside the SSH connection.'),
})

/** The port of a listen address. */
export const portOf = (listen: string): number => Number(listen.slice(listen.lastIndexOf(':') + 1))

/** `address:port`, with an IPv6 address in brackets. */
export const joined = (address: string, port: number): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`

/** The path under which a program serves its pages: that of its external URL, without a `/` at its end. */
export const prefixOf = (web: Web): string =>
  web.external_url ? new URL(web.external_url).pathname.replace(/\/+$/, '') : ''

/** Where a program's web server is asked from the host itself. */
export const endpointOf = (host: Host, web: Web): Endpoint => {
  const address = web.listen.slice(0, web.listen.lastIndexOf(':')).replace(/^\[(.*)\]$/, '$1')
  return {
    host,
    address: ['', '0.0.0.0', '::'].includes(address) ? '127.0.0.1' : address,
    port: portOf(web.listen),
    prefix: prefixOf(web),
    user: web.web_user,
  }
}
