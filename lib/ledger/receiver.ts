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
interface Hearing {
  readonly run: string
  /** Asked at each notification; default: at once, with 200. */
  answer?(): ReceiverAnswer
  readonly connect: Reach
  notified(one: Notified): void
  foreign(host: string, body: unknown): void
  lost(host: string, why: string): void
  back(host: string): void
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

/** A link to each Alertmanager's host, on which the notifications come that it sends to its own loopback. */
export const receiveFrom = (alertmanagers: readonly WatchedAlertmanager[], hearing: Hearing): readonly KeptLink[] =>
  alertmanagers.map(({ endpoint: { host }, port, token, lentToken, way }) => {
    const ears = limited(host.name, hearing, way)
    return keepLink(host, {
      connect: hearing.connect,
      onLost: (why) => hearing.lost(host.name, why),
      onBack: () => hearing.back(host.name),
      async use(connection, { up, over }) {
        const server = webServer(host.name, { ...ears, isToken: tokenOn(() => token(connection), lentToken) })
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
    })
  })

/** The same, up to so many: what a host sends without end is neither held nor written down. */
const limited = (
  host: string,
  { run, answer, notified, foreign }: Hearing,
  way: string | undefined,
): Pick<Hearing, 'run' | 'answer' | 'notified' | 'foreign'> => {
  let [heard, strange] = [0, 0]
  return {
    run,
    answer,
    notified(one) {
      heard += 1
      if (heard <= MOST_NOTIFICATIONS) notified(way === undefined ? one : { ...one, way })
    },
    foreign(_, body) {
      strange += 1
      if (strange <= MOST_FOREIGN) foreign(host, body)
    },
  }
}

interface Ears extends Pick<Hearing, 'run' | 'answer' | 'notified' | 'foreign'> {
  /** Null where the host has no token yet. */
  isToken(given: string): Promise<boolean | null>
}

const webServer = (host: string, { run, answer, notified, foreign, isToken }: Ears): Server =>
  createServer(async (request, response) => {
    const known = await isToken(request.headers.authorization ?? '').catch(() => null)
    // Where it isn't known yet, Alertmanager tries again.
    if (!known) return void response.writeHead(known === null ? 503 : 403, { connection: 'close' }).end()
    const body = await jsonOf(request).catch(() => undefined)
    const { status = 200, delayMs = 0 } = answer?.() ?? {}
    if (status === 200) {
      const found = readMessage(body, host, run)
      for (const one of found) notified(one)
      if (found.length === 0) foreign(host, body)
    }
    await sleep(delayMs, undefined, { ref: false })
    response.writeHead(status).end()
  })

/** Whether a request's credentials are the token that was made at random. */
const tokenOn = (read: () => Promise<string | null>, lent?: string): Ears['isToken'] => {
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

const readMessage = (body: unknown, host: string, run: string): readonly Notified[] => {
  const message = MESSAGE.safeParse(body)
  if (!message.success) return []
  return message.data.alerts
    .filter(({ labels }) => labels.run === run)
    .map(({ status, fingerprint, labels }) => ({
      what: 'notified',
      canary: labels.canary,
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
