import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { LinkError } from '../../errors.ts'
import type { Listening } from '../../model.ts'
import { notAllowed, portTaken } from '../port-errors.ts'
import type { Master } from './master.ts'

interface Wanted {
  readonly port: number
  /** Called with each connection. */
  take(stream: Duplex): void
  /** Gives the master an order; returns what is wrong with it, or null. */
  ask(words: readonly string[]): Promise<string | null>
  /** Whether something listens on the port. */
  answers(): Promise<boolean>
}

/** Has sshd take connections to a port of the host's loopback, which the master leads to a socket here. Throws HostError where it refuses, LinkError when the link is gone. */
export const listenThrough = async (host: string, master: Master, wanted: Wanted): Promise<Listening> => {
  const { port, take, ask } = wanted
  const open = new Set<Socket>()
  const path = join(master.folder, `r${port}`)
  const server = createServer((socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    // Whoever called may hang up at any moment.
    socket.on('error', () => socket.destroy())
    take(socket)
  }).listen(path)
  await once(server, 'listening')
  const close = (): void => {
    for (const socket of open) socket.destroy()
    server.close()
  }
  const way = ['-R', `127.0.0.1:${port}:${path}`, '--', 'host']
  const refused = await ask(['-o', 'LogLevel=ERROR', '-O', 'forward', ...way])
  const gone = master.gone()
  if (refused !== null || gone !== null) close()
  if (gone !== null) throw new LinkError(host, `the link is gone: ${gone}`)
  if (refused !== null) {
    const cause = new Error(refused)
    throw (await wanted.answers()) ? portTaken(host, port, cause) : notAllowed(host, port, cause)
  }
  const { promise: ended, resolve } = Promise.withResolvers<string>()
  const ignore = master.onGone((why) => {
    close()
    resolve(why)
  })
  return {
    ended,
    async [Symbol.asyncDispose]() {
      ignore()
      close()
      if (master.gone() === null) {
        await ask(['-o', 'LogLevel=ERROR', '-O', 'cancel', ...way])
        // ssh doesn't wait for the host to do so, which does one thing after the other.
        await wanted.answers()
      }
      resolve('the port was given back')
    },
  }
}
