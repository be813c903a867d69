import type { Agent } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { milliseconds } from '../duration.ts'
import { HostError } from '../errors.ts'
import type { HttpAnswer, HttpRequest } from '../model.ts'

// Importing a built-in module reads all its exports, and one of this module's brings in the whole of fetch: 40 ms.
const { Agent: HttpAgent, request } = process.getBuiltinModule('node:http')

export type Dial = (address: string, port: number) => Promise<Duplex>

/** Larger answers are refused; a Prometheus with 100,000 targets stays below. */
const mostBytes = 64 * 1024 * 1024

/**
 * HTTP over a link, a stream for each request. Streams are not kept: one through SSH does not tell that the server behind it has been restarted, and
 * a question on it would wait in vain.
 */
export interface HttpClient {
  /**
   * Sends one request, with TLS where the port wants it, and returns the whole answer, its body read as UTF-8. Throws HostError when nothing
   * answers in time (default 10 s), when what answers is not HTTP, or when the body is over 64 MiB; LinkError as `dial` does.
   */
  ask(wanted: HttpRequest): Promise<HttpAnswer>
  close(): void
}

/** An HTTP client of a host. */
export const httpClient = (host: string, dial: Dial): HttpClient => {
  const plain = agentOver((address, port) => dial(address, port).then(asSocket))
  const secure = agentOver(async (address, port) => encrypted(await dial(address, port)))
  /** Ports that were found to speak TLS. */
  const wantTls = new Set<string>()
  return {
    async ask(wanted) {
      const { address = '127.0.0.1', port, path, timeout = '10s' } = wanted
      const what = `http://${address.includes(':') ? `[${address}]` : address}:${port}${path}`
      const ended = new AbortController()
      const timer = setTimeout(
        () => ended.abort(new HostError(host, `${what} did not answer within ${timeout}`)),
        milliseconds(timeout),
      )
      const send = (agent: Agent): Promise<HttpAnswer> => exchange({ ...wanted, address }, agent, ended.signal)
      const place = `${address} ${port}`
      try {
        if (wantTls.has(place)) return await send(secure)
        const answer = await send(plain)
        if (!speaksTls(answer)) return answer
        wantTls.add(place)
        return await send(secure)
      } catch (error) {
        wantTls.delete(place)
        if (error instanceof HostError) throw error
        throw new HostError(host, `${what}: ${error instanceof Error ? error.message : error}`, { cause: error })
      } finally {
        clearTimeout(timer)
      }
    },
    close() {
      for (const agent of [plain, secure]) agent.destroy()
    },
  }
}

/** Node's own pool of connections (its documentation, class http.Agent), over streams that are opened otherwise. */
const agentOver = (open: (address: string, port: number) => Promise<Duplex>): Agent => {
  const agent = new HttpAgent({ keepAlive: false })
  agent.createConnection = ({ host, port }, done) => {
    open(host ?? '', Number(port)).then(
      (stream) => done?.(null, stream),
      (error: Error) => done?.(error, undefined as never),
    )
    return undefined
  }
  return agent
}

/** A stream through SSH has none of what the pool asks of an idle socket; the link itself is kept alive. */
const asSocket = (stream: Duplex): Duplex => {
  const nothing = (): Duplex => stream
  return stream instanceof Socket
    ? stream
    : Object.assign(stream, {
        setKeepAlive: nothing,
        setNoDelay: nothing,
        setTimeout: nothing,
        ref: nothing,
        unref: nothing,
      })
}

/** What a Go server with TLS answers to plain HTTP (net/http `server.go`): no setting need say which of the two a port speaks. */
const speaksTls = ({ status, body }: HttpAnswer): boolean =>
  status === 400 && body.startsWith('Client sent an HTTP request to an HTTPS server')

/** The link to the host is what is trusted: the stream ends on that host, and its certificate may be for any name. */
const encrypted = async (socket: Duplex): Promise<Duplex> => {
  const { connect } = process.getBuiltinModule('node:tls')
  return connect({ socket, rejectUnauthorized: false })
}

/** A question is asked once more where the server had closed a kept stream before it came: then nothing of an answer has been received. */
const exchange = async (wanted: Wanted, agent: Agent, signal: AbortSignal): Promise<HttpAnswer> => {
  for (;;) {
    const { answer, stale } = exchangeOnce(wanted, agent, signal)
    try {
      return await answer
    } catch (error) {
      if ((wanted.method ?? 'GET') !== 'GET' || !stale() || signal.aborted) throw error
    }
  }
}

type Wanted = HttpRequest & { readonly address: string }

const exchangeOnce = (
  { address, port, path, method = 'GET', headers, body }: Wanted,
  agent: Agent,
  signal: AbortSignal,
): { readonly answer: Promise<HttpAnswer>; stale(): boolean } => {
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>()
  let heard = false
  const asked = request({ agent, host: address, port, path, method, headers: { ...headers } }, (answer) => {
    heard = true
    const chunks: Buffer[] = []
    let bytes = 0
    answer.on('error', reject)
    answer.on('close', () => reject(new Error('the connection was closed before the answer was whole')))
    answer.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > mostBytes) end(new Error(`the answer is larger than ${mostBytes / 1024 / 1024} MiB`))
      else chunks.push(chunk)
    })
    answer.on('end', () =>
      resolve({
        status: answer.statusCode ?? 0,
        headers: flat(answer.headers),
        body: Buffer.concat(chunks).toString(),
      }),
    )
  })
  const end = (why: Error): void => {
    reject(why)
    asked.destroy(why)
  }
  if (signal.aborted) end(signal.reason)
  signal.addEventListener('abort', () => end(signal.reason), { once: true })
  asked.on('error', reject)
  asked.on('close', () => reject(new Error('the connection was closed before the answer was whole')))
  asked.end(body)
  return { answer: promise, stale: () => asked.reusedSocket && !heard }
}

const flat = (headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
  )
