import type { Host, Inventory } from '../../lib/model.ts'
import { bothWays } from '../../lib/program/certified.ts'
import { portOf, prefixOf, type Web } from '../../lib/program/web.ts'
import { alertmanager } from '../alertmanager/role.ts'
import { GROUP } from '../cortex-alertmanager/members.ts'
import { cortexOn, PREFIX, WEB as RING } from '../cortex-alertmanager/vars.ts'
import { WEB as PROMETHEUS, prometheusOn } from '../prometheus/vars.ts'
import { WEB as QUERY, queryOn } from '../thanos-query/vars.ts'
import type { GatewayVars } from './vars.ts'

/** What a gateway has a port for. */
export type Page = 'query' | 'prometheus' | 'alertmanager' | 'ring'

/** One of those that a gateway hands a request to. */
export interface Server {
  /** In HAProxy's words: letters, digits, `_`, `.`, `-`. */
  readonly name: string
  readonly host: Host
  readonly port: number
  readonly web: Web
}
export interface Backend {
  readonly page: Page
  readonly listen: string
  readonly servers: readonly Server[]
  /** The questions that a server must answer, each with what its answer must hold. */
  readonly checks: readonly Check[]
  /** Requests that may be asked of another server when one has not answered: they change nothing. */
  readonly harmless: string
  /** Whoever came to one server stays with it, and can name one: each has pages of its own. */
  readonly sticky: boolean
  /** Statuses that say that another server is to be asked. */
  readonly notMe?: readonly number[]
  /** What else is done with a request, in HAProxy's words. */
  readonly rules?: readonly string[]
}
export interface Check {
  readonly path: string
  /** Text that the answer must hold; undefined where its status is enough. */
  readonly holds?: string
  /** Text that it must not hold. */
  readonly lacks?: string
}

/** The pages that a gateway has, each with those of the inventory that are behind it. */
export const backendsOf = (inventory: Pick<Inventory, 'hosts'>, vars: GatewayVars): readonly Backend[] => {
  const made = {
    query: {
      servers: serversOf(inventory, { group: 'thanos_query', role: QUERY.role, on: queryOn }),
      checks: [
        { path: '/-/ready' },
        {
          path: `/api/v1/query?query=${encoded(vars.query_check)}`,
          holds: '"status":"success"',
          lacks: '"result":[]',
        },
      ],
      // Its API takes questions by POST as well.
      harmless: '{ method GET HEAD OPTIONS } || { path_beg /api/v1/ }',
      sticky: false,
    },
    prometheus: {
      servers: serversOf(inventory, { group: 'prometheus', role: PROMETHEUS.role, on: prometheusOn }),
      checks: [{ path: '/-/ready' }, { path: '/api/v1/query?query=vector(1)', holds: '"status":"success"' }],
      harmless: '{ method GET HEAD OPTIONS } || { path_end /api/v1/query /api/v1/query_range /api/v1/series }',
      sticky: true,
    },
    alertmanager: {
      servers: serversOf(inventory, { group: 'alertmanager', role: alertmanager.name, on: alertmanager.varsOf }),
      checks: [{ path: '/-/ready' }, { path: '/api/v2/status', holds: '"versionInfo"' }],
      harmless: '{ method GET HEAD OPTIONS }',
      sticky: false,
    },
    ring: {
      servers: serversOf(inventory, {
        group: GROUP,
        role: RING.role,
        // Its checks ask pages that are not below the prefix of tenants' pages.
        on: (host) => ({ ...cortexOn(host), external_url: undefined }),
      }),
      checks: [{ path: '/ready' }],
      harmless: '{ method GET HEAD OPTIONS }',
      sticky: false,
      // One that has just started, before a check has seen it (cortex `pkg/alertmanager/multitenant.go`).
      notMe: [503],
      rules: tenantRules,
    },
  } satisfies Record<Page, Omit<Backend, 'page' | 'listen'>>
  return (['query', 'prometheus', 'alertmanager', 'ring'] as const).flatMap((page) => {
    const listen = vars[page]
    return listen !== null && made[page].servers.length > 0 ? [{ page, listen, ...made[page] }] : []
  })
}

/** While TLS is turned on or off at one, it stands there twice, with TLS and without: the checks say which of the two it is. */
const serversOf = (
  { hosts }: Pick<Inventory, 'hosts'>,
  { group, role, on }: { readonly group: string; readonly role: string; readonly on: (host: Host) => Web },
): readonly Server[] =>
  hosts
    .filter(({ groups }) => groups.includes(group))
    .flatMap((host) =>
      bothWays(host, role).map((way, at) => {
        const web = on(way)
        const name = host.name.replaceAll(/[^\w.-]/g, '_')
        return { name: at === 0 ? name : `${name}.otherwise`, host: way, port: portOf(web.listen), web }
      }),
    )

/**
 * A tenant's pages and API are let through and nothing else of the ring: beside them it has pages that take instances out and delete
 * configurations, and asks nobody who they are. A browser, which sends no header, says once whose pages it wants (`?tenant=NAME`), and a cookie keeps it.
 */
const tenantRules: readonly string[] = [
  `http-request redirect location ${PREFIX}/ if { path / }`,
  `http-request deny deny_status 404 unless { path ${PREFIX} } || { path_beg ${PREFIX}/ }`,
  // No way round by a path that is made shorter behind the gateway.
  'http-request deny deny_status 404 if { path -i -m sub .. %2e %2f // }',
  'http-request set-var(txn.asked) url_param(tenant)',
  'http-request set-var(txn.tenant) var(txn.asked)',
  'http-request set-var(txn.tenant) req.cook(vestal-tenant) unless { var(txn.tenant) -m found }',
  // Letters, digits and _ . - alone: what an encoding leaves as it is, but for ~. A regular expression would be compiled into executable memory, which the unit forbids.
  'http-request set-var(txn.encoded) var(txn.tenant),url_enc',
  'acl tenant-short var(txn.tenant) -m len 1:150',
  'acl tenant-plain var(txn.encoded),strcmp(txn.tenant) eq 0',
  'acl tenant-tilde var(txn.tenant) -m sub ~',
  'http-request set-header X-Scope-OrgID %[var(txn.tenant)] if tenant-short tenant-plain !tenant-tilde !{ req.hdr(X-Scope-OrgID) -m found }',
  'http-after-response add-header Set-Cookie "vestal-tenant=%[var(txn.asked)]; path=/; HttpOnly" if { var(txn.asked) -m found } tenant-short tenant-plain !tenant-tilde',
]

/** A question as a part of a URL that no word of HAProxy's configuration must be quoted for. */
const encoded = (query: string): string => encodeURIComponent(query).replaceAll("'", '%27')

/** Where a server's page is, below its external URL. */
export const pathOn = ({ web }: Server, path: string): string => `${prefixOf(web)}${path}`
