import { setTimeout as sleep } from 'node:timers/promises'
import { parse } from 'yaml'
import { z } from 'zod'
import { firstOf } from '../../lib/api/first-of.ts'
import { HostError } from '../../lib/errors.ts'
import type { Host, HttpAnswer, HttpRequest, Reach } from '../../lib/model.ts'
import { endpointOf, metricsOf, ringSeenBy, type Seen } from '../../roles/cortex-alertmanager/api.ts'
import { askOnHost } from '../../roles/cortex-alertmanager/host-http.ts'
import { bodyText, type TenantBody } from './tenant.ts'

/** A ring as its tenants are read and written: by any of its instances, each in its turn. */
export interface RingClient {
  /** How many requests about tenants have been sent, tries that failed among them. */
  readonly requests: () => number
  /** What the ring holds of a tenant; null where it has none. Throws HostError where no instance answers. */
  read(tenant: string): Promise<TenantBody | null>
  /** Stores a configuration. Returns null, or why the program refuses it. Throws HostError where no instance answers. */
  write(tenant: string, body: TenantBody): Promise<string | null>
  remove(tenant: string): Promise<void>
  /** The names of all tenants that the ring has heard of: new ones appear with the next list of them. */
  names(): Promise<readonly string[]>
  /** The ring's members; null where it is not sharded. */
  members(): Promise<readonly Seen[] | null>
  /** What each instance has in force: tenants and the hash of the configuration that each runs. */
  served(): Promise<ReadonlyMap<string, ReadonlyMap<string, number>>>
}
interface Options {
  readonly hosts: readonly Host[]
  readonly reach: Reach
  /** How often a request is tried that passing trouble failed. */
  readonly tries?: number
  readonly pauseMs?: number
}

export const ringClient = ({ hosts, reach, tries = 6, pauseMs = 250 }: Options): RingClient => {
  let sent = 0
  let turn = 0
  const once = async (
    tenant: string,
    { method, body }: { readonly method: 'GET' | 'POST' | 'DELETE'; readonly body?: string },
  ): Promise<HttpAnswer> => {
    const host = hosts[turn++ % hosts.length]
    if (!host) throw new HostError('ring', 'there is no instance among these hosts')
    sent += 1
    return (await reach(host)).request(requestFor(host, tenant, { method, body }))
  }
  /** A lost link, 429 and 5xx pass by, and another instance is asked: after a pause that doubles, and is not the same for all. */
  const ask = async (tenant: string, how: Parameters<typeof once>[1]): Promise<HttpAnswer> => {
    for (let attempt = 1; ; attempt++) {
      const answer = await once(tenant, how).catch((error: unknown) => {
        if (!(error instanceof HostError)) throw error
        return error
      })
      const passing = answer instanceof HostError || answer.status === 429 || answer.status >= 500
      if (!passing) return answer
      if (attempt >= tries) {
        if (answer instanceof HostError) throw answer
        throw new HostError('ring', `${tenant}: ${method(how)} answered ${answer.status}: ${firstLine(answer.body)}`)
      }
      await sleep(pauseMs * 2 ** (attempt - 1) * (0.5 + Math.random()))
    }
  }
  return {
    requests: () => sent,
    async read(tenant) {
      return storedIn(tenant, await ask(tenant, { method: 'GET' }))
    },
    async write(tenant, body) {
      const answer = await ask(tenant, { method: 'POST', body: bodyText(body) })
      if (answer.status === 201 || answer.status === 200) return null
      return firstLine(answer.body) || `it answered ${answer.status}`
    },
    async remove(tenant) {
      const answer = await ask(tenant, { method: 'DELETE' })
      if (answer.status >= 300 && answer.status !== 404)
        throw new HostError('ring', `${tenant}: removing it answered ${answer.status}: ${firstLine(answer.body)}`)
    },
    names: () => firstOf(hosts, NONE, (host) => namesAt(reach, host)),
    members: () => firstOf(hosts, NONE, (host) => ringSeenBy(reach, endpointOf(host))),
    async served() {
      const all = await Promise.all(
        hosts.map(async (host) => {
          const samples = await metricsOf(reach, endpointOf(host), [HASH])
          return [host.name, new Map(samples.map(({ labels, value }) => [labels.user ?? '', value]))] as const
        }),
      )
      return new Map(all)
    },
  }
}

/** What an instance is asked about a tenant's configuration. */
export const requestFor = (
  host: Host,
  tenant: string,
  { method, body }: Pick<HttpRequest, 'method' | 'body'> = {},
): HttpRequest => {
  const { address, port, trust } = endpointOf(host)
  return {
    address,
    port,
    trust,
    path: '/api/v1/alerts',
    method,
    body,
    headers: { 'X-Scope-OrgID': tenant },
    timeout: '30s',
  }
}

/** What a ring holds of a tenant, by its answer; null where it has none. Throws HostError for any other answer. */
export const storedIn = (tenant: string, answer: HttpAnswer): TenantBody | null => {
  if (answer.status === 404) return null
  if (answer.status !== 200)
    throw new HostError('ring', `${tenant}: reading it answered ${answer.status}: ${firstLine(answer.body)}`)
  return readBody(tenant, answer.body)
}

/** Of the configuration that a tenant's Alertmanager runs: 48 bits of the MD5 of its text (cortex `pkg/alertmanager/alertmanager.go`). */
const HASH = 'cortex_alertmanager_config_hash'

const method = ({ method: name }: { readonly method: string }): string =>
  name === 'GET' ? 'reading it' : name === 'POST' ? 'uploading it' : 'removing it'

const BODY = z.object({
  alertmanager_config: z.string().default(''),
  template_files: z.record(z.string(), z.string()).nullish(),
})

const readBody = (tenant: string, text: string): TenantBody => {
  const parsed = BODY.safeParse(attempt(text))
  if (!parsed.success) throw new HostError('ring', `${tenant}: what the ring holds of it is of an unknown form`)
  return { alertmanager_config: parsed.data.alertmanager_config, template_files: parsed.data.template_files ?? {} }
}

const attempt = (text: string): unknown => {
  try {
    return parse(text)
  } catch {
    return undefined
  }
}

/** All configurations come in one answer, so only the lines with names are let through: a name stands at the start of a line, all else is set in. */
const namesAt = async (reach: Reach, host: Host): Promise<readonly string[]> => {
  const page = askOnHost(endpointOf(host), { path: '/multitenant_alertmanager/configs' })
  const { stdout, code } = await (await reach(host)).exec(`${page} | grep -aE '^(HTTP/|[^[:space:]].*:.?$)'`, {
    within: '90s',
  })
  const [status = '', ...lines] = stdout.toString().split('\n')
  if (code !== 0 || !/^HTTP\/1\.\d 200\b/.test(status))
    throw new HostError(host.name, `the list of tenants cannot be read: ${status.trim() || 'no answer'}`)
  return lines
    .flatMap(
      (line) =>
        /^(?:'((?:[^']|'')*)'|"([^"\\]*)"|([^:\s]+)):\s*$/
          .exec(line)
          ?.slice(1)
          .find((part) => part !== undefined) ?? [],
    )
    .map((name) => name.replaceAll("''", "'"))
    .sort()
}

const NONE = new HostError('ring', 'there is no instance among these hosts')

const firstLine = (text: string): string => text.trim().split('\n').at(-1)?.slice(0, 300) ?? ''
