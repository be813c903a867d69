import { ask, type Endpoint } from '../../lib/api/endpoint.ts'
import {
  beginOf,
  certificatesIn,
  endOf,
  isForClients,
  isIssuedBy,
  namesIn,
  sameName,
} from '../../lib/certificates/certificate.ts'
import { expiredOn, FOREIGN, NOT_VALID_YET, notMadeOutTo } from '../../lib/certificates/refusals.ts'
import { HostError } from '../../lib/errors.ts'
import type { Host, Inventory, Reach, Role, WebServer } from '../../lib/model.ts'
import { isOn, rolesOn, scopeOf } from '../../lib/playbook.ts'
import { endpointOf, portOf, type Web } from '../../lib/program/web.ts'
import { settingsUnder } from '../../lib/role.ts'
import { word } from '../../lib/shell.ts'
import { GOSSIP_CERTIFICATE, type GossipMode, gossipOf } from '../../roles/alertmanager/gossip-tls.ts'
import { alertmanager } from '../../roles/alertmanager/role.ts'
import { clientFile } from '../../roles/thanos/grpc.ts'
import { askedWithTls } from '../../roles/thanos-query/endpoints.ts'
import { thanosQuery } from '../../roles/thanos-query/role.ts'
import { WEB as QUERY } from '../../roles/thanos-query/vars.ts'
import { thanosRule } from '../../roles/thanos-rule/role.ts'
import { WEB as RULE } from '../../roles/thanos-rule/vars.ts'

/** One web server of a role that can have a certificate, as the inventory wants it and as it was found. */
export interface WebLook {
  readonly host: Host
  readonly role: Role
  readonly web: Web
  readonly port: number
  /** What it speaks; undefined where nothing answers. */
  readonly speaks?: 'tls' | 'plain'
  /** When its certificate ends, RFC 3339, and why that is refused. */
  readonly until?: string
  readonly refused?: string
  /** Why nothing is known of it. */
  readonly why?: string
}

/** What somebody shows to those that it asks: a member of a cluster to others, or a client of gRPC. */
export interface ShownLook {
  readonly host: Host
  readonly role: Role
  /** The port of its own for the same. */
  readonly port: number
  readonly speaks: GossipMode
  readonly wanted: GossipMode
  /** When its certificate ends, RFC 3339, and why it is refused. */
  readonly until?: string
  readonly refused?: string
}

/** Whether web servers may have changed, or be about to change, between TLS and plain text: only then is there something to look at. */
export const tlsIsSet = ({ hosts }: Inventory): boolean => hosts.some(({ vars }) => (vars.tls ?? null) !== null)

/** Asks every web server on these hosts that can have a certificate for what it speaks now. What does not answer is part of what is seen. */
export const lookAtWeb = (
  inventory: Inventory,
  { hosts, reach }: { readonly hosts: readonly Host[]; readonly reach: Reach },
): Promise<readonly WebLook[]> =>
  Promise.all(
    hosts.flatMap((host) =>
      rolesOn(host, inventory.roles).flatMap((role) => {
        if (!role.web || (!role.on && (settingsUnder(host.vars, role.key) ?? null) === null)) return []
        const web = scopeOf(role, host, inventory).vars as Web
        return [look({ host, role, web, port: portOf(web.listen) }, reach)]
      }),
    ),
  )

const look = async (about: Pick<WebLook, 'host' | 'role' | 'web' | 'port'>, reach: Reach): Promise<WebLook> => {
  const { trust, user: _, ...endpoint } = endpointOf(about.host, about.web)
  const asked: Endpoint = trust ? { ...endpoint, trust: { ...trust, refuses: false } } : endpoint
  try {
    const { certificate } = await ask(reach, asked, '/-/healthy')
    if (!certificate) return { ...about, speaks: 'plain' }
    return { ...about, speaks: 'tls', until: certificate.until, refused: certificate.refused }
  } catch (error) {
    if (error instanceof HostError) return { ...about, why: error.message }
    throw error
  }
}

interface Looking {
  readonly hosts: readonly Host[]
  readonly reach: Reach
}

/**
 * How Alertmanagers on these hosts gossip, those that run, and what they show each other; and what Thanos shows to those that it asks by gRPC with TLS. The file is
 * read, as they read it with each handshake: whoever has no certificate is shown nothing that says why.
 */
export const lookAtShown = async (inventory: Inventory, looking: Looking): Promise<readonly ShownLook[]> =>
  (await Promise.all([lookAtGossip(inventory, looking), lookAtClients(inventory, looking)])).flat()

const lookAtGossip = async (inventory: Inventory, { hosts, reach }: Looking): Promise<readonly ShownLook[]> =>
  Promise.all(
    (await gossipOf(inventory, { hosts, reach })).map(async ({ host, mode, wanted }): Promise<ShownLook> => {
      const { cluster } = alertmanager.varsOf(host)
      const about = { host, role: alertmanager as Role, port: cluster.port, speaks: mode, wanted }
      return mode === 'plain' ? about : { ...about, ...(await shownIn(GOSSIP_CERTIFICATE, host, reach)) }
    }),
  )

const CLIENTS: readonly (readonly [Role, WebServer])[] = [
  [thanosQuery as Role, QUERY],
  [thanosRule as Role, RULE],
]

const lookAtClients = async (inventory: Inventory, { hosts, reach }: Looking): Promise<readonly ShownLook[]> => {
  if (askedWithTls(inventory).length === 0) return []
  const clients = CLIENTS.flatMap(([role, web]) =>
    hosts.filter((host) => isOn(role, host)).map((host) => ({ host, role, web })),
  )
  return Promise.all(
    clients.map(async ({ host, role, web }) => {
      const { grpc_listen } = role.varsOf(host) as { readonly grpc_listen: string }
      const about = { host, role, port: portOf(grpc_listen), speaks: 'tls', wanted: 'tls' } as const
      return { ...about, ...(await shownIn(clientFile(web), host, reach)) }
    }),
  )
}

type Shown = Pick<ShownLook, 'until' | 'refused'>

const shownIn = async (path: string, host: Host, reach: Reach): Promise<Shown> => {
  try {
    const { stdout } = await (await reach(host)).exec(
      `sed -n '/^-----BEGIN CERTIFICATE-----$/,/^-----END CERTIFICATE-----$/p' ${word(path)} 2>/dev/null | head -c 65536`,
      { within: '30s' },
    )
    return shownBy(stdout.toString(), path, host)
  } catch (error) {
    if (error instanceof HostError) return { refused: `${path} can't be read: ${error.message}` }
    throw error
  }
}

const shownBy = (text: string, path: string, { tls, address }: Host): Shown => {
  const [leaf, ...between] = certificatesIn(text)
  if (!leaf) return { refused: `there is none in ${path}` }
  const end = endOf(leaf)
  const until = Number.isNaN(end.getTime()) ? '' : end.toISOString()
  if (end.getTime() <= Date.now()) return { until, refused: expiredOn(until) }
  if (beginOf(leaf).getTime() > Date.now()) return { until, refused: NOT_VALID_YET }
  if (tls && !isIssuedBy(leaf, [...between, ...certificatesIn(tls.authority)])) return { until, refused: FOREIGN }
  if (!isForClients(leaf)) return { until, refused: 'it is a server’s alone, and members show theirs to each other' }
  if (!namesIn(leaf).includes(sameName(address))) return { until, refused: notMadeOutTo(address) }
  return { until }
}
