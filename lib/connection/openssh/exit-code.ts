/**
 * ssh exits with 255 both for a command that did and for one of which it doesn't know how it ended, by a signal or a lost link (ssh(1), EXIT STATUS). A shell
 * around the command makes codes of signals, and says of 255 that it was the command's own.
 */
import { Transform, type TransformCallback } from 'node:stream'
import { words } from '../../shell.ts'
import { type Become, bootstrapCommand } from '../script/bootstrap.ts'

/** Waits for its words through signals that end all of the session, so that there is a code then too. No quote stands in it, so that the login shell may be any. */
const AROUND = 'trap : HUP INT TERM; mark=$1; shift; "$@"; code=$?; [ "$code" = 255 ] && echo "$mark" >&2; exit "$code"'

/** The bootstrap, as one line for a login shell of any family; `mark` is a word that cannot come by chance. */
export const markedLine = (mark: string, become?: Become): string =>
  `exec ${words(['sh', '-c', AROUND, 'vestal', mark, ...bootstrapCommand(become)])}`

/** Passes standard error on, and keeps the line with the mark to itself. */
export class MarkFilter extends Transform {
  readonly #line: Buffer
  #held = Buffer.alloc(0)
  #found = false

  constructor(mark: string) {
    super()
    this.#line = Buffer.from(`${mark}\n`)
  }

  /** Whether the mark has come. */
  get found(): boolean {
    return this.#found
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const all = Buffer.concat([this.#held, chunk])
    const at = all.indexOf(this.#line)
    if (at >= 0) {
      this.#found = true
      this.#held = Buffer.alloc(0)
      this.push(all.subarray(0, at))
      done(null, all.subarray(at + this.#line.length))
      return
    }
    // What may be the beginning of the mark is passed on once that is known not to be so.
    const begun = beginningAtEnd(all, this.#line)
    this.#held = all.subarray(all.length - begun)
    done(null, all.subarray(0, all.length - begun))
  }

  override _flush(done: TransformCallback): void {
    done(null, this.#held)
  }
}

/** How many bytes at the end of one text are the beginning of another. */
const beginningAtEnd = (text: Buffer, other: Buffer): number => {
  for (let length = Math.min(text.length, other.length - 1); length > 0; length -= 1)
    if (text.subarray(text.length - length).equals(other.subarray(0, length))) return length
  return 0
}
