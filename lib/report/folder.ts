import { appendFileSync, mkdirSync } from 'node:fs'
import { homedir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import type { RunEvent } from '../engine/events.ts'
import { HostError } from '../errors.ts'
import { replaceFile } from '../replace-file.ts'
import { mapStrings } from '../values.ts'

/** Where runs leave their folders: `$VESTAL_RUNS`, else below the XDG state folder. */
export const runsFolder = (env: NodeJS.ProcessEnv = process.env): string =>
  env.VESTAL_RUNS ?? join(env.XDG_STATE_HOME ?? join(homedir(), '.local', 'state'), 'vestal', 'runs')

/** A name for a run that sorts by time: `20261122-162233-deploy-4f3a`. */
export const runName = (playbook: string, now: Date, random: number): string =>
  `${now.toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15)}-${playbook}-${Math.floor(random * 0x10000)
    .toString(16)
    .padStart(4, '0')}`

/** `user@machine`, for locks and the audit. */
export const operator = (machine: string): string => {
  try {
    return `${process.env.SUDO_USER ?? userInfo().username}@${machine}`
  } catch {
    return `uid ${process.getuid?.()}@${machine}`
  }
}

/** Keeps a run on the controller's disk as it happens. */
export interface RunFolder {
  /** Keeps an event: `events.ndjson` line by line, `plan.json` and `report.json` when they are known. Upload progress is not kept. */
  keep(event: RunEvent): void
  /** Keeps what a ledger writes down, in `notifications.ndjson`. */
  note(event: object): void
}

/**
 * A run's folder, with `about` in its `run.json`. Events come without secrets already; all else goes through `redact`. `failed` is called
 * once, with what has kept something from being written, such as a full disk, and the run can go on to a safe end; never a throw.
 */
export const runFolder = (
  run: string,
  about: { readonly owner: string; readonly command: readonly string[] } & Readonly<Record<string, unknown>>,
  { redact, failed }: { redact(text: string): string; failed(error: HostError): void },
): RunFolder => {
  const folder = join(runsFolder(), run)
  let told = false
  const safely = (work: () => void): void => {
    try {
      work()
    } catch (error) {
      if (!told) failed(notKept(folder, error))
      told = true
    }
  }
  const write = (name: string, value: unknown): void =>
    safely(() => put(join(folder, name), `${JSON.stringify(value, null, 2)}\n`))
  safely(() => mkdirSync(folder, { recursive: true, mode: 0o700 }))
  write('run.json', mapStrings({ run, ...about }, redact))
  return {
    keep(event) {
      if (event.event === 'upload') return
      if (event.event === 'planned') write('plan.json', event.plan)
      if (event.event === 'run-ended') write('report.json', event.report)
      if (event.event === 'kept') safely(() => put(join(folder, keptPath(event)), event.text))
      safely(() => append(join(folder, 'events.ndjson'), short(event)))
    },
    note: (event) => safely(() => append(join(folder, 'notifications.ndjson'), mapStrings(event, redact))),
  }
}

const notKept = (folder: string, error: unknown): HostError =>
  new HostError(
    'this machine',
    `the run cannot be written down in ${folder}: ${error instanceof Error ? error.message : error}`,
    {
      task: 'keep the run',
      hint: 'Make room there, or let VESTAL_RUNS name another folder.',
    },
  )

const append = (path: string, value: unknown): void =>
  appendFileSync(path, `${JSON.stringify(value)}\n`, { mode: 0o600 })

/** An event as `events.ndjson` has it: what has a file of its own is only named. */
const short = (event: RunEvent): unknown => {
  if (event.event === 'planned') return { ...event, plan: 'plan.json' }
  if (event.event === 'run-ended') return { ...event, report: 'report.json' }
  return event.event === 'kept' ? { ...event, text: keptPath(event) } : event
}

const keptPath = ({ host, name }: RunEvent & { event: 'kept' }): string => join('kept', host, name)

const put = (path: string, text: string): void => {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  replaceFile(path, text, 0o600)
}
