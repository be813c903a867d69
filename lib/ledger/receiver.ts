import { createServer, type IncomingMessage, type Server } from 'node:http'
import { z } from 'zod'
import { listOf } from '../api/forms.ts'
import type { Reach } from '../model.ts'
import { whenAborted } from '../signals.ts'
import type { Notified } from './events.ts'
import type { WatchedAlertmanager } from './fleet.ts'
import { type KeptLink, keepLink } from './kept-link.ts'

interface Hearing {
  readonly run: string
  readonly connect: Reach
  notified(one: Notified): void
  foreign(host: string, body: unknown): void
  lost(host: string, why: string): void
  back(host: string): void
}

/** A link to each Alertmanager's host, on which the notifications come that it sends to its own loopback. */
export const receiveFrom = (alertmanagers: readonly WatchedAlertmanager[], hearing: Hearing): readonly KeptLink[] =>
  alertmanagers.map(({ endpoint: { host }, port }) =>
    keepLink(host, {
      connect: hearing.connect,
      onLost: (why) => hearing.lost(host.name, why),
      onBack: () => hearing.back(host.name),
      async use(connection, { up, over }) {
        const server = webServer(host.name, hearing)
        await using listening = await connection.listen(port, (stream) => server.emit('connection', stream))
        up()
        await Promise.race([listening.ended, whenAborted(over)])
      },
    }),
  )

const webServer = (host: string, hearing: Hearing): Server =>
  createServer(async (request, response) => {
    const body = await jsonOf(request).catch(() => undefined)
    for (const one of readMessage(body, host, hearing.run)) hearing.notified(one)
    if (readMessage(body, host, hearing.run).length === 0) hearing.foreign(host, body)
    response.writeHead(200).end()
  })

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
  for await (const chunk of request) chunks.push(chunk)
  return JSON.parse(Buffer.concat(chunks).toString())
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
