import { watchedFleet } from '../fleet/watched-fleet.ts'
import type { Emit } from '../lib/engine/events.ts'
import { run } from '../lib/engine/run.ts'
import type { FileEdit } from '../lib/inventory/files.ts'
import { CANARIES } from '../lib/ledger/canary-gates.ts'
import type { Ledger } from '../lib/ledger/ledger.ts'
import type { Advice, Inventory, Playbook, RunReport } from '../lib/model.ts'
import { exitCodeOf, refusalsOf } from '../lib/report/outcome.ts'
import { print } from '../lib/report/print.ts'
import { reportText } from '../lib/report/text.ts'
import { stopOnSignals } from '../lib/signals.ts'
import { confirm } from './confirm.ts'
import { inLab, type Opened, openContext } from './context.ts'
import type { ChangeFlags } from './options.ts'
import { type Adapt, asItIs, bookFor, rendered, rolesBeside, runSettings, type Wanted } from './plan-playbook.ts'
import { keepRun } from './run-folder.ts'
import { maintenance } from './run-silences.ts'
import { requireHosts } from './usage.ts'
import { openView } from './view.ts'
import type { watchAlerts } from './watch-alerts.ts'

/** Runs a playbook with the flags of the command line and returns the exit code: 0 done, 1 failed, 130 interrupted. */
export const runPlaybook = async (wanted: Wanted, flags: ChangeFlags, adapt: Adapt = asItIs): Promise<number> => {
  await using context = await openContext(flags, rolesBeside(wanted))
  const book = bookFor(wanted, context)
  requireHosts('--break-lock', flags.breakLock, context.inventory.hosts)
  if (flags.watchAlerts) watchedFleet(context.inventory)
  const inside = await inLab(context.hosts)
  return inside ?? (await apply(await adapt(book, context, flags), context, { flags, hooks: {} }))
}

/** What a command does to the inventory beside what its playbook does to machines. */
export interface Hooks {
  /** Edits of the inventory's files that lead to the inventory that is run. */
  readonly edits?: readonly FileEdit[]
  /** Written before the first change of a machine, or after the last one, if all went well. */
  readonly write?: 'first' | 'last'
  /** The fleet whose alerts are watched; default: the inventory that is run. */
  readonly watched?: Inventory
  /** Kept in the run's folder beside who started it. */
  readonly about?: Readonly<Record<string, unknown>>
  /** Told with the plan. */
  readonly advice?: readonly Advice[]
  /** True for a run after which the files, where they were written first, are put back as they were. */
  putBack?(report: RunReport): boolean
  /** Said at the end, if all went well. */
  readonly successMessage?: string
  /** Said at the end, if machines are not as they were to be: where things stand, and how to go on. */
  readonly resumeHint?: string
}

/** Runs a playbook over an inventory that may not be written yet, inside the lab's network if there is one. */
export const runOpened = (book: Playbook, opened: Opened, flags: ChangeFlags, hooks: Hooks): Promise<number> => {
  requireHosts('--break-lock', flags.breakLock, opened.inventory.hosts)
  return apply(book, opened, { flags, hooks })
}

const apply = async (
  book: Playbook,
  opened: Opened,
  { flags, hooks }: { readonly flags: ChangeFlags; readonly hooks: Hooks },
): Promise<number> => {
  const { edits = [], write, advice = [], successMessage, resumeHint } = hooks
  const watched = flags.watchAlerts ? watchedFleet(hooks.watched ?? opened.inventory) : undefined
  const chosen = runSettings(book, opened, flags)
  const { redact, redacted, connect } = opened
  await rendered(book, opened)
  using stop = stopOnSignals(() => emit({ event: 'interrupted' }))
  const view = await openView(opened, flags)
  const kept = keepRun({
    run: chosen.run,
    about: { owner: chosen.owner, command: [book.name, ...flags.inventory], ...hooks.about },
    redact,
    stop,
    listen: view.listen,
  })
  const { emit } = kept
  for (const one of advice) emit({ event: 'advice', ...one })
  const { run: name } = chosen
  await using quiet = maintenance(opened, { silence: flags.silence, run: name, owner: chosen.owner })
  await using ledger = watched && (await openWatch(watched, { run: name, connect, emit, record: kept.note, ...stop }))
  let written = false
  const writeFirst = async (): Promise<void> => {
    if (write !== 'first') return
    await writeInventory(edits, emit)
    written = true
  }
  const { report } = await run(book, opened.inventory, {
    ...chosen,
    confirm: async (plan) => {
      // The run ends before its first change, and says why: there is nothing to ask.
      if (refusalsOf(plan).length > 0) return true
      const goAhead = await confirm(plan, { flags, view, redact, redacted, edits, advice })
      if (goAhead && plan.changes > 0) await quiet.begin()
      if (goAhead && !ledger) await writeFirst()
      return goAhead
    },
    stop: stop.stop,
    abandon: stop.abandon,
    emit,
    // A fleet whose alerts cannot be watched is left as it is, and its inventory too.
    watch: ledger && {
      begin: async () => {
        const gates = await ledger.begin()
        if (!stop.stop.aborted) await writeFirst()
        return gates
      },
      end: ledger.end,
    },
  })
    .catch(kept.fail)
    .finally(() => view.close())
  if (report && written && hooks.putBack?.(report)) await writeInventory(backwards(edits), emit)
  if (!report) {
    print('Not confirmed: nothing was changed.')
    return 1
  }
  if (!flags.json) print(reportText(redacted(report)))
  const code = exitCodeOf(report)
  if (machinesAreDone(report) && write === 'last') await writeInventory(edits, emit)
  if (code === 0 && successMessage && !flags.json) print(successMessage)
  if (!machinesAreDone(report) && resumeHint && !flags.json) print(resumeHint)
  kept.requireKept()
  return code
}

/** By itself: where a function has `using`, the compiler leaves the paths of its imports as they are. */
const openWatch = async (...words: Parameters<typeof watchAlerts>): Promise<Ledger> =>
  (await import('./watch-alerts.ts')).watchAlerts(...words)

/** Whatever became of canary alerts meanwhile. */
const machinesAreDone = (report: RunReport): boolean =>
  exitCodeOf({ ...report, alerts: undefined, gates: report.gates.filter(({ host }) => host !== CANARIES) }) === 0

const backwards = (edits: readonly FileEdit[]): readonly FileEdit[] =>
  edits.map(({ file, before, after }) => ({ file, before: after, after: before }))

const writeInventory = async (edits: readonly FileEdit[], emit: Emit): Promise<void> => {
  if (edits.length === 0) return
  const { editDiff, writeEdits } = await import('../lib/inventory/edit/write.ts')
  const diff = editDiff(edits)
  writeEdits(edits)
  emit({ event: 'inventory-written', files: edits.map(({ file }) => file), diff })
}
