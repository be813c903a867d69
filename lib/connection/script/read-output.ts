import type { Readable } from 'node:stream'
import { type Collected, collectLast, collectUpTo } from '../../collect.ts'
import { PROMPT, READY } from './bootstrap.ts'

export interface Heard {
  /** The first thing that the bootstrap or sudo says; never settles if the program ends before. */
  readonly firstWord: Promise<'ready' | 'asked again'>
  /** The script's process id, once the bootstrap has said it. */
  pid(): number | undefined
  /** What came after the ready line. */
  stdout(): Buffer
  /** The last of it, without what sudo wrote while it asked for the password. */
  stderr(): string
  /** What login scripts printed before the ready line, the last of it. */
  noise(): string
}
interface Ears {
  readonly onStdout?: (chunk: Buffer) => void
  readonly keepStdout?: boolean
  /** How many bytes of standard output are kept. */
  readonly most: number
  readonly onReady: () => void
  /** Called for every piece of output. */
  readonly onLife: () => void
  /** Called with why, if there is more than is kept of standard output, or than anybody would say beside it. */
  readonly onTooMuch: (why: string) => void
}

/** Of what is only shown, not read, this much is enough: the last of it says what went wrong. */
const shownBytes = 64 * 1024
/** Nobody says more before a script starts, or in errors: whoever does would keep this machine busy for as long as it listens. */
const mostAside = 128 * 1024 * 1024

/**
 * Collects what a bootstrap prints, as bytes, and tells the script's own output from what came before it. What it holds in memory and the
 * time it takes have limits, whatever a host prints.
 */
export const listen = (
  { stdout, stderr }: { readonly stdout: Readable; readonly stderr: Readable },
  ears: Ears,
): Heard => {
  const first = Promise.withResolvers<'ready' | 'asked again'>()
  const out = collectUpTo(ears.most, () => ears.onTooMuch(`a script printed more than ${inMiB(ears.most)}`))
  const aside = { noise: upTo(mostAside), errors: upTo(mostAside) }
  const err = collectLast(shownBytes)
  const noise = collectLast(shownBytes)
  const ready = readyLine(noise)
  const prompts = counting(PROMPT)
  let pid: number | undefined
  const hear = (chunk: Buffer): void => {
    if (ears.keepStdout !== false) out.add(chunk)
    ears.onStdout?.(chunk)
  }
  stdout.on('data', (chunk: Buffer) => {
    ears.onLife()
    if (pid !== undefined) return hear(chunk)
    if (aside.noise(chunk)) ears.onTooMuch(`the login shell printed more than ${inMiB(mostAside)} and started nothing`)
    const found = ready(chunk)
    if (!found) return
    pid = found.pid
    ears.onReady()
    first.resolve('ready')
    if (found.rest.length > 0) hear(found.rest)
  })
  stderr.on('data', (chunk: Buffer) => {
    ears.onLife()
    if (aside.errors(chunk)) ears.onTooMuch(`a script printed more than ${inMiB(mostAside)} of errors`)
    err.add(chunk)
    if (pid === undefined && prompts(chunk) > 1) first.resolve('asked again')
  })
  return {
    firstWord: first.promise,
    pid: () => pid,
    stdout: out.bytes,
    stderr: () => afterPrompt(err.bytes().toString()),
    noise: () => noise.bytes().toString(),
  }
}

/** Says true once, for what comes after so many bytes. */
const upTo = (most: number): ((chunk: Buffer) => boolean) => {
  let [bytes, told] = [0, false]
  return ({ length }) => {
    bytes += length
    if (told || bytes <= most) return false
    told = true
    return true
  }
}

const inMiB = (bytes: number): string => `${bytes / 1024 / 1024} MiB`

/** Longer than any ready line. */
const longestLine = 64
const NEWLINE = 10

/** Looks for the ready line in what comes, each byte once; all before it is noise. */
const readyLine = (noise: Collected): ((chunk: Buffer) => { pid: number; rest: Buffer } | undefined) => {
  let begun = ''
  return (chunk) => {
    for (let at = 0; at < chunk.length; ) {
      const newline = chunk.indexOf(NEWLINE, at)
      const end = newline < 0 ? chunk.length : newline
      // One character a byte. Of a long line the end will do.
      const line = `${begun}${chunk.toString('latin1', Math.max(at, end - longestLine), end)}`.slice(-longestLine)
      const [all, pid] = (newline < 0 ? undefined : READY.exec(line)) ?? []
      if (all !== undefined) return { pid: Number(pid), rest: chunk.subarray(newline + 1) }
      noise.add(chunk.subarray(at, newline < 0 ? end : newline + 1))
      begun = newline < 0 ? line : ''
      at = newline < 0 ? end : newline + 1
    }
    return undefined
  }
}

/** How often a text has come so far, also where pieces cut it. */
const counting = (text: string): ((chunk: Buffer) => number) => {
  let tail = ''
  let count = 0
  return (chunk) => {
    const parts = `${tail}${chunk.toString('latin1')}`.split(text)
    count += parts.length - 1
    tail = (parts.at(-1) ?? '').slice(1 - text.length)
    return count
  }
}

/** sudo's lecture, if it gives one, stands before its prompt. */
const afterPrompt = (text: string): string =>
  text.slice(text.lastIndexOf(PROMPT) + 1 && text.lastIndexOf(PROMPT) + PROMPT.length)
