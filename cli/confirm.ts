import { createInterface } from 'node:readline/promises'
import type { FileEdit } from '../lib/inventory/files.ts'
import type { Advice, Plan } from '../lib/model.ts'
import { adviceText } from '../lib/report/lines.ts'
import { planText } from '../lib/report/text.ts'
import type { ChangeFlags } from './options.ts'
import type { View } from './view.ts'

interface Asked {
  readonly flags: Pick<ChangeFlags, 'json' | 'yes' | 'diff' | 'verbose'>
  readonly view: View
  readonly edits: readonly FileEdit[]
  readonly advice: readonly Advice[]
  redact(text: string): string
}

/** Shows a plan where somebody looks, and asks whether to go ahead where somebody can answer. False for no. */
export const confirm = async (plan: Plan, { flags, view, redact, edits, advice }: Asked): Promise<boolean> => {
  if (flags.json || (plan.changes === 0 && edits.length === 0)) return true
  const ask = process.stdin.isTTY && process.stdout.isTTY && !flags.yes
  if (!ask && !flags.diff && !flags.verbose) return true
  await view.pause()
  if (edits.length > 0) {
    const { editDiff } = await import('../lib/inventory/edit/write.ts')
    process.stdout.write(`${redact(editDiff(edits))}\n\n`)
  }
  process.stdout.write(`${redact([planText(plan), ...advice.map(adviceText)].join('\n'))}\n`)
  const goAhead = !ask || (await yes('Go ahead?'))
  if (goAhead) view.resume(plan)
  return goAhead
}

/** Asks a question at the terminal. True for yes; anything else, Ctrl-C too, is no. */
export const yes = async (question: string): Promise<boolean> => {
  using questions = createInterface({ input: process.stdin, output: process.stdout })
  const interrupted = new AbortController()
  questions.once('SIGINT', () => interrupted.abort())
  const answer = await questions.question(`${question} [y/N] `, { signal: interrupted.signal }).catch(() => 'no')
  return /^y(es)?$/i.test(answer.trim())
}
