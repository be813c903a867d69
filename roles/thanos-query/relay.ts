import type { Host, Inventory } from '../../lib/model.ts'
import { AUTHORITY, nameShownBy } from '../../lib/program/certified.ts'
import { joined } from '../../lib/program/web.ts'
import { type Asked, askedIn } from './endpoints.ts'

export const RELAY = 'thanos-query-relay'

/**
 * The configuration of the relay between a Query and those that it asks (HAProxy 2.4 and later): a socket for each, whose connections are
 * refused at once while it is not ready.
 *
 * gRPC waits up to 20 s for a connection that nobody refuses, as those to a machine without power are, and every query with it, as strict endpoints
 * are always asked; and it notices only after 15 s that one under way has died (grpc-go, MinConnectTimeout; thanos `pkg/extgrpc`, keepalive).
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

const listenOf = ({ name, host, port, readyPort, readyBy }: Asked): string => `
listen ${name}
  bind unix@${socketOf(name)} mode 600
${readyPort === undefined ? '' : '  option httpchk GET /-/ready\n'}  server ${name} ${joined(host.address, port)}${readyPort === undefined ? '' : ` port ${readyPort}${readyBy === 'tls' ? verifying(host) : ''}`}
`

/** Of the question whether it is ready alone: what it is asked goes on as it is. */
const verifying = (host: Host): string =>
  ` check-ssl verify required ca-file ${AUTHORITY} verifyhost ${nameShownBy(host)}`

const socketOf = (name: string): string => `/run/${RELAY}/${name}.sock`

/** What a Query calls an endpoint that it asks by the relay. */
export const relayed = ({ name }: Pick<Asked, 'name'>): string => `unix://${socketOf(name)}`
