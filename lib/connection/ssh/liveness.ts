import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Client } from 'ssh2'

/** Whether a link still stands. */
export interface Life {
  /** Why it has ended, or null. */
  gone(): string | null
  /** Calls once when it has ended, at once if it has; the returned function takes that back. */
  onGone(call: (why: string) => void): () => void
  /** Ends it at once, for this reason. */
  drop(why: string): void
  /** Ends it in good order. */
  close(): void
}

/** How long a host may take to close its side. */
const goodbyeMs = 2_000

/** Watches a client: its errors are kept as reasons, so that a reset of an idle link never ends the process. */
export const lifeOf = (client: Client | null, sock: Duplex): Life => {
  const calls = new Set<(why: string) => void>()
  let error: Error | undefined
  let ended: string | null = null
  const end = (why: string): void => {
    if (ended !== null) return
    ended = why
    for (const call of calls) call(why)
    calls.clear()
  }
  client?.on('error', (one: Error) => {
    error = one
  })
  client?.on('close', () => end(error ? wording(error) : 'the host closed the connection'))
  return {
    gone: () => ended,
    onGone(call) {
      if (ended !== null) call(ended)
      else calls.add(call)
      return () => void calls.delete(call)
    },
    drop(why) {
      end(why)
      sock.destroy()
    },
    close() {
      end('the connection was closed')
      client?.end()
      // A host that no longer answers must not keep the process from ending.
      setTimeout(() => sock.destroy(), goodbyeMs).unref()
      if (sock instanceof Socket) sock.unref()
    },
  }
}

/** Words of ssh2 (lib/client.js) and codes of node:net. */
const wording = (error: NodeJS.ErrnoException): string => {
  if (error.message === 'Keepalive timeout') return 'the host no longer answers'
  return error.code === 'ECONNRESET' || error.code === 'EPIPE' ? 'the connection was reset' : error.message
}
