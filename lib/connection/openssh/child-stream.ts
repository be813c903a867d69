import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { Duplex, type Readable } from 'node:stream'

/** A program's standard input and output as one stream, which closes when the program ends, and ends it when it is destroyed. */
export class ChildStream extends Duplex {
  readonly stderr: Readable
  readonly #child: ChildProcessWithoutNullStreams

  constructor(child: ChildProcessWithoutNullStreams) {
    super()
    this.#child = child
    this.stderr = child.stderr
    child.stdout.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) child.stdout.pause()
    })
    child.stdout.on('end', () => this.push(null))
    // It may end without reading its input; that it has ended tells enough.
    child.stdin.on('error', () => {})
    child.once('exit', () => {
      if (this.readableEnded) this.destroy()
      else this.once('end', () => this.destroy())
    })
  }

  override _read(): void {
    this.#child.stdout.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#child.stdin.write(chunk, () => done())
  }

  override _final(done: () => void): void {
    this.#child.stdin.end(() => done())
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#child.kill('SIGKILL')
    for (const stream of this.#child.stdio) stream?.destroy()
    done(error)
  }
}
