import { hostname } from 'node:os'
import { createInterface } from 'node:readline/promises'
import { watchedFleet } from '../fleet/watched-fleet.ts'
import { type Emit, emitter, namesOf, type RunEvent } from '../lib/engine/events.ts'
import { run } from '../lib/engine/run.ts'
import type { FileEdit } from '../lib/inventory/files.ts'
import { CANARIES } from '../lib/ledger/arrival.ts'
import type { Advice, Inventory, Plan, Playbook, RunReport } from '../lib/model.ts'
import { rolesOf } from '../lib/playbook.ts'
import { folderWriter, operator, runName } from '../lib/report/folder.ts'
import { adviceText, lineOf } from '../lib/report/lines.ts'
import { exitCodeOf } from '../lib/report/outcome.ts'
import { redactor } from '../lib/report/redact.ts'
import { planText, reportText } from '../lib/report/text.ts'
import { connecting } from './connecting.ts'
import { inLab, type OpenInventory, openInventory } from './context.ts'
import type { ChangeFlags, PlanFlags } from './options.ts'
import { maintenance } from './run-silences.ts'
import { stopping } from './stopping.ts'
import { requireHosts } from './usage.ts'

/** Runs a playbook with the flags of the command line and returns the exit code: 0 done, 1 failed, 130 interrupted. */
export const runPlaybook = async (book: Playbook, flags: ChangeFlags): Promise<number> => {
  const opened = await openInventory(flags, rolesOf(book))
  requireHosts('--break-lock', flags.breakLock, opened.hosts)
  if (flags.watchAlerts) watchedFleet(opened.inventory)
  return (await inLab(opened.hosts)) ?? apply(book, opened, { flags, around: {} })
}

/** What a command does to the inventory beside what its playbook does to machines. */
export interface Around {
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
  readonly farewell?: string
  /** Said at the end, if machines are not as they were to be: where things stand, and how to go on. */
  readonly goOn?: string
}

/** Runs a playbook over an inventory that may not be written yet, inside the lab's network if there is one. */
export const runOpened = (
  book: Playbook,
  opened: OpenInventory,
  flags: ChangeFlags,
  around: Around,
): Promise<number> => {
  requireHosts('--break-lock', flags.breakLock, opened.hosts)
  return apply(book, opened, { flags, around })
}

/** Shows what a playbook would do; 3 when something would change and `exitCode` asks for it, 1 when a host could not be read. */
export const planPlaybook = async (book: Playbook, flags: PlanFlags): Promise<number> => {
  const opened = await openInventory(flags, rolesOf(book))
  return (await inLab(opened.hosts)) ?? planOpened(book, opened, flags)
}

/** The same over an inventory that may not be written yet, inside the lab's network if there is one. */
export const planOpened = async (
  book: Playbook,
  opened: OpenInventory,
  { advice, ...flags }: PlanFlags & { readonly advice?: readonly Advice[] },
): Promise<number> => {
  using stop = stopping(() => process.stderr.write('Interrupted.\n'))
  const redact = redactor(opened.inventory)
  const told = flags.verbose && !flags.json ? linePrinter(redact, true) : waitPrinter(redact)
  const { plan } = await run(book, opened.inventory, {
    ...settings(book, opened, flags),
    confirm: () => false,
    emit: emitter(told),
    ...stop,
    stop: stop.stop,
    abandon: stop.abandon,
  })
  const text = flags.json
    ? JSON.stringify(advice ? { ...plan, advice } : plan, null, 2)
    : [planText(plan), ...(advice ?? []).map(adviceText)].join('\n')
  process.stdout.write(`${redact(text)}\n`)
  if (stop.stop.aborted) return 130
  if (Object.keys(plan.unreachable).length > 0) return 1
  return flags.exitCode && plan.changes > 0 ? 3 : 0
}

const settings = (book: Playbook, { hosts }: OpenInventory, flags: ChangeFlags | PlanFlags) => ({
  run: runName(book.name, new Date(), Math.random()),
  hosts,
  tags: flags.tags,
  forks: flags.forks,
  diff: flags.diff,
  owner: operator(hostname()),
  breakLock: flags.breakLock,
  connect: connecting(flags),
})

