import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { InputError } from '../errors.ts'
import type { Plan, RunReport } from '../model.ts'
import { runsFolder } from './folder.ts'
import { exitCodeOf } from './outcome.ts'

export interface AuditRow {
  readonly run: string
  readonly owner: string
  readonly playbook: string
  readonly inventory: string
  readonly startedAt: string
  /** `done`, `failed`, `interrupted`, `planned` (nothing was applied), `ended unexpectedly` (no report was left), or why it cannot be read. */
  readonly result: string
  readonly changed: number
}

/** All runs kept on this controller, oldest first. */
export const auditRows = (): readonly AuditRow[] => {
  const folder = runsFolder()
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .sort()
    .map((run) => readableRow(join(folder, run), run))
}

const readableRow = (folder: string, run: string): AuditRow => {
  try {
    return rowOf(folder, run)
  } catch (error) {
    const result = `cannot be read: ${error instanceof Error ? error.message : error}`
    return { run, owner: '', playbook: '', inventory: '', startedAt: '', result, changed: 0 }
  }
}

export interface AuditEntry extends AuditRow {
  readonly plan: Plan | null
  readonly report: RunReport | null
  readonly events: readonly Readonly<Record<string, unknown>>[]
  /** Of a run that watched alerts: each canary sent and each notification that came, as they happened. */
  readonly notifications: readonly Readonly<Record<string, unknown>>[]
}

/** One run, whole. Throws InputError for a name that no run has. */
export const auditEntry = (run: string): AuditEntry => {
  const folder = join(runsFolder(), run)
  if (run.includes('/') || !existsSync(folder)) {
    throw new InputError([
      { where: 'vestal audit', what: `there is no run ${run}`, fix: 'List them with `vestal audit`.' },
    ])
  }
  const events = lines(join(folder, 'events.ndjson'))
  return {
    ...rowOf(folder, run),
    plan: json(join(folder, 'plan.json')),
    report: json(join(folder, 'report.json')),
    events,
    notifications: lines(join(folder, 'notifications.ndjson')),
  }
}

const rowOf = (folder: string, run: string): AuditRow => {
  const about = json<{ owner?: string }>(join(folder, 'run.json'))
  const report = json<RunReport>(join(folder, 'report.json'))
  const events = lines(join(folder, 'events.ndjson'))
  const started = events.find(({ event }) => event === 'run-started')
  const outcomes = Object.values(report?.hosts ?? {}).flatMap((tasks) => Object.values(tasks))
  return {
    run,
    owner: about?.owner ?? '',
    playbook: String(started?.playbook ?? ''),
    inventory: String(started?.inventory ?? ''),
    startedAt: String(started?.at ?? ''),
    result: report
      ? resultOf(report)
      : events.some(({ event }) => event === 'batch-started')
        ? 'ended unexpectedly'
        : 'planned',
    changed: outcomes.filter(({ status }) => status === 'changed').length,
  }
}

const resultOf = (report: RunReport): string =>
  report.interrupted ? 'interrupted' : exitCodeOf(report) === 0 ? 'done' : 'failed'

/** Null for none, and for what is only a part of one: a full disk or a killed run may have left that. */
const json = <T>(path: string): T | null => {
  if (!existsSync(path)) return null
  return (parsed(readFileSync(path, 'utf8')) as T | undefined) ?? null
}

/** Whole lines only: a run that was killed or had no room may have left half a line, at the end or before it went on. */
const lines = (path: string): readonly Readonly<Record<string, unknown>>[] => {
  if (!existsSync(path)) return []
  return readFileSync(path, 'utf8')
    .split('\n')
    .slice(0, -1)
    .flatMap((line) => objectIn(line))
}

const objectIn = (line: string): readonly Readonly<Record<string, unknown>>[] => {
  const value = parsed(line)
  return typeof value === 'object' && value !== null ? [value as Readonly<Record<string, unknown>>] : []
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
