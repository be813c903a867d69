import { parse } from 'yaml'
import type { z } from 'zod'
import { understood } from '../understood.ts'

/** What may stand in a running configuration: a parser takes some 2 KB for each line, or each item of a list in one line. */
const MOST_BYTES = 4 * 1024 * 1024
const MOST_PARTS = 100_000
const DEEPEST = 200

/**
 * A configuration that a program on a host says it runs with, as YAML of a form. Throws HostError where it is none, or would not fit into memory:
 * what is too long, too deep, or unfolds from aliases.
 */
export const runningYaml = <T>(host: string, text: string, form: z.ZodType<T>): T =>
  understood(host, 'its running config', () => read(text, form), {
    task: 'config',
    hint: 'Ask its program for its config, and look for what is no part of what Vestal has written.',
  })

const read = <T>(text: string, form: z.ZodType<T>): T => {
  requireModest(text)
  const parsed = form.safeParse(parse(text, { maxAliasCount: 100, logLevel: 'error' }) ?? {})
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new Error(`${issue?.path.join('.')}: ${issue?.message}`)
}

const requireModest = (text: string): void => {
  if (text.length > MOST_BYTES) throw new Error(`it is larger than ${MOST_BYTES / 1024 / 1024} MiB`)
  let [parts, depth] = [0, 0]
  for (let at = 0; at < text.length; at += 1) {
    const one = text[at]
    if (one === '[' || one === '{') depth += 1
    if (one === ']' || one === '}') depth = Math.max(0, depth - 1)
    // What stands between brackets in a regular expression does not add up over lines.
    if (one === '\n') depth = 0
    const listed = (one === '-' || one === '?') && text[at + 1] === ' '
    if (listed || one === '\n' || one === ',' || one === '[' || one === '{') parts += 1
    if (depth > DEEPEST) throw new Error(`it has lists in lists more than ${DEEPEST} deep`)
    if (parts > MOST_PARTS) throw new Error(`it has more than ${MOST_PARTS} lines and items`)
  }
}
