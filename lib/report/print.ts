/**
 * The one place that writes for people. What hosts, alerts and silences say is shown, not obeyed: a terminal takes control characters for
 * commands (to retitle, clear, repaint), and marks of writing direction let a line read otherwise than it is.
 */
import { mapStrings } from '../values.ts'

/** Writes a line, or some, to standard output. */
export const print = (text: string): void => void process.stdout.write(`${visible(text)}\n`)
/** Writes a line, or some, to standard error. */
export const printError = (text: string): void => void process.stderr.write(`${visible(text)}\n`)
/** Writes what another program has printed, whose own line ends are in it. */
export const printPart = (text: string, stream: 'stdout' | 'stderr' = 'stdout'): void =>
  void process[stream].write(visible(text))
/** Empties a terminal's screen; nothing where standard output is none. */
export const clearScreen = (): void => {
  if (process.stdout.isTTY) process.stdout.write('\x1b[H\x1b[2J')
}

/**
 * The text with `\u001b` and the like in place of characters that a terminal obeys or does not show: control characters but for line
 * ends and tabs, those of formats and writing directions (Unicode's categories Cc, Cf, Zl, Zp), and halves of surrogate pairs. Inside JSON
 * that is an escape, so JSON stays what it was. The zero-width joiners stay: scripts and emoji need them.
 */
export const escaped = (text: string): string => text.replaceAll(OBEYED, inHex)

/** A value with each text in it `escaped`: what a renderer begins with. */
export const shown = <T>(value: T): T => mapStrings(value, escaped)

/** The same on one line. */
export const onOneLine = (text: string): string => escaped(text).replaceAll('\n', ' ')

/** Lines after the first are set in, so that none can pass for another line of ours. */
export const setIn = (text: string): string => text.replaceAll('\n', '\n    ')

/** `escaped`, save for the colours that `paint` sets. */
const visible = (text: string): string =>
  text
    .split(OUR_PAINT)
    .map((part, at) => (at % 2 === 0 ? escaped(part) : part))
    .join('')

const OBEYED = /[[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]--[\n\t\u200c\u200d]]/gv
/** What `paint` writes for the styles that are used here; none of them hides text. */
const OUR_PAINT = /(\x1b\[(?:0|1|2|22|3[1-6]|39)m)/

/** Each half of a pair by itself, as JSON wants it. */
const inHex = (characters: string): string =>
  Array.from({ length: characters.length }, (_, at) => characters.charCodeAt(at))
    .map((code) => `\\u${code.toString(16).padStart(4, '0')}`)
    .join('')
