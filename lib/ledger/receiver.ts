import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { listOf } from '../api/forms.ts'
import { parseJson } from '../api/json.ts'
import type { Reach } from '../model.ts'
import { whenAborted } from '../signals.ts'
import type { Notified } from './events.ts'
import type { WatchedAlertmanager } from './fleet.ts'
import { type KeptLink, keepLink } from './kept-link.ts'

/** How the receiver answers a notification, where it is to behave as one that doesn't work. */
export interface ReceiverAnswer {
  /** Default 200. What is answered otherwise has not been taken: the Alertmanager sends it again. */
  readonly status?: number
  /** How long it takes to answer. */
  readonly delayMs?: number
}
/** Who is told of a run's notifications, and answers them. */
export interface Listener {
  readonly run: string
  /** Asked at each notification; default: at once, with 200. */
  answer?(): ReceiverAnswer
  notified(one: Notified): void
  /** What is no notification of anybody's run that is listened for. */
  foreign(host: string, body: unknown): void
  lost(host: string, why: string): void
  back(host: string): void
}
/** A link to each Alertmanager's host, on which the notifications come that it sends to its own loopback. Several runs may listen at once. */
export interface Ears extends AsyncDisposable {
  readonly links: readonly KeptLink[]
  /** Until it is disposed. */
  listen(listener: Listener): Disposable
}

/** A notification of one alert has some 2 KB. */
const MOST_BYTES = 256 * 1024
/** A canary every few seconds, for hours, is far below. */
const MOST_NOTIFICATIONS = 20_000
const MOST_FOREIGN = 1_000
/** Alertmanager keeps a connection or two. */
const MOST_STREAMS = 32
const IDLE_MS = 60_000
/** What was not the token a moment ago may have been made since: a machine that joins has none before it is deployed. */
const READ_AGAIN_MS = 2_000

/** Opens a link to each of these. */
export const openEars = (alertmanagers: readonly WatchedAlertmanager[], connect: Reach): Ears => {
  const listeners = new Set<Listener>()
  const each = (tell: (listener: Listener) => void): void => {
    for (const listener of listeners) tell(listener)
  }
  const links = alertmanagers.map(({ endpoint: { host }, port, token, lentToken, way }) =>
    keepLink(host, {
      connect,
      onLost: (why) => each(({ lost }) => lost(host.name, why)),
      onBack: () => each(({ back }) => back(host.name)),
      async use(connection, { up, over }) {
        const isToken = tokenOn(() => token(connection), lentToken)
        const server = webServer({ host: host.name, way, isToken, listeners: () => [...listeners] })
        const streams = new Set<Duplex>()
        await using listening = await connection.listen(port, (stream) => {
          // Anybody on that host can connect.
          if (streams.size >= MOST_STREAMS) return void stream.destroy()
          const idle = setTimeout(() => stream.destroy(), IDLE_MS)
          streams.add(stream)
          stream.on('data', () => idle.refresh())
          stream.on('close', () => {
            clearTimeout(idle)
            streams.delete(stream)
          })
          server.emit('connection', stream)
        })
        up()
        await Promise.race([listening.ended, whenAborted(over)])
        for (const stream of streams) stream.destroy()
      },
    }),
  )
  return {
    links,
    listen(listener) {
      const one = limited(listener)
      listeners.add(one)
      return { [Symbol.dispose]: () => void listeners.delete(one) }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(links.map((link) => link[Symbol.asyncDispose]()))
    },
  }
}

/** The same, up to so many from each host: what one sends without end is neither held nor written down. */
const limited = (listener: Listener): Listener => {
  const [heard, strange] = [new Map<string, number>(), new Map<string, number>()]
  const isMore = (counts: Map<string, number>, host: string, most: number): boolean => {
    const count = (counts.get(host) ?? 0) + 1
    counts.set(host, count)
    return count > most
  }
  return {
    ...listener,
    notified(one) {
      if (!isMore(heard, one.host, MOST_NOTIFICATIONS)) listener.notified(one)
    },
    foreign(host, body) {
      if (!isMore(strange, host, MOST_FOREIGN)) listener.foreign(host, body)
    },
  }
}

interface Hearing {
  readonly host: string
  readonly way: string | undefined
  listeners(): readonly Listener[]
  /** Null where the host has no token yet. */
  isToken(given: string): Promise<boolean | null>
}

const webServer = ({ host, way, listeners, isToken }: Hearing): Server =>
  createServer(async (request, response) => {
    const known = await isToken(request.headers.authorization ?? '').catch(() => null)
    // Where it isn't known yet, Alertmanager tries again.
    if (!known) return void response.writeHead(known === null ? 503 : 403, { connection: 'close' }).end()
    const body = await jsonOf(request).catch(() => undefined)
    const all = listeners()
    const found = readMessage(body, host)
    const about = all.filter(({ run }) => found.some((one) => one.run === run))
    // What is nobody's is answered by who came last.
    const { status = 200, delayMs = 0 } = (about[0] ?? all.at(-1))?.answer?.() ?? {}
    if (status === 200) {
      for (const listener of about)
        for (const { run, ...one } of found)
          if (run === listener.run) listener.notified(way === undefined ? one : { ...one, way })
      if (about.length === 0) for (const listener of all) listener.foreign(host, body)
    }
    await sleep(delayMs, undefined, { ref: false })
    response.writeHead(status).end()
  })

/** Whether a request's credentials are the token that was made at random. */
const tokenOn = (read: () => Promise<string | null>, lent?: string): Hearing['isToken'] => {
  let token: Promise<string | null> | undefined
  let readAt = 0
  return async (given) => {
    if (lent !== undefined && given === `Bearer ${lent}`) return true
    const right = await token
    if (right && given === `Bearer ${right}`) return true
    if (Date.now() - readAt > READ_AGAIN_MS) {
      readAt = Date.now()
      token = read()
      token.catch(() => undefined)
    }
    const now = (await token) ?? null
    return now === null ? null : given === `Bearer ${now}`
  }
}

const readMessage = (body: unknown, host: string): readonly (Notified & { readonly run: string })[] => {
  const message = MESSAGE.safeParse(body)
  if (!message.success) return []
  return message.data.alerts.map(({ status, fingerprint, labels: { run, canary } }) => ({
    what: 'notified',
    run,
    canary,
    status,
    fingerprint,
    host,
    body,
  }))
}

const jsonOf = async (request: IncomingMessage): Promise<unknown> => {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    // The rest is read and thrown away: whoever sends it learns nothing of it.
    if (bytes <= MOST_BYTES) chunks.push(chunk)
    if (bytes > 100 * MOST_BYTES) throw new Error('larger than any notification')
  }
  return bytes > MOST_BYTES ? undefined : parseJson(Buffer.concat(chunks).toString())
}

/** The part of a webhook's message that is read here; the same from 0.25 to 0.33. */
const MESSAGE = z.object({
  alerts: listOf(
    z.object({
      status: z.enum(['firing', 'resolved']),
      fingerprint: z.string(),
      labels: z.looseObject({ canary: z.string(), run: z.string() }),
    }),
  ),
})
