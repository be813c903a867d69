import { showMilliseconds } from '../duration.ts'
import { HostError, LinkError } from '../errors.ts'
import type { Exec } from '../model.ts'
import { type Heard, listen } from './listen.ts'
import { refusal } from './refusal.ts'
import { type Speech, say } from './say.ts'
import type { Ended, Program } from './transport.ts'

export interface Talk extends Speech {
  /** The host's name, for errors. */
  readonly host: string
  /** The account asked of sudo. */
  readonly user?: string
  readonly onStdout?: (chunk: Buffer) => void
  /** No sign of life for so many milliseconds ends the link. */
  readonly idleMs?: number
  readonly signal?: AbortSignal
  /** Cuts the link, for this reason. */
  drop(why: string): void
}

/** A shell that has not started by then never will: its login scripts hang, or sudo waits for something else than a password. */
const startWithinMs = 60_000

/**
 * Gives a started bootstrap its script and standard input, and returns what came back. Throws LinkError when the link is
 * lost meanwhile, HostError when the login shell or sudo never lets the script start, the input stream's own error, and
 * the signal's reason.
 */
export const converse = async (program: Program, talk: Talk): Promise<Exec> => {
  const over = new AbortController()
  const broken = Promise.withResolvers<never>()
  const stop = (error: unknown): void => {
    if (over.signal.aborted) return
    program.kill()
    broken.reject(error)
  }
  const idle = talk.idleMs
    ? setTimeout(() => talk.drop(`no output for ${showMilliseconds(talk.idleMs ?? 0)}`), talk.idleMs)
    : undefined
  const start = setTimeout(() => stop(silent(talk)), startWithinMs)
  const abort = (): void => stop(talk.signal?.reason)
  talk.signal?.addEventListener('abort', abort)
  const heard = listen(program, {
    onStdout: talk.onStdout,
    onReady: () => clearTimeout(start),
    onLife: () => idle?.refresh(),
  })
  const listener = { firstWord: heard.firstWord, over: over.signal, onLife: () => idle?.refresh() }
  try {
    say(program.stdin, talk, listener).catch(stop)
    return result(await Promise.race([program.ended, broken.promise]), talk, heard)
  } finally {
    over.abort()
    for (const timer of [idle, start]) clearTimeout(timer)
    talk.signal?.removeEventListener('abort', abort)
  }
}

const result = (ended: Ended, talk: Talk, heard: Heard): Exec => {
  if ('lost' in ended) {
    throw new LinkError(talk.host, `the link was lost while a script ran: ${ended.lost}`, {
      hint: 'It is not known how far the script got. Run again: what is already right stays as it is.',
    })
  }
  if (!heard.isReady()) throw refusal(talk.host, { ...heard, code: ended.code, user: talk.user })
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
