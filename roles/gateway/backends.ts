import type { Host, Inventory } from '../../lib/model.ts'
import { portOf, prefixOf, type Web } from '../../lib/program/web.ts'
import { alertmanager } from '../alertmanager/role.ts'
import { prometheusOn } from '../prometheus/vars.ts'
import { queryOn } from '../thanos-query/vars.ts'
import type { GatewayVars } from './vars.ts'

/** What a gateway has a port for. */
export type Page = 'query' | 'prometheus' | 'alertmanager'

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
}
export interface Check {
  readonly path: string
  /** A part of the answer, as a regular expression; undefined where its status is enough. */
  readonly holds?: string
}

/** The pages that a gateway has, each with those of the inventory that are behind it. */
export const backendsOf = (inventory: Pick<Inventory, 'hosts'>, vars: GatewayVars): readonly Backend[] => {
  const made = {
    query: {
      servers: serversOf(inventory, 'thanos_query', queryOn),
      checks: [
        { path: '/-/ready' },
        {
          path: `/api/v1/query?query=${encoded(vars.query_check)}`,
          holds: String.raw`"status":"success".*"result":\[[^]]`,
        },
      ],
      // Its API takes questions by POST as well.
      harmless: '{ method GET HEAD OPTIONS } || { path_beg /api/v1/ }',
      sticky: false,
    },
    prometheus: {
      servers: serversOf(inventory, 'prometheus', prometheusOn),
      checks: [{ path: '/-/ready' }, { path: '/api/v1/query?query=vector(1)', holds: '"status":"success"' }],
      harmless: '{ method GET HEAD OPTIONS } || { path_end /api/v1/query /api/v1/query_range /api/v1/series }',
      sticky: true,
    },
    alertmanager: {
      servers: serversOf(inventory, 'alertmanager', alertmanager.varsOf),
      checks: [{ path: '/-/ready' }, { path: '/api/v2/status', holds: '"versionInfo"' }],
      harmless: '{ method GET HEAD OPTIONS }',
      sticky: false,
    },
  } satisfies Record<Page, Omit<Backend, 'page' | 'listen'>>
  return (['query', 'prometheus', 'alertmanager'] as const).flatMap((page) => {
    const listen = vars[page]
    return listen !== null && made[page].servers.length > 0 ? [{ page, listen, ...made[page] }] : []
  })
}

const serversOf = ({ hosts }: Pick<Inventory, 'hosts'>, group: string, on: (host: Host) => Web): readonly Server[] =>
  hosts
    .filter(({ groups }) => groups.includes(group))
    .map((host) => {
      const web = on(host)
      return { name: host.name.replaceAll(/[^\w.-]/g, '_'), host, port: portOf(web.listen), web }
    })

/** A question as a part of a URL that no word of HAProxy's configuration must be quoted for. */
const encoded = (query: string): string => encodeURIComponent(query).replaceAll("'", '%27')

/** Where a server's page is, below its external URL. */
export const pathOn = ({ web }: Server, path: string): string => `${prefixOf(web)}${path}`
