import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Duplex, pipeline, type Readable } from 'node:stream'
import { LinkError } from '../../errors.ts'
import { portFailure } from '../port-errors.ts'
import { portsBy } from '../ports.ts'
import { NoSession, sessionsOf } from '../sessions.ts'
import { relayLine, throughRelay } from '../ssh/relay.ts'
import type { Ended, Program, Transport } from '../transport.ts'
import { ChildStream } from './child-stream.ts'
import { MarkFilter, markedLine } from './exit-code.ts'
import { listenThrough } from './listen.ts'
import { type Master, muxWords } from './master.ts'

/** A host answers at once, or after it has given up reaching a port: by its kernel's own limits, about two minutes. */
const answerWithinMs = 150_000
/** A login shell that has said nothing by then has let ssh in all the same. */
const quietMs = 5_000
/** How long a master may take to notice that its link is gone. */
const noticeMs = 2_000

interface Taken<T> {
  readonly made: T | Promise<T>
  /** Settles when the host has said something. */
  readonly heard: Promise<unknown>
  /** No longer listens for that. */
  deaf?(): void
}

/** Programs and ports by way of an OpenSSH master: each is an ssh of its own that shares the master's login. */
export const openSshTransport = (host: string, master: Master): Transport => {
  const requireLink = (): void => {
    const why = master.gone()
    if (why !== null) throw new LinkError(host, `the link is gone: ${why}`)
  }
  const orGone = async <T>(work: Promise<T>): Promise<T | undefined> => {
    const { promise: gone, resolve } = Promise.withResolvers<undefined>()
    const ignore = master.onGone(() => resolve(undefined))
    return Promise.race([work, gone]).finally(ignore)
  }
  const share = (words: readonly string[]): ChildProcessWithoutNullStreams => {
    requireLink()
    const [program = '', ...args] = [...muxWords(master), ...words]
    return spawn(program, args, { detached: true, stdio: 'pipe', env: { ...process.env, LC_ALL: 'C' } })
  }
  /** Starts a command line. Throws HostError where the host opens no session for it. */
  const session = async <T>(line: string, take: (child: ChildProcessWithoutNullStreams) => Taken<T>): Promise<T> => {
    const log = join(master.folder, randomBytes(6).toString('hex'))
    const child = share(['-o', 'LogLevel=ERROR', '-E', log, '--', 'host', line])
    const refused = once(child, 'exit').then(
      ([code]) => {
        const said = code === 255 ? textIn(log) : ''
        rmSync(log, { force: true })
        return /session request failed: (.*)/.exec(said)?.[1]
      },
      () => undefined,
    )
    const { made, heard, deaf } = take(child)
    const why = await Promise.race([refused, heard.then(() => undefined), later(quietMs).then(() => undefined)])
    deaf?.()
    if (why === undefined) return made
    await orGone(later(100))
    requireLink()
    throw new NoSession(host, new Error(why))
  }
  const forward = async (address: string, port: number): Promise<Duplex | 'forbidden'> => {
    const at = address.includes(':') ? `[${address}]` : address
    const child = share(['-v', '-W', `${at}:${port}`, '--', 'host'])
    const stream = new ChildStream(child)
    stream.on('error', () => stream.destroy())
    try {
      if (await reached(child)) return stream
    } catch (error) {
      stream.destroy()
      throw new LinkError(host, error instanceof Error ? error.message : String(error), { cause: error })
    }
    stream.destroy()
    const why = (await orGone(master.said.whyNot(address, port))) ?? ''
    requireLink()
    if (/administratively prohibited/.test(why)) return 'forbidden'
    throw portFailure(host, { address, port, error: new Error(why.replace(/^connect failed: /, '') || 'no answer') })
  }
  const sessions = sessionsOf()
  const relay = (address: string, port: number): Promise<Duplex> =>
    sessions({
      open: () =>
        session(relayLine(address, port), (child) => {
          const through = throughRelay(host, new ChildStream(child), { address, port })
          return { made: through, heard: through.catch(() => {}) }
        }),
      ended: (stream) => new Promise((done) => stream.once('close', done)),
    })
  return {
    ...portsBy({ forward, relay }),
    gone: master.gone,
    drop: master.drop,
    close: async () => master.close(),
    start: (become, how) => {
      const mark = `vestal-${randomBytes(12).toString('hex')}`
      return sessions({
        open: () => session(markedLine(mark, become), (child) => programOf(child, { mark, master })),
        ended: (program) => program.ended,
        atOnce: how?.atOnce,
      })
    },
    listen: (port, take) =>
      listenThrough(host, master, {
        port,
        take,
        ask: (words) => answerOf(share(words)),
        answers: async () => {
          const stream = await forward('127.0.0.1', port).catch(() => null)
          if (stream !== null && stream !== 'forbidden') stream.destroy()
          return stream !== null && stream !== 'forbidden'
        },
      }),
  }
}

