import { once } from 'node:events'
import { Readable, type Writable } from 'node:stream'
import type { Secret } from '../../secret.ts'
import type { Heard } from './read-output.ts'

export interface Speech {
  /** The framed script. */
  readonly script: Buffer
  readonly stdin?: Uint8Array | Readable
  /** sudo's password. */
  readonly password?: Secret
  /** Told how many bytes of script and input are handed over. */
  push(bytes: number): void
}
interface Listener {
  readonly firstWord: Heard['firstWord']
  /** Aborted when there is nobody to talk to any more. */
  readonly over: AbortSignal
  /** Called when some of the input has been taken. */
  readonly onLife: () => void
}

/**
 * Hands over the password, the script and its input. With a password nothing else is said until the bootstrap has
 * answered: after a wrong one, sudo would take lines of the script for further tries and lock the account.
 */
export const say = async (to: Writable, speech: Speech, listener: Listener): Promise<void> => {
  to.on('error', () => {}) // A program may end without reading its input; how it ended tells more.
  if (speech.password) {
    to.write(`${speech.password.reveal()}\n`)
    if ((await listener.firstWord) === 'asked again') return void to.end()
  }
  const { script, stdin } = speech
  speech.push(script.length)
  to.write(script)
  if (stdin instanceof Readable) return feed(stdin, to, { ...listener, push: speech.push })
  if (stdin) {
    speech.push(stdin.length)
    to.write(stdin)
  }
  to.end()
}

/** Passes a stream on no faster than it is taken. Throws the stream's own error: then the input must not look complete. */
const feed = async (
  from: Readable,
  to: Writable,
  { over, onLife, push }: Listener & Pick<Speech, 'push'>,
): Promise<void> => {
  const leave = (): void => void from.destroy()
  over.addEventListener('abort', leave)
  from.on('error', () => {}) // It is thrown below; left early, a stream calls that an error too.
  let taken = true
  try {
    for await (const chunk of from) {
      push(chunk.length)
      if (!to.write(chunk)) taken = await drained(to, over)
      if (!taken) return
      onLife()
    }
    to.end()
  } catch (error) {
    if (taken && !over.aborted) throw error
  } finally {
    over.removeEventListener('abort', leave)
  }
}

/** False once the reader has closed its end. */
const drained = (to: Writable, over: AbortSignal): Promise<boolean> =>
  once(to, 'drain', { signal: over }).then(
    () => true,
    () => false,
  )
