import { milliseconds } from '../../lib/duration.ts'
import type { Found, Rule } from '../../lib/health/finding.ts'
import type { Host, Inventory, Role } from '../../lib/model.ts'
import { rolesOn, scopeOf } from '../../lib/playbook.ts'
import type { Web } from '../../lib/program/web.ts'
import { settingsUnder } from '../../lib/role.ts'
import type { ShownLook, WebLook } from '../certificates/look.ts'

/** What the rules of certificates and open ports look at. */
export interface TrustFacts {
  readonly inventory: Inventory
  /** The hosts that could be looked at, and what their web servers said. */
  readonly hosts: readonly Host[]
  readonly looks: readonly WebLook[]
  /** What members of clusters show each other. */
  readonly gossip: readonly ShownLook[]
  /** Authorities that the fleet trusts. */
  readonly authorities: readonly { readonly subject: string; readonly until: Date }[]
  readonly now: number
}

/** An authority is exchanged in peace within this time. */
const AUTHORITY_MS = 90 * 86_400_000

export const certificateRules: readonly Rule<TrustFacts>[] = [
  {
    id: 'certificate',
    severity: 'error',
    why: 'Whoever asks there verifies its certificate, and so asks it nothing: no scrape, no alert and no gate gets through; and no member of a cluster hears it.',
    fix: 'vestal certificates renew issues another; where that one was exchanged by hand, find out by whom.',
    find: ({ looks, gossip }) =>
      [...looks, ...gossip].flatMap(({ host, role, port, refused }) =>
        refused === undefined
          ? []
          : [{ hosts: [host.name], what: `the certificate of ${role.name} at port ${port} is refused: ${refused}` }],
      ),
  },
  {
    id: 'certificate-ends',
    severity: 'warning',
    why: 'A deploy would have issued another by now. Once it has ended, nobody asks there any more.',
    fix: 'vestal certificates renew, from a timer for instance.',
    find: ({ looks, gossip, now }) =>
      [...looks, ...gossip].flatMap(({ host, role, until = '', refused }) => {
        const left = Date.parse(until) - now
        if (!host.tls || host.tls.own || refused !== undefined || !(left < milliseconds(host.tls.renewBefore)))
          return []
        return [{ hosts: [host.name], what: `the certificate of ${role.name} ends on ${until}` }]
      }),
  },
  {
    id: 'authority-ends',
    severity: 'warning',
    why: 'No certificate lasts longer than the authority that has issued it.',
    fix: 'vestal certificates rotate-authority puts another in its place.',
    find: ({ authorities, hosts, now }) =>
      authorities
        .filter(({ until }) => until.getTime() - now < AUTHORITY_MS)
        .map(({ subject, until }) => ({
          hosts: hosts.map(({ name }) => name),
          what: `the authority ${subject} ends on ${until.toISOString()}`,
        })),
  },
  {
    id: 'open-ports',
    severity: 'warning',
    why: 'Everybody who reaches the machine at that port is answered: may read alerts and metrics there, silence alerts and send some.',
    fix: 'See docs/open-ports.md: TLS (`tls`), a password (`web_config: { basic_auth_users: … }`), and a firewall that lets in those who need it.',
    find: ({ inventory, hosts, looks }) =>
      grouped(
        hosts.flatMap((host) =>
          rolesOn(host, inventory.roles).flatMap((role) => openOf(role, host, { inventory, looks })),
        ),
      ),
  },
]

interface Open {
  readonly host: string
  readonly what: string
}

const openOf = (
  role: Role,
  host: Host,
  { inventory, looks }: Pick<TrustFacts, 'inventory' | 'looks'>,
): readonly Open[] => {
  if ((settingsUnder(host.vars, role.key) ?? null) === null || !role.needs) return []
  const scope = scopeOf(role, host, inventory)
  const { listen = '', web_config } = scope.vars as Partial<Web>
  const look = looks.find((one) => one.host === host && one.role === role)
  const seen = new Map(
    role
      .needs(scope)
      .ports?.flatMap(({ port, protocol, closed }) => (closed ? [] : [[`${protocol} ${port}`, { port, protocol }]])),
  )
  return [...seen.values()].flatMap(({ port, protocol }) => {
    const said = (what: string): readonly Open[] => [
      { host: host.name, what: `${protocol} port ${port} of ${role.name} ${what}` },
    ]
    if (role.web && look?.port === port && protocol === 'tcp') {
      if (LOOPBACK.test(listen) || look.speaks === undefined) return []
      const users = Object.keys(
        (web_config as { readonly basic_auth_users?: object } | undefined)?.basic_auth_users ?? {},
      )
      if (look.speaks === 'plain')
        return said(`answers ${users.length > 0 ? 'whoever has a password' : 'everybody'}, in plain text`)
      return users.length > 0 ? [] : said('answers everybody, with TLS and without a password')
    }
    return LOOPBACK.test(listen) && listen.endsWith(`:${port}`)
      ? []
      : said('asks nobody for a certificate of the fleet')
  })
}

const LOOPBACK = /^(127\.|localhost:|\[::1\])/

/** One finding for what is the same on several hosts. */
const grouped = (open: readonly Open[]): readonly Found[] =>
  [...Map.groupBy(open, ({ what }) => what)].map(([what, some]) => ({ hosts: some.map(({ host }) => host), what }))
