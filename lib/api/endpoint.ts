import type { ZodType } from 'zod'
import { HostError } from '../errors.ts'
import type { Connection, Host, HttpAnswer, HttpRequest, Reach, Trust } from '../model.ts'
import type { Secret } from '../secret.ts'
import { parseJson } from './json.ts'

/** A web server on a host, as it is asked from that host. */
export interface Endpoint {
  readonly host: Host
  readonly address?: string
  readonly port: number
  /** In front of every path; empty or `/something`. */
  readonly prefix?: string
  readonly user?: { readonly username: string; readonly password: Secret }
  /** Sent with every request; a tenant is one of them. */
  readonly headers?: Readonly<Record<string, string>>
  /** Whom its certificate must be of. */
  readonly trust?: Trust
}

/**
 * Asks a web server, through the link to its host. Gates that ask the same thing at the same moment share one request; an answer
 * is never kept, so that none is older than the question. Throws HostError or LinkError where nothing answers.
 */
export const ask = async (reach: Reach, endpoint: Endpoint, path: string): Promise<HttpAnswer> => {
  const connection = await reach(endpoint.host)
  const asked = underWay.get(connection) ?? new Map<string, Promise<HttpAnswer>>()
  underWay.set(connection, asked)
  const key = identityOf(endpoint, path)
  const shared = asked.get(key)
  if (shared) return shared
  const answer = request(connection, endpoint, { path }).finally(() => asked.delete(key))
  asked.set(key, answer)
  return answer
}

/** Sends a request that changes something; never shared. Throws HostError or LinkError where nothing answers. */
export const send = async (
  reach: Reach,
  endpoint: Endpoint,
  wanted: { readonly path: string; readonly method: 'POST' | 'DELETE'; readonly body?: string },
): Promise<HttpAnswer> => request(await reach(endpoint.host), endpoint, wanted)

/** Asks for JSON of a known form. Throws HostError when the answer isn't 200 or has another form. */
export const askJson = async <T>(
  reach: Reach,
  endpoint: Endpoint,
  { path, form }: { readonly path: string; readonly form: ZodType<T> },
): Promise<T> => {
  const answer = await ask(reach, endpoint, path)
  return read(answer, { endpoint, path, form })
}

/**
 * Reads an answer as JSON of a known form; once, however many share it. Throws HostError when it isn't 200 or has another form.
 */
export const read = <T>(
  answer: HttpAnswer,
  { endpoint, path, form }: { readonly endpoint: Endpoint; readonly path: string; readonly form: ZodType<T> },
): T => {
  if (answer.status !== 200) throw refused(endpoint, path, answer)
  const known = forms.get(answer) ?? new Map<ZodType, unknown>()
  forms.set(answer, known)
  const found = known.has(form) ? (known.get(form) as T | UnknownForm) : readAs(answer, form)
  known.set(form, found)
  if (!(found instanceof UnknownForm)) return found
  throw new HostError(endpoint.host.name, `${path} answered in an unknown form: ${found.message}`, { task: 'ask' })
}

/** Why an answer is not what was asked for. */
class UnknownForm extends Error {}

const readAs = <T>(answer: HttpAnswer, form: ZodType<T>): T | UnknownForm => {
  try {
    const { success, data, error } = form.safeParse(jsonOf(answer))
    if (success) return data
    const [issue] = error.issues
    return new UnknownForm(`${issue?.path.join('.')}: ${issue?.message}`)
  } catch (error) {
    return new UnknownForm(error instanceof Error ? error.message : String(error))
  }
}

/** What an answer that isn't 200 says, as an error. */
export const refused = ({ host, user }: Endpoint, path: string, { status, body }: HttpAnswer): HostError => {
  const said = body.trim().split('\n', 1)[0]?.slice(0, 200)
  const hint = status === 401 && !user ? '; set `web_user` beside `web_config`, so that Vestal can ask it' : ''
  return new HostError(host.name, `${path} answered ${status}${said && `: ${said}`}${hint}`)
}

/** Who asks is part of what is asked: an answer for one user or tenant is none for another. */
const identityOf = ({ address, port, prefix, user, headers, trust }: Endpoint, path: string): string =>
  JSON.stringify([
    address,
    port,
    prefix,
    path,
    user?.username,
    user?.password.reveal(),
    Object.entries(headers ?? {}).sort(),
    trust?.name,
    trust?.authority,
  ])

/** Asked about in several forms at the same moment, it is parsed once. */
const jsonOf = (answer: HttpAnswer): unknown => {
  const known = parsed.get(answer)
  if (known) return known.value
  const value = parseJson(answer.body)
  parsed.set(answer, { value })
  return value
}
const parsed = new WeakMap<HttpAnswer, { readonly value: unknown }>()

/** What was read of an answer, for as long as somebody holds it. */
const forms = new WeakMap<HttpAnswer, Map<ZodType, unknown>>()

const underWay = new WeakMap<Connection, Map<string, Promise<HttpAnswer>>>()

const request = (
  connection: Connection,
  { address, port, prefix = '', user, headers, trust }: Endpoint,
  { path, method, body }: Pick<HttpRequest, 'path' | 'method' | 'body'>,
) =>
  connection.request({
    address,
    port,
    path: prefix + path,
    method,
    body,
    headers: {
      ...headers,
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(user && {
        authorization: `Basic ${Buffer.from(`${user.username}:${user.password.reveal()}`).toString('base64')}`,
      }),
    },
    timeout: '10s',
    trust,
  })
