import type { Duplex } from 'node:stream'
import pLimit from 'p-limit'
import { HostError, LinkError } from '../errors.ts'
import type { Transport } from './transport.ts'

/** So many ports are relayed at once: each takes one of the sessions that sshd's `MaxSessions` allows, 10 by default (sshd_config(5)). */
const MOST_RELAYS = 4

/** How a host's ports can be reached. Both throw HostError where nothing answers there, LinkError when the link is gone. */
export interface Ways {
  /** By forwarding, where the host allows it. */
  forward(address: string, port: number): Promise<Duplex | 'forbidden'>
  /** By a program of the host's own. */
  relay(address: string, port: number): Promise<Duplex>
}

/** Reaches ports by forwarding, and, from the first time that the host forbids it, by relays. */
export const portsBy = ({ forward, relay }: Ways): Pick<Transport, 'dial' | 'forwards'> => {
  const relays = pLimit(MOST_RELAYS)
  let forbidden = false
  const relayed = (address: string, port: number): Promise<Duplex> => {
    const { promise, resolve, reject } = Promise.withResolvers<Duplex>()
    const work = async (): Promise<void> => {
      const channel = await relay(address, port)
      const closed = new Promise((done) => channel.once('close', done))
      resolve(channel)
      await closed
    }
    relays(work).catch(reject)
    return promise
  }
  return {
    dial: async (address, port) => {
      if (!forbidden) {
        const stream = await forward(address, port)
        if (stream !== 'forbidden') return stream
        forbidden = true
      }
      return relayed(address, port)
    },
    forwards: async (port) => {
      try {
        const stream = await forward('127.0.0.1', port)
        if (stream === 'forbidden') return false
        stream.destroy()
      } catch (error) {
        // That nothing listens there was found out by forwarding.
        if (!(error instanceof HostError) || error instanceof LinkError) throw error
      }
      return true
    },
  }
}
