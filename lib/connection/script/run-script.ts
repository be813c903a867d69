import { showMilliseconds } from '../../duration.ts'
import { HostError, LinkError } from '../../errors.ts'
import type { Exec } from '../../model.ts'
import type { Ended, Program } from '../transport.ts'
import { type Heard, listen } from './read-output.ts'
import { refusal } from './start-errors.ts'
import { type Speech, say } from './write-input.ts'

export interface Talk extends Speech {
  /** The host's name, for errors. */
  readonly host: string
  /** The account asked of sudo. */
  readonly user?: string
  readonly onStdout?: (chunk: Buffer) => void
  readonly keepStdout?: boolean
  /** How many bytes of standard output are kept; more ends the script. Default 8 MiB. */
  readonly most?: number
  /** No sign of life for so many milliseconds ends the link. */
  readonly idleMs?: number
  /** A script that has not ended after so many milliseconds is ended. */
  readonly withinMs?: number
  readonly signal?: AbortSignal
  /** Cuts the link, for this reason. */
  drop(why: string): void
  /** Ends the script with this process id. */
  end(pid: number): Promise<unknown>
}

/** A shell that has not started by then never will: its login scripts hang, or sudo waits for something else than a password. */
const startWithinMs = 60_000
/** What a probe of a large machine prints is far below. */
const mostBytes = 8 * 1024 * 1024
/** How long a script that is to end may take over it, and over saying its process id. */
const endWithinMs = 5_000

/**
 * Gives a started bootstrap its script and standard input, and returns what came back. Throws LinkError when the link is
 * lost meanwhile, HostError when the login shell or sudo never lets the script start, and when it prints more than is kept or takes longer
 * than it may; the input stream's own error and the signal's reason, after it has ended the script.
 */
export const runScript = async (program: Program, talk: Talk): Promise<Exec> => {
  const over = new AbortController()
  const stopped = Promise.withResolvers<never>()
  const alive = (): void => void idle?.refresh()
  const { most = mostBytes, withinMs } = talk
  const heard = listen(program, {
    onStdout: talk.onStdout,
    keepStdout: talk.keepStdout,
    most,
    onReady: () => clearTimeout(start),
    onLife: alive,
    onTooMuch: (why) => void giveUp(why),
  })
  const stop = async (error: unknown): Promise<void> => {
    if (over.signal.aborted) return
    over.abort(error)
    await endIt(program, talk, heard)
    program.kill()
    stopped.reject(error)
  }
  /** A host that does not end a script either is not listened to any longer. */
  const giveUp = async (why: string): Promise<void> => {
    await stop(new HostError(talk.host, why, { hint: UNKNOWN }))
    const ended = await Promise.race([program.ended, tooLate()])
    if (!ended) talk.drop(why)
  }
  const limit = withinMs
    ? setTimeout(() => giveUp(`a script did not end within ${showMilliseconds(withinMs)}`), withinMs)
    : undefined
  const idle = talk.idleMs ? idleTimer(talk.idleMs, talk.drop) : undefined
  const start = setTimeout(() => stop(silent(talk)), startWithinMs)
  const abort = (): void => void stop(talk.signal?.reason)
  talk.signal?.addEventListener('abort', abort)
  if (talk.signal?.aborted) abort()
  try {
    if (!over.signal.aborted)
      say(program.stdin, talk, { firstWord: heard.firstWord, over: over.signal, onLife: alive }).catch(stop)
    const ended = await Promise.race([program.ended, stopped.promise])
    over.signal.throwIfAborted()
    return result(ended, talk, heard)
  } finally {
    over.abort()
    for (const timer of [idle, start, limit]) clearTimeout(timer)
    talk.signal?.removeEventListener('abort', abort)
  }
}

const UNKNOWN = 'It is not known how far the script got. Run again: what is already right stays as it is.'

const idleTimer = (ms: number, drop: Talk['drop']): NodeJS.Timeout =>
  setTimeout(() => drop(`no output for ${showMilliseconds(ms)}`), ms)

const tooLate = (): Promise<undefined> =>
  new Promise((resolve) => void setTimeout(() => resolve(undefined), endWithinMs).unref())

/** Ends the script itself: closing its channel would only take its input and output away. */
const endIt = async ({ ended }: Program, talk: Talk, heard: Heard): Promise<void> => {
  const late = tooLate()
  await Promise.race([heard.firstWord, ended, late])
  const pid = heard.pid()
  if (pid !== undefined) await Promise.race([talk.end(pid).then(() => ended), late]).catch(() => {})
}

const result = (ended: Ended, talk: Talk, heard: Heard): Exec => {
  if ('lost' in ended) {
    throw new LinkError(talk.host, `the link was lost while a script ran: ${ended.lost}`, {
      hint: UNKNOWN,
    })
  }
  if (heard.pid() === undefined) throw refusal(talk.host, { ...heard, code: ended.code, user: talk.user })
  return { code: ended.code, stdout: heard.stdout(), stderr: heard.stderr() }
}

const silent = ({ host, user }: Talk): HostError =>
  new HostError(
    host,
    `${user ? `sudo to ${user}` : 'the login shell'} started nothing within ${showMilliseconds(startWithinMs)}`,
    {
      hint: `Log in by hand and see what \`${user ? `sudo -u ${user} true` : 'sh -c true'}\` waits for.`,
    },
  )
