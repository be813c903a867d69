import type { Readable } from 'node:stream'
import { PROMPT, READY } from './bootstrap.ts'

export interface Heard {
  /** The first thing that the bootstrap or sudo says; never settles if the program ends before. */
  readonly firstWord: Promise<'ready' | 'asked again'>
  /** The script's process id, once the bootstrap has said it. */
  pid(): number | undefined
  /** What came after the ready line. */
  stdout(): Buffer
  /** Without what sudo wrote while it asked for the password. */
  stderr(): string
  /** What login scripts printed before the ready line. */
  noise(): string
}
interface Ears {
  readonly onStdout?: (chunk: Buffer) => void
  readonly keepStdout?: boolean
  readonly onReady: () => void
  /** Called for every piece of output. */
  readonly onLife: () => void
}

/** Collects what a bootstrap prints, as bytes, and tells the script's own output from what came before it. */
export const listen = (
  { stdout, stderr }: { readonly stdout: Readable; readonly stderr: Readable },
  ears: Ears,
): Heard => {
  const first = Promise.withResolvers<'ready' | 'asked again'>()
  const out: Buffer[] = []
  const err: Buffer[] = []
  let before = Buffer.alloc(0)
  let pid: number | undefined
  const hear = (chunk: Buffer): void => {
    if (ears.keepStdout !== false) out.push(chunk)
    ears.onStdout?.(chunk)
  }
  stdout.on('data', (chunk: Buffer) => {
    ears.onLife()
    if (pid !== undefined) return hear(chunk)
    before = Buffer.concat([before, chunk])
    // One character a byte, so that places in the text are places in the bytes.
    const found = READY.exec(before.toString('latin1'))
    if (!found) return
    const rest = before.subarray(found.index + found[0].length)
    before = before.subarray(0, found.index)
    pid = Number(found[1])
    ears.onReady()
    first.resolve('ready')
    if (rest.length > 0) hear(rest)
  })
  stderr.on('data', (chunk: Buffer) => {
    ears.onLife()
    err.push(chunk)
    if (pid === undefined && Buffer.concat(err).toString().split(PROMPT).length > 2) first.resolve('asked again')
  })
  return {
    firstWord: first.promise,
    pid: () => pid,
    stdout: () => Buffer.concat(out),
    stderr: () => afterPrompt(Buffer.concat(err).toString()),
    noise: () => before.toString(),
  }
}

/** sudo's lecture, if it gives one, stands before its prompt. */
const afterPrompt = (text: string): string =>
  text.slice(text.lastIndexOf(PROMPT) + 1 && text.lastIndexOf(PROMPT) + PROMPT.length)
