import { appendFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { homedir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import type { RunEvent } from '../engine/events.ts'
import { HostError } from '../errors.ts'
import { mapStrings } from './values.ts'

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

/**
 * Keeps a run on the controller's disk as it happens: `events.ndjson` line by line, `plan.json` and `report.json` when they are known.
 * `redact` is applied to every text in them, before it is JSON. Upload progress is not kept. `failed` is called once, with what has kept
 * something from being written, such as a full disk, and the run can go on to a safe end; without it that is thrown.
 */
export const folderWriter = (
  run: string,
  about: { readonly owner: string; readonly command: readonly string[] } & Readonly<Record<string, unknown>>,
  redact: (text: string) => string,
  failed?: (error: HostError) => void,
): ((event: RunEvent) => void) => {
  const folder = join(runsFolder(), run)
  let told = false
  const safely = (work: () => void): void => {
    try {
      work()
    } catch (error) {
      if (!failed) throw error
      if (!told) failed(notKept(folder, error))
      told = true
    }
  }
  const write = (name: string, value: unknown): void =>
    safely(() => put(join(folder, name), `${JSON.stringify(mapStrings(value, redact), null, 2)}\n`))
  safely(() => mkdirSync(folder, { recursive: true, mode: 0o700 }))
  write('run.json', { run, ...about })
  return (event) => {
    if (event.event === 'upload') return
    if (event.event === 'planned') write('plan.json', event.plan)
    if (event.event === 'run-ended') write('report.json', event.report)
    if (event.event === 'kept') safely(() => put(join(folder, keptPath(event)), redacted(event.text, redact)))
    safely(() => append(join(folder, 'events.ndjson'), mapStrings(short(event), redact)))
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

/** A text that is JSON stays JSON. */
const redacted = (text: string, redact: (text: string) => string): string => {
  if (redact(text) === text) return text
  try {
    return `${JSON.stringify(mapStrings(JSON.parse(text), redact), null, 2)}\n`
  } catch {
    return redact(text)
  }
}

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
  writeFileSync(`${path}.new`, text, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}
/** Keeps what a ledger writes down: `notifications.ndjson` in the run's folder, which is there from the first event on. */
export const notificationsWriter =
  (run: string, redact: (text: string) => string): ((event: object) => void) =>
  (event) =>
    append(join(runsFolder(), run, 'notifications.ndjson'), mapStrings(event, redact))
