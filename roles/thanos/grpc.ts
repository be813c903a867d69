/**
 * gRPC of Thanos with TLS: a server has it where its web server has it by the fleet's `tls`, with the same certificate, and wants one of whoever asks. It reads its
 * own again when that has changed, as who asks does, and whom it trusts when it starts alone (thanos `pkg/tls/options.go`).
 */
import compare from 'semver/functions/compare.js'
import type { Host, Inventory, Needs, SettingMistake, Task, WebServer } from '../../lib/model.ts'
import { isHeldForClients, shownCertificate, trustFile } from '../../lib/program/certificates.ts'
import { AUTHORITY, bothWays, certificateFile, fileOfCertificate } from '../../lib/program/certified.ts'
import type { Flags } from '../../lib/program/flags.ts'
import { portOf, type Web } from '../../lib/program/web.ts'
import { listed } from '../../lib/wording.ts'

/** How somebody is asked. */
export type Way = 'tls' | 'plain'

/** Its flags as a server of gRPC; none without TLS. */
export const grpcServerFlags = ({ certified }: Web, web: WebServer): Flags =>
  certified
    ? {
        'grpc-server-tls-cert': certificateFile(web),
        'grpc-server-tls-key': certificateFile(web),
        'grpc-server-tls-client-ca': AUTHORITY,
      }
    : {}

/** Its two ports; that of gRPC is closed to whoever has no certificate. */
export const portsOf = (unit: string, vars: Web & { readonly grpc_listen: string }): NonNullable<Needs['ports']> => [
  { port: portOf(vars.listen), protocol: 'tcp', unit },
  { port: portOf(vars.grpc_listen), protocol: 'tcp', unit, ...(vars.certified && { closed: true }) },
]

/** What it reads for that when it starts. */
export const grpcServerStarts = ({ certified }: Web, inventory: Inventory): readonly Task[] =>
  certified ? trustFile(inventory) : []

/** How gRPC of a web server's settings is asked. */
export const grpcWay = ({ certified }: Web): Way => (certified ? 'tls' : 'plain')

/** How a role's gRPC on a host is asked: in both ways while TLS is turned on or off there. */
export const grpcWays = (host: Host, role: string, on: (host: Host) => Web): readonly Way[] => [
  ...new Set(bothWays(host, role).map((way) => grpcWay(on(way)))),
]

/** Where the certificate is that a role shows to those that it asks. */
export const clientFile = (web: WebServer): string => fileOfCertificate(web, 'grpc')

/** That certificate with its key; `reloads`: the unit that reads it when that is reloaded alone. */
export const clientCertificate = (host: Host, web: WebServer, reloads?: string): Task =>
  shownCertificate(host, { path: clientFile(web), group: web.user, ...(reloads !== undefined && { reloads }) })

/**
 * An endpoint as Thanos 0.42.0 and later takes it (thanos#8594). With TLS it is called otherwise than without, as one of a name that is known goes on being asked as it was
 * before (`pkg/query/endpointset.go`), and a name of this form is the same address to gRPC, verified by that.
 */
export const endpointBy = (way: Way, address: string, web: WebServer) =>
  way === 'plain'
    ? { address }
    : {
        address: `dns:///${address}`,
        client_config: {
          tls_config: { enabled: true, cert_file: clientFile(web), key_file: clientFile(web), ca_file: AUTHORITY },
        },
      }

/** What doesn't agree on a host that asks these with TLS. */
export const clientMistakes = (host: Host, asked: readonly Host[]): readonly SettingMistake[] => {
  const [first] = asked
  if (!first) return []
  if (!host.tls)
    return [
      {
        path: ['grpc_listen'],
        what: `${host.name} asks ${listed(asked.map(({ name }) => name))} by gRPC with TLS and has to show a certificate, and \`tls\` is not set for it`,
        fix: 'set it; its own web server can stay in plain text: tls: { plain: [ROLE] }',
      },
    ]
  if (host.tls.own && !isHeldForClients(host.tls.own.certificate))
    return [
      {
        path: ['grpc_listen'],
        what: `the certificate of ${host.name} is a server's alone, and who asks ${first.name} by gRPC shows one`,
        fix: 'have it issued for clients too (extended key usage clientAuth), or leave whom it asks in plain text: tls: { plain: [thanos-sidecar, thanos-rule] }',
      },
    ]
  return []
}

/** That a version knows how each endpoint is asked. */
export const endpointMistakes = (version: string, asked: readonly Host[]): readonly SettingMistake[] =>
  asked.length > 0 && compare(version, '0.42.0') < 0
    ? [
        {
          path: ['version'],
          what: `Thanos ${version} asks all by gRPC in one way, and of those here some have TLS and its own queries none`,
          fix: 'choose 0.42.0 or later, or leave them in plain text: tls: { plain: [thanos-sidecar, thanos-rule] }',
        },
      ]
    : []
