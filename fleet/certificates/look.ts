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
import type { Host, Inventory, Reach, Role } from '../../lib/model.ts'
import { rolesOn, scopeOf } from '../../lib/playbook.ts'
import { endpointOf, portOf, type Web } from '../../lib/program/web.ts'
import { settingsUnder } from '../../lib/role.ts'
import { GOSSIP_CERTIFICATE, type GossipMode, gossipOf } from '../../roles/alertmanager/gossip-tls.ts'
import { alertmanager } from '../../roles/alertmanager/role.ts'

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

/** What a member shows others of its cluster. */
export interface GossipLook {
  readonly host: Host
  readonly role: Role
  readonly port: number
  readonly speaks: GossipMode
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

/**
 * How Alertmanagers on these hosts gossip, those that run, and what they show each other. The file is read, as they read it with each handshake: whoever has no
 * certificate is shown nothing that says why.
 */
export const lookAtGossip = async (
  inventory: Inventory,
  { hosts, reach }: { readonly hosts: readonly Host[]; readonly reach: Reach },
): Promise<readonly GossipLook[]> =>
  Promise.all(
    (await gossipOf(inventory, { hosts, reach })).map(async ({ host, mode }): Promise<GossipLook> => {
      const { cluster } = alertmanager.varsOf(host)
      const about = { host, role: alertmanager as Role, port: cluster.port, speaks: mode }
      return mode === 'plain' ? about : { ...about, ...shownBy(await certificateOn(host, reach), host) }
    }),
  )

const certificateOn = async (host: Host, reach: Reach): Promise<string> => {
  const { stdout } = await (await reach(host)).exec(
    `sed -n '/^-----BEGIN CERTIFICATE-----$/,/^-----END CERTIFICATE-----$/p' ${GOSSIP_CERTIFICATE} 2>/dev/null | head -c 65536`,
    { within: '30s' },
  )
  return stdout.toString()
}

const shownBy = (text: string, { tls, address }: Host): Pick<GossipLook, 'until' | 'refused'> => {
  const [leaf, ...between] = certificatesIn(text)
  if (!leaf) return { refused: `there is none in ${GOSSIP_CERTIFICATE}` }
  const end = endOf(leaf)
  const until = Number.isNaN(end.getTime()) ? '' : end.toISOString()
  if (end.getTime() <= Date.now()) return { until, refused: expiredOn(until) }
  if (beginOf(leaf).getTime() > Date.now()) return { until, refused: NOT_VALID_YET }
  if (tls && !isIssuedBy(leaf, [...between, ...certificatesIn(tls.authority)])) return { until, refused: FOREIGN }
  if (!isForClients(leaf)) return { until, refused: 'it is a server’s alone, and members show theirs to each other' }
  if (!namesIn(leaf).includes(sameName(address))) return { until, refused: notMadeOutTo(address) }
  return { until }
}
