import type { Readable } from 'node:stream'
import { PROMPT, READY } from './bootstrap.ts'

export interface Heard {
  /** The first thing that the bootstrap or sudo says; never settles if the program ends before. */
  readonly firstWord: Promise<'ready' | 'asked again'>
  isReady(): boolean
  /** What came after the ready line. */
  stdout(): Buffer
  /** Without what sudo wrote while it asked for the password. */
  stderr(): string
  /** What login scripts printed before the ready line. */
  noise(): string
}
interface Ears {
  readonly onStdout?: (chunk: Buffer) => void
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
  let ready = false
  const hear = (chunk: Buffer): void => {
    out.push(chunk)
    ears.onStdout?.(chunk)
  }
  stdout.on('data', (chunk: Buffer) => {
    ears.onLife()
    if (ready) return hear(chunk)
    before = Buffer.concat([before, chunk])
    const start = lineStart(before, READY)
    if (start < 0) return
    const rest = before.subarray(start + READY.length)
    before = before.subarray(0, start)
    ready = true
    ears.onReady()
    first.resolve('ready')
    if (rest.length > 0) hear(rest)
  })
  stderr.on('data', (chunk: Buffer) => {
    ears.onLife()
    err.push(chunk)
    if (!ready && Buffer.concat(err).toString().split(PROMPT).length > 2) first.resolve('asked again')
  })
  return {
    firstWord: first.promise,
    isReady: () => ready,
    stdout: () => Buffer.concat(out),
    stderr: () => afterPrompt(Buffer.concat(err).toString()),
    noise: () => before.toString(),
  }
}

const lineStart = (text: Buffer, line: string): number => {
  const at = text.indexOf(`\n${line}`)
  if (text.indexOf(line) === 0) return 0
  return at < 0 ? -1 : at + 1
}

/** sudo's lecture, if it gives one, stands before its prompt. */
const afterPrompt = (text: string): string =>
  text.slice(text.lastIndexOf(PROMPT) + 1 && text.lastIndexOf(PROMPT) + PROMPT.length)
