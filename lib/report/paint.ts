import { WriteStream } from 'node:tty'
import { inspect, type styleText } from 'node:util'

/** Colours only on a terminal that has them, by node's own rules (NO_COLOR, FORCE_COLOR, isTTY), which its `styleText` keeps to from 22.13 on only. */
export const paint = (style: Parameters<typeof styleText>[0], text: string): string =>
  hasColours() ? [style].flat().reduceRight(painted, text) : text

const painted = (text: string, colour: string): string => {
  const [on, off] = inspect.colors[colour] ?? []
  return on === undefined ? text : `\x1b[${on}m${text}\x1b[${off}m`
}

const hasColours = (): boolean =>
  (process.env.FORCE_COLOR !== undefined || process.stdout.isTTY) && WriteStream.prototype.getColorDepth() > 2
