import { hostname } from 'node:os'
import { checkRendered } from '../fleet/check-rendered.ts'
import { emitter } from '../lib/engine/events.ts'
import { run } from '../lib/engine/run.ts'
import { InputError } from '../lib/errors.ts'
import type { Advice, Playbook, Role } from '../lib/model.ts'
import { rolesOf } from '../lib/playbook.ts'
import { operator, runName } from '../lib/report/folder.ts'
import { adviceText } from '../lib/report/lines.ts'
import { refusalsOf } from '../lib/report/outcome.ts'
import { print, printError } from '../lib/report/print.ts'
import { planText } from '../lib/report/text.ts'
import { stopOnSignals } from '../lib/signals.ts'
import { inLab, type Opened, openContext } from './context.ts'
import type { PlanFlags, RunFlags } from './options.ts'
import { linePrinter, waitPrinter } from './view.ts'

/** A playbook, or what makes one of the roles that there are, those of the user's own too. */
export type Wanted = Playbook | ((roles: readonly Role[]) => Playbook)

/** What a playbook becomes over a fleet as it is, before anything is planned; asks, and changes nothing. */
export type Adapt = (book: Playbook, opened: Opened, flags: Pick<RunFlags, 'tags'>) => Promise<Playbook>

/** Roles that only the playbook knows of. */
export const rolesBeside = (wanted: Wanted): readonly Role[] => (typeof wanted === 'function' ? [] : rolesOf(wanted))

/** The playbook itself. */
export const bookFor = (wanted: Wanted, { inventory }: Pick<Opened, 'inventory'>): Playbook =>
  typeof wanted === 'function' ? wanted(inventory.roles) : wanted

/** Shows what a playbook would do; 3 when something would change and `exitCode` asks for it, 1 when a host could not be read, or can't be changed as it is. */
export const planPlaybook = async (wanted: Wanted, flags: PlanFlags, adapt: Adapt = asItIs): Promise<number> => {
  await using context = await openContext(flags, rolesBeside(wanted))
  const book = bookFor(wanted, context)
  // Awaited here, as all that follow: the links go with this function.
  return (await inLab(context.hosts)) ?? (await planOpened(await adapt(book, context, flags), context, flags))
}

export const asItIs: Adapt = (book) => Promise.resolve(book)

/**
 * The same over an inventory that may not be written yet, inside the lab's network if there is one. Throws InputError for a file that the programs
 * it is for refuse.
 */
export const planOpened = async (
  book: Playbook,
  opened: Opened,
  { advice, ...flags }: PlanFlags & { readonly advice?: readonly Advice[] },
): Promise<number> => {
  using stop = stopOnSignals(() => printError('Interrupted.'))
  await rendered(book, opened, stop.stop)
  const told = flags.verbose && !flags.json ? linePrinter(true) : waitPrinter
  const { plan } = await run(book, opened.inventory, {
    ...runSettings(book, opened, flags),
    confirm: () => false,
    emit: emitter(opened.redact, told),
    ...stop,
    stop: stop.stop,
    abandon: stop.abandon,
  })
  const shown = opened.redacted(advice ? { ...plan, advice } : plan)
  print(
    flags.json
      ? JSON.stringify(shown, null, 2)
      : [planText(shown), ...opened.redacted(advice ?? []).map(adviceText)].join('\n'),
  )
  if (stop.stop.aborted) return 130
  if (Object.keys(plan.unreachable).length > 0 || refusalsOf(plan).length > 0) return 1
  return flags.exitCode && plan.changes > 0 ? 3 : 0
}

/** Throws InputError, its secrets taken out, for a file that the programs it is for refuse: before any machine is asked. */
export const rendered = async (book: Playbook, opened: Opened, signal?: AbortSignal): Promise<void> => {
  try {
    await checkRendered(opened.inventory, { hosts: opened.hosts, book, signal })
  } catch (error) {
    if (error instanceof InputError) throw new InputError(opened.redacted(error.mistakes))
    throw error
  }
}

/** How these flags let a playbook run. */
export const runSettings = (book: Playbook, { command, hosts, connect }: Opened, flags: RunFlags) => ({
  run: runName(book.name, new Date(), Math.random()),
  command,
  hosts,
  tags: flags.tags,
  forks: flags.forks,
  diff: flags.diff,
  owner: operator(hostname()),
  breakLock: flags.breakLock,
  connect,
})
