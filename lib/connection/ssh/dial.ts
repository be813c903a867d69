import { connect, type Socket } from 'node:net'
import { dialFailure, late } from './connect-errors.ts'
import type { Target } from './target.ts'

/** Opens a TCP connection to a target. Throws LinkError, and the signal's reason. */
export const dial = (target: Target, signal?: AbortSignal): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const { address: host, port, family, timeoutMs } = target
    // Each of several addresses gets its share of the time; Node's 250 ms fail on a slow link.
    const socket = connect({
      host,
      port,
      family,
      noDelay: true,
      autoSelectFamilyAttemptTimeout: Math.max(250, Math.round(timeoutMs / 3)),
    })
    const give = (error: unknown): void => {
      done()
      socket.destroy()
      reject(error)
    }
    const timer = setTimeout(() => give(late(target, 'did not answer')), timeoutMs)
    const abort = (): void => give(signal?.reason)
    const fail = (error: Error): void => give(dialFailure(target, error))
    const done = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
      socket.off('error', fail)
    }
    signal?.addEventListener('abort', abort)
    socket.on('error', fail)
    socket.once('connect', () => {
      done()
      resolve(socket)
    })
  })
