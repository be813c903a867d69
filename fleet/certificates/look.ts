import { ask, type Endpoint } from '../../lib/api/endpoint.ts'
import { HostError } from '../../lib/errors.ts'
import type { Host, Inventory, Reach, Role } from '../../lib/model.ts'
import { rolesOn, scopeOf } from '../../lib/playbook.ts'
import { endpointOf, portOf, type Web } from '../../lib/program/web.ts'
import { settingsUnder } from '../../lib/role.ts'

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
        if (!role.web || (settingsUnder(host.vars, role.key) ?? null) === null) return []
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
