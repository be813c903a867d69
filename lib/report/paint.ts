import { styleText } from 'node:util'

/** Colours only on a terminal that has them: node's own rules (NO_COLOR, FORCE_COLOR, isTTY). */
export const paint = (style: Parameters<typeof styleText>[0], text: string): string =>
  styleText(style, text, { stream: process.stdout, validateStream: true })