const apply = async (
  book: Playbook,
  opened: OpenInventory,
  { flags, around }: { readonly flags: ChangeFlags; readonly around: Around },
): Promise<number> => {
  const { edits = [], write, advice = [], farewell, goOn } = around
  const watched = flags.watchAlerts ? watchedFleet(around.watched ?? opened.inventory) : undefined
  const chosen = settings(book, opened, flags)
  const redact = redactor(opened.inventory)
  const keep = folderWriter(
    chosen.run,
    { owner: chosen.owner, command: [book.name, ...flags.inventory], ...around.about },
    redact,
  )
  const view = await openView(opened, flags, redact)
  const emit = emitter(keep, view.listen)
  using stop = stopping(() => emit({ event: 'interrupted' }))
  for (const one of advice) emit({ event: 'advice', ...one })
  const { connect, run: name } = chosen
  await using quiet = maintenance(opened.inventory.hosts, { flags, run: name, owner: chosen.owner })
  await using ledger =
    watched && (await import('./watch-alerts.ts')).watchAlerts(watched, { run: name, connect, emit, redact, ...stop })
  let written = false
  const writeFirst = async (): Promise<void> => {
    if (write !== 'first') return
    await writeInventory(edits, emit)
    written = true
  }
  const { report } = await run(book, opened.inventory, {
    ...chosen,
    confirm: async (plan) => {
      const goAhead = await confirm(plan, { flags, view, redact, edits, advice })
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
  }).finally(() => view.close())
  if (report && written && around.putBack?.(report)) await writeInventory(backwards(edits), emit)
  if (!report) {
    process.stdout.write('Not confirmed: nothing was changed.\n')
    return 1
  }
  if (!flags.json) process.stdout.write(`${redact(reportText(report))}\n`)
  const code = exitCodeOf(report)
  if (machinesAreDone(report) && write === 'last') await writeInventory(edits, emit)
  if (code === 0 && farewell && !flags.json) process.stdout.write(`${farewell}\n`)
  if (!machinesAreDone(report) && goOn && !flags.json) process.stdout.write(`${goOn}\n`)
  return code
}

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

type Redact = (text: string) => string

interface View {
  listen(event: RunEvent): void
  /** Ends what is drawn, so that text can be printed and questions asked. */
  pause(): Promise<void>
  /** Draws on, from a plan. */
  resume(plan: Plan): void
  close(): Promise<void>
}

const openView = async (
  { hosts }: OpenInventory,
  flags: ChangeFlags,
  redact: (text: string) => string,
): Promise<View> => {
  if (flags.json) return steady((event) => void process.stdout.write(`${redact(JSON.stringify(event))}\n`))
  if (!process.stdout.isTTY || flags.verbose) return steady(linePrinter(redact, flags.verbose))
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

const linePrinter =
  (redact: (text: string) => string, verbose: boolean) =>
  (event: RunEvent): void => {
    const line = lineOf(event, verbose)
    if (line !== null) process.stdout.write(`${redact(line)}\n`)
  }

/** What a plan waits for, where the plan itself does not stand. */
const waitPrinter =
  (redact: (text: string) => string) =>
  (event: RunEvent): void => {
    if (event.event === 'host-locked') process.stderr.write(`${redact(lineOf(event, false) ?? '')}\n`)
  }

const confirm = async (
  plan: Plan,
  {
    flags,
    view,
    redact,
    edits,
    advice,
  }: Pick<Required<Around>, 'edits' | 'advice'> & { flags: ChangeFlags; view: View; redact: Redact },
): Promise<boolean> => {
  if (flags.json || (plan.changes === 0 && edits.length === 0)) return true
  const ask = process.stdin.isTTY && process.stdout.isTTY && !flags.yes
  if (!ask && !flags.diff && !flags.verbose) return true
  await view.pause()
  if (edits.length > 0) {
    const { editDiff } = await import('../lib/inventory/edit/write.ts')
    process.stdout.write(`${redact(editDiff(edits))}\n\n`)
  }
  process.stdout.write(`${redact([planText(plan), ...advice.map(adviceText)].join('\n'))}\n`)
  const goAhead = !ask || (await yes('Go ahead? [y/N] '))
  if (goAhead) view.resume(plan)
  return goAhead
}

const yes = async (question: string): Promise<boolean> => {
  using questions = createInterface({ input: process.stdin, output: process.stdout })
  const interrupted = new AbortController()
  questions.once('SIGINT', () => interrupted.abort())
  const answer = await questions.question(question, { signal: interrupted.signal }).catch(() => 'no')
  return /^y(es)?$/i.test(answer.trim())
}
