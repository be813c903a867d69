import { createInterface } from 'node:readline/promises'
import type { FileEdit } from '../lib/inventory/files.ts'
import type { Advice, Plan } from '../lib/model.ts'
import { adviceText } from '../lib/report/lines.ts'
import { print, printError } from '../lib/report/print.ts'
import { planText } from '../lib/report/text.ts'
import type { Opened } from './context.ts'
import type { ChangeFlags } from './options.ts'
import type { View } from './view.ts'

interface Asked extends Pick<Opened, 'redact' | 'redacted'> {
  readonly flags: Pick<ChangeFlags, 'json' | 'yes' | 'diff' | 'verbose'>
  readonly view: View
  readonly edits: readonly FileEdit[]
  readonly advice: readonly Advice[]
}

/** Shows a plan where somebody looks, and asks whether to go ahead where somebody is there to ask. False for no. */
export const confirm = async (plan: Plan, asked: Asked): Promise<boolean> => {
  const { flags, view, redact, redacted, edits, advice } = asked
  if (flags.json || (plan.changes === 0 && edits.length === 0)) return true
  const ask = isAtTerminal() && !flags.yes
  if (!ask && !flags.diff && !flags.verbose) return true
  await view.pause()
  if (edits.length > 0) {
    const { editDiff } = await import('../lib/inventory/edit/write.ts')
    print(`${redact(editDiff(edits))}\n`)
  }
  print([planText(redacted(plan)), ...redacted(advice).map(adviceText)].join('\n'))
  const goAhead = !ask || (await yes('Go ahead?'))
  if (goAhead) view.resume(plan)
  return goAhead
}

/**
 * Whether somebody is there to be asked: a terminal on either side says so. A program that runs this has none on both, and has decided already.
 */
export const isAtTerminal = (): boolean => process.stdin.isTTY || process.stdout.isTTY

/**
 * Asks a question at the terminal. True for yes; anything else, Ctrl-C too, is no. So it is where the question can't be seen, or not be answered,
 * as its output or its input goes through a pipe.
 */
export const yes = async (question: string): Promise<boolean> => {
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    printError(
      `${question} Nobody can answer: ${process.stdin.isTTY ? 'the output' : 'the input'} is no terminal. Give --yes to go ahead.`,
    )
    return false
  }
  const questions = createInterface({ input: process.stdin, output: process.stdout })
  const interrupted = new AbortController()
  questions.once('SIGINT', () => interrupted.abort())
  try {
    const answer = await questions.question(`${question} [y/N] `, { signal: interrupted.signal }).catch(() => 'no')
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    questions.close()
  }
}
