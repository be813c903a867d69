import type { Host, Inventory } from '../../lib/model.ts'
import { AUTHORITY, nameShownBy } from '../../lib/program/certified.ts'
import { joined } from '../../lib/program/web.ts'
import { clientFile } from '../thanos/grpc.ts'
import { type Asked, askedIn } from './endpoints.ts'
import { WEB } from './vars.ts'

export const RELAY = 'thanos-query-relay'
export const RELAY_CONFIG = '/etc/thanos-query/relay.cfg'

/**
 * The configuration of the relay between a Query and those that it asks (HAProxy 2.4 and later): a socket for each, whose connections are
 * refused at once while it is not ready.
 *
 * gRPC waits up to 20 s for a connection that nobody refuses, as those to a machine without power are, and every query with it, as strict endpoints
 * are always asked; and it notices only after 15 s that one under way has died (grpc-go, MinConnectTimeout; thanos `pkg/extgrpc`, keepalive).
 *
 * It is the relay that speaks TLS to those that do, and shows them the certificate: on the socket, which only the account of both may use, there is none.
 */
export const relayFile = (inventory: Inventory): string =>
  `# Written by Vestal from the inventory. Changes made here are replaced by the next deploy.
global
  log stdout format raw local0 notice

defaults
  mode tcp
  timeout connect 1s
  timeout client 1h
  timeout server 1h
  timeout check 1s
  retries 0
  default-server check inter 1s fastinter 300ms fall 2 rise 1 tcp-ut 4s on-marked-down shutdown-sessions
${askedIn(inventory).map(listenOf).join('')}`

const listenOf = (asked: Asked): string => `
listen ${asked.name}
  bind unix@${socketOf(asked.name)} mode 600
${checkOf(asked)}${asked.ways.map((way, at) => serverOf(asked, way, at)).join('')}`

const checkOf = ({ readyPort, login }: Asked): string => {
  if (readyPort === undefined) return ''
  return `  option httpchk GET /-/ready\n${login ? '  http-check expect status 200,401\n' : ''}`
}

/** The same one twice where it is asked in two ways: one of the two is up. */
const serverOf = ({ name, host, port, readyPort }: Asked, { ready, grpc }: Asked['ways'][number], at: number): string =>
  `${[
    `  server ${name}${at === 0 ? '' : '.otherwise'}`,
    joined(host.address, port),
    ...(grpc === 'tls' ? ['ssl', 'crt', clientFile(WEB), 'alpn', 'h2'] : []),
    ...(readyPort === undefined ? [] : ['port', String(readyPort)]),
    ...(readyPort !== undefined && ready === 'tls' ? ['check-ssl', 'check-alpn', 'http/1.1'] : []),
    ...(grpc === 'tls' || (readyPort !== undefined && ready === 'tls') ? verifying(host) : []),
  ].join(' ')}\n`

const verifying = (host: Host): readonly string[] => [
  'verify',
  'required',
  'ca-file',
  AUTHORITY,
  'verifyhost',
  nameShownBy(host),
]

const socketOf = (name: string): string => `/run/${RELAY}/${name}.sock`

/** What a Query calls an endpoint that it asks by the relay. */
export const relayed = ({ name }: Pick<Asked, 'name'>): string => `unix://${socketOf(name)}`
