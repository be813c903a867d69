import { Scalar, stringify } from 'yaml'
import { Sealed, Secret } from '../secret.ts'

const HEADER = '# Written by Vestal from the inventory. Changes made here are replaced by the next deploy.\n'

/**
 * Data as a YAML file that Go's parsers read back unchanged (they still know YAML 1.1's `yes`, `on` and `0o17`). Sealed when a
 * Secret stands anywhere in it, text otherwise, so that a file without secrets can be shown as a diff.
 */
export const yamlFile = (data: unknown): string | Sealed => {
  const secrets: Secret[] = []
  const lines: unknown[] = []
  const marked = mark(data, { secrets, lines })
  const text = (
    HEADER + stringify(marked, { compat: 'yaml-1.1', aliasDuplicateObjects: false, lineWidth: 0 })
  ).replaceAll(LINE, (_, at: string) => json(lines[Number(at)]))
  if (secrets.length === 0) return text
  const parts = text.split(MARK).map((part, at) => (at % 2 === 0 ? part : quoted(secrets[Number(part)])))
  return new Sealed(parts)
}

/**
 * Data that is one of thousands alike, such as a team's route: it is printed as one line of JSON, which is YAML too. A file of 20,000 teams is
 * then printed in no time, and a team is found in it with all that is said of it.
 */
export const onOneLine = <T extends object>(data: T): T => {
  oneLiners.add(data)
  return data
}
const oneLiners = new WeakSet<object>()

/** These stand for a secret, and for data on one line, while YAML is printed: from a private use area, so that no setting holds them. */
const MARK = /"?\u{10fd05}(\d+)\u{10fd06}"?/u
const markOf = (at: number): string => `\u{10fd05}${at}\u{10fd06}`
const LINE = /\u{10fd07}(\d+)\u{10fd06}/gu
const lineOf = (at: number): string => `\u{10fd07}${at}\u{10fd06}`

interface Marks {
  readonly secrets: Secret[]
  readonly lines: unknown[]
}

const mark = (value: unknown, marks: Marks): unknown => {
  if (value instanceof Secret) return markOf(marks.secrets.push(value) - 1)
  if (typeof value === 'string' && isBlank(value)) return inQuotes(value)
  if (Array.isArray(value)) return value.map((item) => mark(item, marks))
  if (typeof value !== 'object' || value === null) return value
  const marked = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mark(item, marks)]))
  return oneLiners.has(value) ? lineOf(marks.lines.push(marked) - 1) : marked
}

/** White space alone, with a space in it: the library may print it as a block, of which a reader keeps the ends of lines and no space. */
const isBlank = (text: string): boolean => text.includes(' ') && text.trim() === ''
const inQuotes = (text: string): Scalar => Object.assign(new Scalar(text), { type: Scalar.QUOTE_DOUBLE })

const quoted = (secret: Secret | undefined): Secret => new Secret(json(secret?.reveal() ?? ''))

/** JSON without the characters that Go's YAML parsers do not take as they are. */
const json = (data: unknown): string =>
  JSON.stringify(data).replaceAll(
    /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
