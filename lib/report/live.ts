import { type DefaultRenderer, Listr, type ListrTaskWrapper, type SimpleRenderer } from 'listr2'
import type { RunEvent } from '../engine/events.ts'

type Row = ListrTaskWrapper<unknown, typeof DefaultRenderer, typeof SimpleRenderer>
interface HostRow {
  readonly finish: PromiseWithResolvers<void>
  row?: Row
  changed: number
}

/** A line a host, redrawn as events come; listr2 only draws, it decides nothing. `close` waits until the last line stands. */
export const liveView = (
  hosts: readonly string[],
  title: string,
): { listen(event: RunEvent): void; close(): Promise<void> } => {
  const rows = new Map<string, HostRow>(
    hosts.map((host) => [host, { finish: Promise.withResolvers<void>(), changed: 0 }]),
  )
  const listr = new Listr(
    [...rows].map(([host, state]) => ({
      title: `${host}: ${title}`,
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
    listen(event) {
      if ('host' in event) draw(event, rows.get(event.host))
    },
    async close() {
      for (const { finish } of rows.values()) finish.resolve()
      await drawn
    },
  }
}

const draw = (event: RunEvent & { host: string }, state: HostRow | undefined): void => {
  if (!state?.row) return
  const { row } = state
  switch (event.event) {
    case 'host-read':
      row.title = `${event.host}: read ${event.tasks} tasks`
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

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1)
