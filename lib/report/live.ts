import { type DefaultRenderer, Listr, type ListrTaskWrapper, type SimpleRenderer } from 'listr2'
import type { RunEvent } from '../engine/events.ts'
import { CANARIES } from '../ledger/canary-gates.ts'
import type { AlertsReport, Plan } from '../model.ts'
import { mapStrings } from '../values.ts'
import { counted } from '../wording.ts'
import { alertsLine } from './alerts.ts'
import { waitsFor } from './lines.ts'
import { onOneLine } from './print.ts'

type Row = ListrTaskWrapper<unknown, typeof DefaultRenderer, typeof SimpleRenderer>
interface HostRow {
  readonly finish: PromiseWithResolvers<void>
  row?: Row
  changed: number
}

export interface LiveView {
  listen(event: RunEvent): void
  /** Resolves when the last line stands and other text can follow. */
  close(): Promise<void>
}

/** A line a host, redrawn as events come; listr2 only draws, it decides nothing. `plan`, if known already, gives the first titles. */
export const liveView = (hosts: readonly string[], plan?: Plan): LiveView => {
  const first = plan ? plannedTitles(plan) : new Map<string, string>()
  const rows = new Map<string, HostRow>(
    hosts.map((host) => [host, { finish: Promise.withResolvers<void>(), changed: 0 }]),
  )
  const listr = new Listr(
    [...rows].map(([host, state]) => ({
      title: first.get(host) ?? firstTitle(host, plan),
      task: async (_: unknown, row: Row): Promise<void> => {
        state.row = row
        await state.finish.promise
      },
    })),
    {
      concurrent: true,
      exitOnError: false,
      registerSignalListeners: false,
      rendererOptions: { collapseErrors: false },
    },
  )
  const drawn = listr.run().catch(() => undefined)
  return {
    listen(happened) {
      const event = mapStrings(happened, onOneLine)
      if ('host' in event) draw(event, rows.get(event.host))
      if (event.event === 'alerts') drawAlerts(event.alerts, rows.get(CANARIES)?.row)
      if (event.event === 'planned') showPlanned(event.plan, rows)
    },
    async close() {
      for (const { finish } of rows.values()) finish.resolve()
      await drawn
    },
  }
}

const firstTitle = (host: string, plan: Plan | undefined): string =>
  host === CANARIES ? `${host}: none sent yet` : `${host}: ${plan ? 'already right' : 'reading'}`

const plannedTitles = (plan: Plan): ReadonlyMap<string, string> => {
  const counts = new Map<string, number>()
  for (const { host, changes } of plan.batches.flatMap((batch) => batch.hosts))
    counts.set(host, (counts.get(host) ?? 0) + changes.length)
  return new Map([...counts].map(([host, count]) => [host, `${host}: ${count} to change`]))
}

const showPlanned = (plan: Plan, rows: ReadonlyMap<string, HostRow>): void => {
  const titles = plannedTitles(plan)
  for (const [host, { row }] of rows) {
    if (row && host !== CANARIES && !(host in plan.unreachable))
      row.title = titles.get(host) ?? `${host}: already right`
  }
}

const draw = (event: RunEvent & { host: string }, state: HostRow | undefined): void => {
  if (!state?.row) return
  const { row } = state
  switch (event.event) {
    case 'host-locked':
      row.output = waitsFor(event.lock)
      break
    case 'host-read':
      row.output = ''
      row.title = `${event.host}: read ${counted(event.tasks, 'task')}`
      break
    case 'upload':
      row.output = `sending ${event.title}: ${megabytes(event.sent)} of ${megabytes(event.of)} MB`
      break
    case 'step':
      row.output = event.state === 'started' ? event.title : `${event.title}: ${event.state}`
      break
    case 'host-done':
      state.changed += event.changed
      row.title = `${event.host}: ${state.changed} changed`
      row.output = ''
      break
    case 'gate':
      row.output = event.verdict.pass ? '' : `waiting: ${event.name}: ${event.verdict.why}`
      break
    case 'host-failed':
      state.finish.reject(new Error(`${event.host}: ${event.task}: ${event.why}`))
      break
  }
}

const drawAlerts = (alerts: AlertsReport, row: Row | undefined): void => {
  if (row) row.title = `canaries: ${alertsLine(alerts)}`
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1)
