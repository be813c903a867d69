import { setTimeout as sleep } from 'node:timers/promises'
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
  /** No sign of life for so many milliseconds ends the link. */
  readonly idleMs?: number
  readonly signal?: AbortSignal
  /** Cuts the link, for this reason. */
  drop(why: string): void
  /** Ends the script with this process id. */
  end(pid: number): Promise<unknown>
}

/** A shell that has not started by then never will: its login scripts hang, or sudo waits for something else than a password. */
const startWithinMs = 60_000
/** How long a script that is to end may take over it, and over saying its process id. */
const endWithinMs = 5_000

/**
 * Gives a started bootstrap its script and standard input, and returns what came back. Throws LinkError when the link is
 * lost meanwhile, HostError when the login shell or sudo never lets the script start; the input stream's own error and
 * the signal's reason, after it has ended the script.
 */
export const converse = async (program: Program, talk: Talk): Promise<Exec> => {
  const over = new AbortController()
  const stopped = Promise.withResolvers<never>()
  const alive = (): void => void idle?.refresh()
  const heard = listen(program, {
    onStdout: talk.onStdout,
    keepStdout: talk.keepStdout,
    onReady: () => clearTimeout(start),
    onLife: alive,
  })
  const stop = async (error: unknown): Promise<void> => {
    if (over.signal.aborted) return
    over.abort(error)
    await endIt(program, talk, heard)
    program.kill()
    stopped.reject(error)
  }
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
    for (const timer of [idle, start]) clearTimeout(timer)
    talk.signal?.removeEventListener('abort', abort)
  }
}

const idleTimer = (ms: number, drop: Talk['drop']): NodeJS.Timeout =>
  setTimeout(() => drop(`no output for ${showMilliseconds(ms)}`), ms)

/** Ends the script itself: closing its channel would only take its input and output away. */
const endIt = async ({ ended }: Program, talk: Talk, heard: Heard): Promise<void> => {
  const late = sleep(endWithinMs, undefined, { ref: false })
  await Promise.race([heard.firstWord, ended, late])
  const pid = heard.pid()
  if (pid !== undefined) await Promise.race([talk.end(pid).then(() => ended), late]).catch(() => {})
}

const result = (ended: Ended, talk: Talk, heard: Heard): Exec => {
  if ('lost' in ended) {
    throw new LinkError(talk.host, `the link was lost while a script ran: ${ended.lost}`, {
      hint: 'It is not known how far the script got. Run again: what is already right stays as it is.',
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
