import { appendFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { homedir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import type { RunEvent } from '../engine/events.ts'

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
 * `redact` is applied to everything. Upload progress is not kept.
 */
export const folderWriter = (
  run: string,
  about: { readonly owner: string; readonly command: readonly string[] } & Readonly<Record<string, unknown>>,
  redact: (text: string) => string,
): ((event: RunEvent) => void) => {
  const folder = join(runsFolder(), run)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const write = (name: string, value: unknown): void => {
    const path = join(folder, name)
    put(path, `${redact(JSON.stringify(value, null, 2))}\n`)
  }
  write('run.json', { run, ...about })
  return (event) => {
    if (event.event === 'upload') return
    if (event.event === 'planned') write('plan.json', event.plan)
    if (event.event === 'run-ended') write('report.json', event.report)
    if (event.event === 'kept') put(join(folder, keptPath(event)), redact(event.text))
    appendFileSync(join(folder, 'events.ndjson'), `${redact(JSON.stringify(short(event)))}\n`, { mode: 0o600 })
  }
}

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
    appendFileSync(join(runsFolder(), run, 'notifications.ndjson'), `${redact(JSON.stringify(event))}\n`, {
      mode: 0o600,
    })
