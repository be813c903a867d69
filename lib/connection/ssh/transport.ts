import { constants } from 'node:os'
import type { Duplex } from 'node:stream'
import type { ClientCallback, ClientChannel } from 'ssh2'
import { LinkError } from '../../errors.ts'
import { portFailure } from '../port-errors.ts'
import { portsBy } from '../ports.ts'
import { bootstrapLine } from '../script/bootstrap.ts'
import { NoSession, sessionsOf } from '../sessions.ts'
import type { Ended, Program, Transport } from '../transport.ts'
import { relayLine, throughRelay } from './relay.ts'
import { reversePort } from './remote-forward.ts'
import type { Session } from './session.ts'

/** Programs and ports by way of a session. */
export const sshTransport = (host: string, session: Session): Transport => {
  const sessions = sessionsOf()
  const opened = async <T>(opening: Opening<T>): Promise<Awaited<T>> => {
    const made = await open(host, session, opening)
    if (made instanceof Error) throw new NoSession(host, made)
    return made
  }
  const forward = async (address: string, port: number): Promise<Duplex | 'forbidden'> => {
    const ask = (done: ClientCallback): unknown => session.client.forwardOut('127.0.0.1', 0, address, port, done)
    const channel = await open(host, session, { ask, take: (one) => one })
    if (!(channel instanceof Error)) return channel
    // RFC 4254, section 5.1: 1 is SSH_OPEN_ADMINISTRATIVELY_PROHIBITED.
    if ((channel as { reason?: unknown }).reason === 1) return 'forbidden'
    throw portFailure(host, { address, port, error: channel })
  }
  const relay = async (address: string, port: number): Promise<Duplex> => {
    const ask = (done: ClientCallback): unknown => session.client.exec(relayLine(address, port), done)
    const take = (one: ClientChannel) => throughRelay(host, one, { address, port })
    return sessions({ open: () => opened({ ask, take }), ended: closed })
  }
  return {
    ...portsBy({ forward, relay }),
    gone: session.gone,
    drop: session.drop,
    close: async () => session.close(),
    start: async (become, how) => {
      const ask = (done: ClientCallback): unknown => session.client.exec(bootstrapLine(become), done)
      const take = (channel: ClientChannel) => programOn(channel, session)
      return sessions({ open: () => opened({ ask, take }), ended: (program) => program.ended, atOnce: how?.atOnce })
    },
    listen: (port, take) => reversePort(host, session, { port, take }),
  }
}

interface Opening<T> {
  ask(done: ClientCallback): unknown
  /** Called while the host's answer is being read: a moment later, some of what follows it may have gone by. */
  take(channel: ClientChannel): T
}

/** A host answers at once, or after it has given up reaching a port: by its kernel's own limits, about two minutes. */
const answerWithinMs = 150_000

/** Asks for a channel. Returns the host's refusal as an error; throws LinkError when the link is gone or the host does not answer. */
const open = async <T>(host: string, session: Session, { ask, take }: Opening<T>): Promise<T | Error> => {
  const answer = await new Promise<T | Error>((resolve, reject) => {
    const late = (): void => reject(new LinkError(host, 'the host does not answer when it is to open a session'))
    const timer = setTimeout(late, answerWithinMs)
    const answered = (one: T | Error): void => {
      clearTimeout(timer)
      resolve(one)
    }
    try {
      ask((error, channel) => answered(error ?? take(channel)))
    } catch (error) {
      answered(error as Error)
    }
  })
  const why = session.gone()
  if (why !== null) throw new LinkError(host, `the link is gone: ${why}`)
  return answer
}

/** Settles when a stream has closed. */
const closed = (stream: Duplex): Promise<void> => new Promise((done) => stream.once('close', () => done()))

const programOn = (channel: ClientChannel, session: Session): Program => {
  const { promise: ended, resolve } = Promise.withResolvers<Ended>()
  const ignore = session.onGone((why) => resolve({ lost: why }))
  let code: number | undefined
  let open = 2
  const close = (): void => {
    open -= 1
    if (open > 0) return
    ignore()
    resolve(code === undefined ? { lost: 'the host ended the session without an exit code' } : { code })
  }
  channel.on('exit', (status: number | null, signal?: string) => {
    code = status ?? 128 + (constants.signals[signal as NodeJS.Signals] ?? 0)
  })
  channel.on('close', close)
  channel.stderr.on('close', close)
  return {
    stdin: channel,
    stdout: channel,
    stderr: channel.stderr,
    ended,
    kill: () => channel.close(),
  }
}
