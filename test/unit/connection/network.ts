import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A piece of network between a test and its sshd, that can fail. */
export interface Network {
  readonly port: number
  /** Bytes that the client has sent so far. */
  sent(): number
  /** Resets the connections when the client has sent so many bytes more; those before still get through. */
  cutAfter(bytes: number): void
  /** Resets the connections now. */
  cut(): void
  /** Nothing gets through any more, and nobody is told. */
  freeze(): void
  stop(): void
}

export const startNetwork = async (to: number): Promise<Network> => {
  const sockets = new Set<Socket>()
  let sent = 0
  let limit = Number.POSITIVE_INFINITY
  const cut = (): void => {
    for (const socket of sockets) socket.resetAndDestroy()
  }
  const server = createServer((client) => {
    const machine = connect(to, '127.0.0.1')
    for (const socket of [client, machine]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        machine.destroy()
      })
    }
    machine.pipe(client)
    client.on('data', (chunk) => {
      const room = Math.max(0, limit - sent)
      sent += chunk.length
      if (chunk.length <= room) machine.write(chunk)
      else machine.write(chunk.subarray(0, room), cut)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    sent: () => sent,
    cut,
    cutAfter(bytes) {
      limit = sent + bytes
    },
    freeze() {
      for (const socket of sockets) {
        socket.unpipe()
        socket.removeAllListeners('data')
        socket.pause()
      }
    },
    stop() {
      cut()
      server.close()
    },
  }
}