const later = (ms: number): Promise<void> => new Promise((done) => void setTimeout(done, ms).unref())

const textIn = (file: string): string => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

/** What ssh says of an order to its master; null where it was done. */
const answerOf = async (child: ChildProcessWithoutNullStreams): Promise<string | null> => {
  let said = ''
  child.stdin.end()
  child.stdout.resume()
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2_000)
  })
  const late = setTimeout(() => child.kill('SIGKILL'), answerWithinMs)
  const [code] = await once(child, 'close')
  clearTimeout(late)
  return code === 0 ? null : said
}

/** Whether a port answers, by what ssh says once it does (mux.c). Throws an Error when the host says neither yes nor no. */
const reached = (child: ChildProcessWithoutNullStreams): Promise<boolean> =>
  new Promise((resolve, reject) => {
    let said = ''
    const late = setTimeout(
      () => reject(new Error('the host does not answer when it is to open a session')),
      answerWithinMs,
    )
    const answer = (yes: boolean): void => {
      clearTimeout(late)
      resolve(yes)
    }
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-2_000)
      if (said.includes('master session id')) answer(true)
    })
    child.once('exit', () => answer(false))
    child.once('error', () => answer(false))
  })

const programOf = (
  child: ChildProcessWithoutNullStreams,
  { mark, master }: { readonly mark: string; readonly master: Master },
): Taken<Program> => {
  const stderr = new MarkFilter(mark)
  pipeline(child.stderr, stderr, () => {})
  const { promise: ended, resolve } = Promise.withResolvers<Ended>()
  const take = (): void => {
    for (const stream of [child.stdin, child.stdout, child.stderr, stderr]) stream.destroy()
    child.kill('SIGKILL')
  }
  const ignore = master.onGone((why) => {
    resolve({ lost: why })
    take()
  })
  const close = async (code: number | null): Promise<void> => {
    // What it said last may still be on its way through the filter.
    if (!stderr.destroyed && !stderr.readableEnded) await once(stderr, 'end').catch(() => {})
    if (code !== null && (code !== 255 || stderr.found)) resolve({ code })
    else await later(noticeMs)
    ignore()
    resolve({ lost: 'the host ended the session without an exit code' })
  }
  child.stdin.on('error', () => {})
  child.once('close', close)
  child.once('error', () => close(null))
  const { heard, deaf } = soundOf([child.stdout, stderr])
  return { made: { stdin: child.stdin, stdout: child.stdout, stderr, ended, kill: take }, heard, deaf }
}

/** Tells when one of these streams has something to read, and reads nothing of it. A stream that has ended is readable too. */
const soundOf = (streams: readonly Readable[]): { readonly heard: Promise<void>; deaf(): void } => {
  const { promise: heard, resolve } = Promise.withResolvers<void>()
  const listen = (): void => {
    if (streams.some(({ readableLength }) => readableLength > 0)) resolve()
  }
  for (const stream of streams) stream.on('readable', listen)
  return {
    heard,
    deaf() {
      for (const stream of streams) stream.off('readable', listen)
    },
  }
}
