import type { Duplex } from 'node:stream'
import { expiredOn, FOREIGN, NOT_VALID_YET, notMadeOutTo } from '../certificates/refusals.ts'
import { milliseconds } from '../duration.ts'
import { HostError } from '../errors.ts'
import type { HttpAnswer, HttpRequest } from '../model.ts'

// Importing a built-in module reads all its exports, and one of this module's brings in the whole of fetch: 40 ms.
const { request } = process.getBuiltinModule('node:http')

export type Dial = (address: string, port: number) => Promise<Duplex>

/** Larger answers are refused; a Prometheus with 10,000 targets stays below. */
const mostBytes = 16 * 1024 * 1024
/** So much of all answers that are under way is held at once: where it is more, the largest is refused, so that no host takes what others need. */
const mostTogether = 24 * 1024 * 1024
const underWay = new Set<Held>()
interface Held {
  bytes: number
  refuse(why: Error): void
}

/** An answer that came, and isn't taken. */
class TooLarge extends Error {}

/** HTTP over a link. */
export interface HttpClient {
  /**
   * Sends one request over a stream of its own, with TLS where the port wants it, and returns the whole answer, its body read as UTF-8. Throws
   * HostError when nothing answers in time (default 10 s), when what answers is not HTTP, or when the body is over 16 MiB; LinkError as `dial` does.
   */
  ask(wanted: HttpRequest): Promise<HttpAnswer>
}

/** An HTTP client of a host. Which ports speak TLS it finds out once. */
export const httpClient = (host: string, dial: Dial): HttpClient => {
  const wantTls = new Set<string>()
  return {
    async ask(wanted) {
      const { address = '127.0.0.1', port, path, timeout = '10s' } = wanted
      const what = `http://${address.includes(':') ? `[${address}]` : address}:${port}${path}`
      const place = `${address} ${port}`
      const late = Promise.withResolvers<never>()
      const timer = setTimeout(
        () => late.reject(new HostError(host, `${what} did not answer within ${timeout}`)),
        milliseconds(timeout),
      )
      const dialled: Promise<Duplex>[] = []
      const open = (): Promise<Duplex> => {
        const stream = dial(address, port)
        dialled.push(stream)
        return Promise.race([stream, late.promise])
      }
      const send = (stream: Duplex) => Promise.race([exchange(stream, { ...wanted, address }), late.promise])
      const sendSecure = async () => {
        const { stream, certificate } = await encrypted(await open(), wanted, late.promise)
        return { ...(await send(stream)), certificate }
      }
      try {
        if (wantTls.has(place)) return await sendSecure()
        const answer = await send(await open())
        if (!speaksTls(answer)) return answer
        wantTls.add(place)
        return await sendSecure()
      } catch (error) {
        wantTls.delete(place)
        if (error instanceof HostError) throw error
        throw new HostError(host, `${what}: ${error instanceof Error ? error.message : error}`, {
          cause: error,
          ...((error instanceof TooLarge || error instanceof Refused) && { task: 'ask' }),
          ...(error instanceof Refused && { hint: 'A new one is issued by vestal certificates renew.' }),
        })
      } finally {
        clearTimeout(timer)
        for (const stream of dialled) stream.then((one) => one.destroy()).catch(() => {})
      }
    },
  }
}

/** What a Go server with TLS answers to plain HTTP (net/http `server.go`): no setting need say which of the two a port speaks. */
const speaksTls = ({ status, body }: HttpAnswer): boolean =>
  status === 400 && body.startsWith('Client sent an HTTP request to an HTTPS server')

/** A certificate that isn't to be trusted. */
class Refused extends Error {}

/**
 * A stream with TLS over this one. Without `trust` the link to the host is what is trusted: the stream ends on that host, and its certificate may be
 * for any name. Throws an Error, before anything is sent, where the certificate is not to be trusted, with its reason.
 */
const encrypted = async (
  socket: Duplex,
  { trust }: Pick<HttpRequest, 'trust'>,
  late: Promise<never>,
): Promise<{ readonly stream: Duplex; readonly certificate: NonNullable<HttpAnswer['certificate']> }> => {
  const { connect } = process.getBuiltinModule('node:tls')
  const { isIP } = process.getBuiltinModule('node:net')
  const stream = connect({
    socket,
    ...(trust && { ca: trust.authority, host: trust.name }),
    ...(trust && isIP(trust.name) === 0 && { servername: trust.name }),
    rejectUnauthorized: false,
  })
  await Promise.race([
    late,
    new Promise<void>((resolve, reject) => {
      stream.once('secureConnect', resolve)
      stream.once('error', reject)
      stream.once('close', () => reject(new Error('the connection was closed before TLS was agreed upon')))
    }),
  ])
  const ends = Date.parse(stream.getPeerCertificate().valid_to)
  const until = Number.isNaN(ends) ? '' : new Date(ends).toISOString()
  if (!trust || stream.authorized) return { stream, certificate: { until } }
  const refused = reasonOf(stream.authorizationError, { until, name: trust.name })
  if (trust.refuses === false) return { stream, certificate: { until, refused } }
  stream.destroy()
  throw new Refused(`its certificate is refused: ${refused}`)
}

/** In words of ours; of OpenSSL where there are none. Codes: Node's `tls`, "X509 certificate error codes". */
const reasonOf = (error: unknown, { until, name }: { readonly until: string; readonly name: string }): string => {
  const said = error instanceof Error && 'code' in error ? error.code : error
  const code = typeof said === 'string' ? said : String(said)
  if (code === 'CERT_HAS_EXPIRED') return expiredOn(until)
  if (code === 'CERT_NOT_YET_VALID') return NOT_VALID_YET
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return notMadeOutTo(name)
  if (code === 'INVALID_PURPOSE') return 'it is none of a web server'
  if (FOREIGN_CODES.has(code)) return FOREIGN
  return code.slice(0, 200)
}
const FOREIGN_CODES: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
])

const exchange = (
  stream: Duplex,
  { address, port, path, method = 'GET', headers, body }: HttpRequest,
): Promise<HttpAnswer> =>
  new Promise((resolve, reject) => {
    stream.on('error', reject)
    const closed = (): void => reject(new Error('the connection was closed before the answer was whole'))
    // An answer that ends with its connection is told a moment later than that.
    stream.on('close', () => setImmediate(closed))
    const asked = request(
      { createConnection: () => stream, host: address, port, path, method, headers: { ...headers } },
      (answer) => {
        const chunks: Buffer[] = []
        const held: Held = {
          bytes: 0,
          refuse(why) {
            underWay.delete(held)
            chunks.length = 0
            reject(why)
            stream.destroy()
          },
        }
        underWay.add(held)
        stream.on('close', () => underWay.delete(held))
        answer.on('error', reject)
        answer.on('data', (chunk: Buffer) => {
          if (!underWay.has(held)) return
          held.bytes += chunk.length
          chunks.push(chunk)
          if (held.bytes > mostBytes)
            held.refuse(new TooLarge(`the answer is larger than ${mostBytes / 1024 / 1024} MiB`))
          makeRoom()
        })
        answer.on('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            headers: flat(answer.headers),
            body: Buffer.concat(chunks).toString(),
          }),
        )
      },
    )
    asked.on('error', reject)
    asked.end(body)
  })

const makeRoom = (): void => {
  const all = [...underWay]
  if (all.reduce((sum, { bytes }) => sum + bytes, 0) <= mostTogether) return
  all
    .reduce((one, other) => (other.bytes > one.bytes ? other : one))
    .refuse(new TooLarge('the answer is the largest of those under way, which are too large together'))
}

const flat = (headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
  )
