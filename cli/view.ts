import { namesOf, type RunEvent } from '../lib/engine/events.ts'
import { CANARIES } from '../lib/ledger/canary-gates.ts'
import type { Plan } from '../lib/model.ts'
import { lineOf } from '../lib/report/lines.ts'
import { print, printError } from '../lib/report/print.ts'
import type { Opened } from './context.ts'
import type { ChangeFlags } from './options.ts'

/** What a person, or a program with `--json`, sees of a run while it goes on. */
export interface View {
  listen(event: RunEvent): void
  /** Ends what is drawn, so that text can be printed and questions asked. */
  pause(): Promise<void>
  /** Draws on, from a plan. */
  resume(plan: Plan): void
  close(): Promise<void>
}

/** Opens the view that these flags and this output call for: lines of JSON, lines of text, or a table that is drawn anew. */
export const openView = async (
  { hosts }: Opened,
  flags: Pick<ChangeFlags, 'json' | 'verbose' | 'watchAlerts'>,
): Promise<View> => {
  if (flags.json) return steady((event) => print(JSON.stringify(event)))
  if (!process.stdout.isTTY || flags.verbose) return steady(linePrinter(flags.verbose))
  const { liveView } = await import('../lib/report/live.ts')
  const rows = [...namesOf(hosts), ...(flags.watchAlerts ? [CANARIES] : [])]
  let live = liveView(rows)
  return {
    listen: (event) => live.listen(event),
    pause: () => live.close(),
    resume(plan) {
      live = liveView(rows, plan)
    },
    close: () => live.close(),
  }
}

const steady = (listen: View['listen']): View => ({
  listen,
  pause: async () => undefined,
  resume: () => undefined,
  close: async () => undefined,
})

/** Prints an event as a line, where it has one. */
export const linePrinter =
  (verbose: boolean) =>
  (event: RunEvent): void => {
    const line = lineOf(event, verbose)
    if (line !== null) print(line)
  }

/** Prints what a plan waits for, where the plan itself does not stand. */
export const waitPrinter = (event: RunEvent): void => {
  if (event.event === 'host-locked') printError(lineOf(event, false) ?? '')
}
