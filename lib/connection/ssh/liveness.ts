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
  let error: Error | undefined
  const { life, ended } = lifeUntil({
    leave() {
      client?.end()
      // A host that no longer answers must not keep the process from ending.
      if (sock instanceof Socket) sock.unref()
    },
    cut: () => sock.destroy(),
  })
  client?.on('error', (one: Error) => {
    error = one
  })
  client?.on('close', () => ended(error ? wording(error) : 'the host closed the connection'))
  return life
}

interface Ways {
  /** Says goodbye. */
  leave(): void
  /** Ends it at once; called a moment after `leave` as well. */
  cut(): void
}

/** The life of a link that is over when `ended` is called, dropped or closed. */
export const lifeUntil = ({ leave, cut }: Ways): { readonly life: Life; ended(why: string): void } => {
  const calls = new Set<(why: string) => void>()
  let over: string | null = null
  const ended = (why: string): void => {
    if (over !== null) return
    over = why
    for (const call of calls) call(why)
    calls.clear()
  }
  const life: Life = {
    gone: () => over,
    onGone(call) {
      if (over !== null) call(over)
      else calls.add(call)
      return () => void calls.delete(call)
    },
    drop(why) {
      ended(why)
      cut()
    },
    close() {
      ended('the connection was closed')
      leave()
      setTimeout(cut, goodbyeMs).unref()
    },
  }
  return { life, ended }
}

/** Words of ssh2 (lib/client.js) and codes of node:net. */
const wording = (error: NodeJS.ErrnoException): string => {
  if (error.message === 'Keepalive timeout') return 'the host no longer answers'
  return error.code === 'ECONNRESET' || error.code === 'EPIPE' ? 'the connection was reset' : error.message
}
