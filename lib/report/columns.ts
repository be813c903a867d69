import type { styleText } from 'node:util'
import { paint } from './paint.ts'
import { onOneLine } from './print.ts'

/** Text, and how it is painted. */
export interface Cell {
  readonly text: string
  readonly style?: Parameters<typeof styleText>[0]
}

/** Plain columns, two spaces apart, as wide as their widest text; a column that is empty in every row is left out. */
export const columns = (head: readonly string[], filled: readonly (readonly Cell[])[]): string => {
  const rows = filled.map((cells) => cells.map((cell) => ({ ...cell, text: onOneLine(cell.text) })))
  const used = head.map((_, at) => rows.some((row) => (row[at]?.text ?? '') !== ''))
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map((row) => row[at]?.text.length ?? 0)))
  const line = (cells: readonly Cell[]): string =>
    head
      .flatMap((_, at) => {
        const { text = '', style } = cells[at] ?? {}
        const gap = ' '.repeat((widths[at] ?? 0) - text.length)
        return used[at] ? [`${style ? paint(style, text) : text}${gap}`] : []
      })
      .join('  ')
      .trimEnd()
  return [line(head.map((text) => ({ text, style: 'bold' }))), ...rows.map(line)].join('\n')
}
