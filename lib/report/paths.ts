import type { PathStatus } from '../health/types.ts'
import { counted } from '../wording.ts'
import { type Cell, columns } from './columns.ts'
import { paint } from './paint.ts'
import { setIn } from './print.ts'

const STYLE: Readonly<Record<PathStatus['state'], Cell['style'] | undefined>> = {
  works: 'green',
  fails: 'yellow',
  broken: 'red',
  idle: undefined,
  unknown: 'yellow',
}
/** More rows than these are those alone in which something is wrong. */
const MOST_ROWS = 12

/** The paths of alerts for people: a line where all work, else who sends by row and through whom by column, and why what doesn't work does not. */
export const pathsText = (paths: readonly PathStatus[]): readonly string[] => {
  const sent = paths.filter(({ receivers }) => !receivers)
  if (sent.length === 0) return []
  const odd = paths.filter(({ state }) => state !== 'works')
  if (odd.length === 0)
    return [`${paint('green', 'paths')} ${counted(sent.length, 'path')} from Prometheus to Alertmanager, all work`]
  const through = [...new Set(sent.map(({ to }) => to))]
  const rows = [
    ...rowsOf(
      sent,
      ({ from }) => from,
      ({ to }) => to,
    ),
    ...rowsOf(
      paths.filter(({ receivers }) => receivers),
      ({ to }) => `to ${to}`,
      ({ from }) => from,
    ),
  ]
  const shown = rows.length > MOST_ROWS ? rows.filter(({ cells }) => hasOdd(cells)) : rows
  const left = rows.length - shown.length
  return [
    columns(
      ['alerts of', ...through.map((name) => `through ${name}`)],
      shown.map(({ name, cells }) => [{ text: name }, ...through.map((to) => cellOf(cells.get(to)))]),
    ),
    ...(left > 0 ? [`${left} more, all of whose paths work`] : []),
    ...odd
      .filter(({ state }) => state === 'broken' || state === 'fails')
      .map(({ from, to, state, receivers, why }) => {
        const way = receivers ? `${from} to receivers by ${to}` : `${from} through ${to}`
        return `${paint(state === 'broken' ? 'red' : 'yellow', 'path')} ${setIn(`${way}: ${why ?? state}`)}`
      }),
  ]
}

interface Row {
  readonly name: string
  readonly cells: ReadonlyMap<string, PathStatus>
}

const rowsOf = (
  paths: readonly PathStatus[],
  rowOf: (path: PathStatus) => string,
  columnOf: (path: PathStatus) => string,
): readonly Row[] =>
  [...Map.groupBy(paths, rowOf)].map(([name, some]) => ({
    name,
    cells: new Map(some.map((one) => [columnOf(one), one])),
  }))

const hasOdd = (cells: Row['cells']): boolean => [...cells.values()].some(({ state }) => state !== 'works')

const cellOf = (path: PathStatus | undefined): Cell =>
  path ? { text: path.state, style: STYLE[path.state] } : { text: '' }
