/** What systemd would start a service with: ExecStart= of its files, with variables from Environment= and EnvironmentFile= in their places. */
import { ESCAPES } from '../../lib/go-strings.ts'

/** A file as systemd reads it. */
export interface UnitText {
  readonly path: string
  readonly text: string
}
export interface UnitTexts {
  /** The unit's file, then its drop-ins in their order. */
  readonly units: readonly UnitText[]
  /** Files of environment, by path; those that aren't there are left out. */
  readonly environment: ReadonlyMap<string, string>
}

/** The words of ExecStart=, as the process would get them; undefined where there is none or more than one. Source: systemd.service(5), "Command lines". */
export const startWords = ({ units, environment }: UnitTexts): readonly string[] | undefined => {
  const settings = units.flatMap(({ text }) => serviceSettings(text))
  const commands = afterReset(settings, 'ExecStart')
  if (commands.length !== 1) return undefined
  // Environment= comes before EnvironmentFile=, whichever stands first (systemd.exec(5)).
  const variables = new Map([
    ...afterReset(settings, 'Environment').flatMap((value) => wordsOf(value).map(assignment)),
    ...afterReset(settings, 'EnvironmentFile').flatMap((value) =>
      environmentOf(environment.get(value.replace(/^-/, '')) ?? ''),
    ),
  ])
  const [, prefix = '', line = ''] = /^([@\-:+!|]*)(.*)$/s.exec(commands[0] ?? '') ?? []
  const words = wordsOf(line).flatMap((word) => (prefix.includes(':') ? [word] : expanded(word, variables)))
  // With `@`, the second word is what the process is called.
  return prefix.includes('@') ? [words[0] ?? '', ...words.slice(2)] : words
}

type Setting = readonly [name: string, value: string]

/** What stands in [Service]: one line each, continued lines joined. */
const serviceSettings = (text: string): readonly Setting[] => {
  const found: Setting[] = []
  let section = ''
  for (const line of joinedLines(text)) {
    const [, name] = /^\[(.*)\]$/.exec(line.trim()) ?? []
    if (name !== undefined) section = name
    else if (section === 'Service' && line.includes('='))
      found.push([line.slice(0, line.indexOf('=')).trim(), line.slice(line.indexOf('=') + 1).trim()])
  }
  return found
}

/** A backslash at a line's end goes on in the next, as a space; comments in between are passed over. Source: systemd.syntax(7). */
const joinedLines = (text: string): readonly string[] => {
  const lines: string[] = []
  let begun: string | undefined
  for (const line of text.split('\n')) {
    if (/^\s*[#;]/.test(line)) continue
    const whole = (begun ?? '') + line
    if (whole.endsWith('\\')) begun = `${whole.slice(0, -1)} `
    else {
      lines.push(whole)
      begun = undefined
    }
  }
  return begun === undefined ? lines : [...lines, begun]
}

/** All values of a setting that is a list: an empty one takes those before it away. */
const afterReset = (settings: readonly Setting[], name: string): readonly string[] => {
  const values = settings.filter(([one]) => one === name).map(([, value]) => value)
  return values.slice(values.lastIndexOf('') + 1)
}

const UNIT_ESCAPES: Readonly<Record<string, string>> = { ...ESCAPES, s: ' ', '"': '"', "'": "'" }

/** Words of a setting, quotes and C's escapes taken out (systemd `extract_first_word`, and systemd.syntax(7), "Quoting"). */
export const wordsOf = (line: string): readonly string[] => {
  const found: string[] = []
  let word: string | undefined
  let quote = ''
  for (let at = 0; at < line.length; at += 1) {
    const one = line[at] ?? ''
    if (one === '\\') {
      const [taken, meant] = escapeAt(line, at + 1)
      word = (word ?? '') + meant
      at += taken
    } else if (quote !== '') {
      if (one === quote) quote = ''
      else word += one
    } else if (one === '"' || one === "'") {
      quote = one
      word ??= ''
    } else if (/\s/.test(one)) {
      if (word !== undefined) found.push(word)
      word = undefined
    } else word = (word ?? '') + one
  }
  return word === undefined ? found : [...found, word]
}

/** How many characters an escape has behind its backslash, and what it means. */
const escapeAt = (line: string, at: number): readonly [number, string] => {
  const [all = '', hex, octal] = /^(?:x([0-9a-fA-F]{2})|([0-3][0-7]{2}))/.exec(line.slice(at, at + 3)) ?? []
  if (hex !== undefined) return [all.length, String.fromCharCode(Number.parseInt(hex, 16))]
  if (octal !== undefined) return [all.length, String.fromCharCode(Number.parseInt(octal, 8))]
  const one = line[at] ?? ''
  return [one === '' ? 0 : 1, UNIT_ESCAPES[one] ?? `\\${one}`]
}

const NAME = '[A-Za-z_][A-Za-z0-9_]*'

/** `$NAME` as a whole word becomes as many words as it has; `${NAME}` stays within its word; `$$` is a dollar sign, `%%` a percent sign. */
const expanded = (word: string, variables: ReadonlyMap<string, string>): readonly string[] => {
  const [, whole] = new RegExp(`^\\$(${NAME})$`).exec(word) ?? []
  if (whole !== undefined) return wordsOf(variables.get(whole) ?? '')
  return [
    word
      .replaceAll(new RegExp(`\\$\\$|\\$\\{(${NAME})\\}`, 'g'), (all, name?: string) =>
        all === '$$' ? '$' : (variables.get(name ?? '') ?? ''),
      )
      .replaceAll('%%', '%'),
  ]
}

const assignment = (word: string): readonly [string, string] => {
  const at = word.indexOf('=')
  return at < 0 ? [word, ''] : [word.slice(0, at), word.slice(at + 1)]
}

/**
 * Variables of a file as EnvironmentFile= reads it: much like a shell, without expanding anything. Source: systemd.exec(5), and `parse_env_file_internal`
 * in its src/basic/env-file.c.
 */
export const environmentOf = (text: string): readonly (readonly [string, string])[] => {
  const found: (readonly [string, string])[] = []
  let rest = text
  while (rest !== '') {
    const [line = '', name] = new RegExp(`^[ \\t]*(?:export[ \\t]+)?(${NAME})[ \\t]*=[ \\t]*`).exec(rest) ?? []
    if (name === undefined) {
      // A comment, an empty line, or none that means anything. A comment goes on behind a backslash.
      const [skipped = rest] = /^(?:\\\n|[^\n])*(?:\n|$)/.exec(rest) ?? []
      rest = rest.slice(Math.max(1, skipped.length))
      continue
    }
    const value = valueAt(rest.slice(line.length))
    found.push([name, value.is])
    rest = rest.slice(line.length + value.length)
  }
  return found
}

const valueAt = (text: string): { readonly is: string; readonly length: number } => {
  let [is, kept, quote, at] = ['', 0, '', 0]
  for (; at < text.length; at += 1) {
    const one = text[at] ?? ''
    const next = text[at + 1] ?? ''
    if (quote === "'") {
      if (one === quote) quote = ''
      else is += one
    } else if (one === '\\' && (quote === '' || '"\\`$\n'.includes(next))) {
      if (next !== '\n') is += next
      at += 1
    } else if (quote === '"') {
      if (one === quote) quote = ''
      else is += one
    } else if (one === '\n') break
    else if (one === '"' || one === "'") quote = one
    else {
      is += one
      // Blanks at the end are none of the value's, unless they stand in quotes.
      if (/\s/.test(one)) continue
    }
    kept = is.length
  }
  return { is: is.slice(0, kept), length: at + 1 }
}
