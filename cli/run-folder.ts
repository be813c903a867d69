import type { Emit, RunEvent } from '../lib/engine/events.ts'
import { emitter } from '../lib/engine/events.ts'
import { type HostError, InputError } from '../lib/errors.ts'
import { runFolder } from '../lib/report/folder.ts'
import type { Stopping } from '../lib/signals.ts'
import type { Opened } from './context.ts'

/** A run as it is kept on this machine, and told. */
export interface KeptRun {
  readonly emit: Emit
  /** Keeps what a ledger writes down. */
  note(event: object): void
  /** Throws what a failure of the run really is: an InputError that came after changes says that it did. */
  fail(error: unknown): never
  /** Throws HostError where something of the run could not be kept: then it was stopped, as by Ctrl-C. */
  requireKept(): void
}
interface Options extends Pick<Opened, 'redact'> {
  readonly run: string
  readonly about: Parameters<typeof runFolder>[1]
  readonly stop: Pick<Stopping, 'now'>
  listen(event: RunEvent): void
}

/** Opens a run's folder and the way of its events. Throws HostError where there is no room for it: nothing was done then. */
export const keepRun = ({ run, about, redact, stop, listen }: Options): KeptRun => {
  let failure: HostError | undefined
  let changed = false
  const folder = runFolder(run, about, {
    redact,
    failed(error) {
      failure = error
      stop.now()
    },
  })
  const requireKept = (): void => {
    if (failure) throw failure
  }
  requireKept()
  const emit = emitter(redact, folder.keep, listen, ({ event }) => {
    changed ||= event === 'batch-started'
  })
  return {
    emit,
    note: folder.note,
    fail(error) {
      throw error instanceof InputError && changed ? new InputError(error.mistakes, { late: true }) : error
    },
    requireKept,
  }
}
