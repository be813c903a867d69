import { z } from 'zod'
import { ask, type Endpoint, refused } from '../../lib/api/endpoint.ts'
import { HostError } from '../../lib/errors.ts'
import type { Gate, Host, Reach } from '../../lib/model.ts'
import { endpointOf, joined } from '../../lib/program/web.ts'
import { counted, listed } from '../../lib/wording.ts'
import { type Backend, backendsOf, type Page } from './backends.ts'
import type { GatewayVars } from './vars.ts'

/** A server as a gateway's own checks see it. */
export interface ServerSeen {
  readonly page: string
  readonly name: string
  /** `UP`, `DOWN`, `UP 1/2`, `no check`, … */
  readonly status: string
  /** What the last check said, in HAProxy's words; '' where it said nothing. */
  readonly said: string
}

/** Where a gateway says what it thinks of its servers. */
export const statsOf = (host: Host, { metrics }: Pick<GatewayVars, 'metrics'>): Endpoint =>
  endpointOf(host, { listen: metrics })

/** The servers of a gateway. Throws HostError where it does not answer so. */
export const serversSeenBy = async (reach: Reach, stats: Endpoint): Promise<readonly ServerSeen[]> => {
  const answer = await ask(reach, stats, '/;csv')
  if (answer.status !== 200) throw refused(stats, '/;csv', answer)
  const { success, data } = STATS.safeParse(answer.body)
  if (!success) throw new HostError(stats.host.name, '/;csv answered in an unknown form', { task: 'ask' })
  return data
}

/** Every server of the inventory is up, by the gateway's own checks, which ask real questions. */
export const everyServerUp = (host: Host, vars: GatewayVars, backends: readonly Backend[]): Gate => ({
  name: 'the gateway has a real answer from everyone behind it',
  host: host.name,
  within: '60s',
  async ask(reach) {
    const seen = await serversSeenBy(reach, statsOf(host, vars))
    const down = serversDown(seen, backends)
    const all = backends.flatMap(({ servers }) => servers).length
    if (down.length === 0) return { pass: true, detail: counted(all, 'server') }
    return {
      pass: false,
      why: listed(down.map(({ page, name, status, said }) => `${page} ${name} is ${status}${said && ` (${said})`}`)),
      lacks: down.map(({ address }) => address),
      progress: `${all - down.length} of ${all}`,
    }
  },
})

/** The servers that a gateway should have up and has not. Pure. */
export const serversDown = (seen: readonly ServerSeen[], backends: readonly Backend[]) =>
  backends.flatMap(({ page, servers }) =>
    servers.flatMap(({ name, host, port }) => {
      const one = seen.find((other) => other.page === page && other.name === name)
      if (one?.status === 'UP') return []
      return [
        {
          ...{ page, name, address: joined(host.address, port) },
          status: one?.status ?? 'not there',
          said: one?.said ?? '',
        },
      ]
    }),
  )

/** Somebody behind each page can be asked. */
export const everyPageServes = (host: Host, vars: GatewayVars, backends: readonly Backend[]): Gate => ({
  name: 'the gateway has somebody to ask for every page',
  host: host.name,
  within: '60s',
  async ask(reach) {
    const seen = await serversSeenBy(reach, statsOf(host, vars))
    const without = backends
      .map(({ page }) => page)
      .filter((page: Page) => !seen.some((one) => one.page === page && one.status.startsWith('UP')))
    return without.length === 0 ? { pass: true } : { pass: false, why: `nobody for ${listed(without)}` }
  },
})

/** For `status`: how many of a page's servers are up. */
export const shownServers = (
  seen: readonly ServerSeen[],
  inventory: Parameters<typeof backendsOf>[0],
  vars: GatewayVars,
) =>
  backendsOf(inventory, vars)
    .map(({ page, servers }) => {
      const up = servers.filter(({ name }) =>
        seen.some((one) => one.page === page && one.name === name && one.status === 'UP'),
      )
      return `${page} ${up.length}/${servers.length}`
    })
    .join(', ')

/** HAProxy's page of statistics as CSV (its `doc/management.txt`, 9.1): a head with `# `, then a line each. */
const STATS = z.string().transform((body, context): readonly ServerSeen[] => {
  const [head = '', ...lines] = body.slice(0, 1_000_000).split('\n')
  const names = head.replace(/^# /, '').split(',')
  const [page, name, status, said] = ['pxname', 'svname', 'status', 'last_chk'].map((one) => names.indexOf(one))
  if (page === undefined || page < 0 || name === undefined || name < 0 || status === undefined || status < 0) {
    context.issues.push({ code: 'custom', message: 'expected statistics', input: undefined })
    return z.NEVER
  }
  return lines
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const cells = line.split(',')
      return {
        page: cells[page] ?? '',
        name: cells[name] ?? '',
        status: cells[status] ?? '',
        said: (said === undefined || said < 0 ? '' : (cells[said] ?? '')).replace(/^"|"$/g, '').slice(0, 200),
      }
    })
})
