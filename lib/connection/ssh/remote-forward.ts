import type { Duplex } from 'node:stream'
import type { Client, TcpConnectionDetails } from 'ssh2'
import { type HostError, LinkError } from '../../errors.ts'
import type { Listening } from '../../model.ts'
import { notAllowed, portTaken } from '../port-errors.ts'
import type { Session } from './session.ts'

interface Wanted {
  readonly port: number
  /** Called with each connection. */
  take(stream: Duplex): void
}
const LOOPBACK = '127.0.0.1'

/** Has sshd take connections to a port of the host's loopback. Throws HostError where it refuses, LinkError when the link is gone. */
export const reversePort = async (host: string, session: Session, wanted: Wanted): Promise<Listening> => {
  const { port } = wanted
  const streams = handOver(session.client, wanted)
  const refused = await ask(session, (done) => session.client.forwardIn(LOOPBACK, port, done))
  const gone = session.gone()
  if (refused || gone !== null) streams.close()
  if (gone !== null) throw new LinkError(host, `the link is gone: ${gone}`)
  if (refused) throw await refusal(host, session.client, { port, refused })
  const { promise: ended, resolve } = Promise.withResolvers<string>()
  const ignore = session.onGone(resolve)
  return {
    ended,
    async [Symbol.asyncDispose]() {
      ignore()
      streams.close()
      if (session.gone() === null) await ask(session, (done) => session.client.unforwardIn(LOOPBACK, port, done))
      resolve('the port was given back')
    },
  }
}

type Done = (error?: Error | null) => void

/** A host answers at once. */
const answerWithinMs = 60_000

/** Returns the host's no as an error; a link that ends before the answer is told by the session, and one without an answer is no link. */
const ask = (session: Session, call: (done: Done) => void): Promise<Error | undefined> =>
  new Promise((resolve) => {
    const late = setTimeout(() => session.drop('the host does not answer'), answerWithinMs)
    let ignore = (): void => {}
    const answered = (error?: Error): void => {
      clearTimeout(late)
      ignore()
      resolve(error)
    }
    ignore = session.onGone((why) => answered(new Error(why)))
    try {
      call((error) => answered(error ?? undefined))
    } catch (error) {
      answered(error as Error)
    }
  })

const handOver = (client: Client, { port, take }: Wanted): { close(): void } => {
  const open = new Set<Duplex>()
  const hear = ({ destPort }: TcpConnectionDetails, accept: () => Duplex): void => {
    if (destPort !== port) return
    const stream = accept()
    open.add(stream)
    stream.once('close', () => open.delete(stream))
    // Whoever called may hang up at any moment.
    stream.on('error', () => stream.destroy())
    take(stream)
  }
  client.on('tcp connection', hear)
  return {
    close() {
      client.off('tcp connection', hear)
      for (const stream of open) stream.destroy()
    },
  }
}

/** An SSH server says no without a reason (RFC 4254, section 7.1): whether the port is taken is seen by connecting to it. */
const refusal = async (
  host: string,
  client: Client,
  { port, refused }: { readonly port: number; readonly refused: Error },
): Promise<HostError> => {
  const answers = await new Promise<boolean>((resolve) => {
    // What takes its time has nothing to say about the port.
    const late = setTimeout(() => resolve(false), answerWithinMs)
    client.forwardOut(LOOPBACK, 0, LOOPBACK, port, (error, channel) => {
      clearTimeout(late)
      channel?.destroy()
      resolve(!error)
    })
  })
  if (answers) return portTaken(host, port, refused)
  return notAllowed(host, port, refused)
}
