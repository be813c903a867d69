import { dirname, resolve } from 'node:path'
import type { Directive, Line, Section } from 'ssh-config'
import { homePath } from './paths.ts'
import { textOf } from './text-file.ts'

/** Settings by their names in ssh_config(5), lower-cased. */
export type Settings = Readonly<Record<string, string | readonly string[]>>
/** What the ssh configuration says of a host, by the name that ssh would be called with. */
export interface Lookup {
  (name: string): Settings
  /** `file:line` where a setting has this value; null where that can't be told. */
  readonly whereIs?: (setting: string, value: string) => string | null
  /** A `Match` that only OpenSSH can decide, with its place: `Match exec (file:line)`. */
  readonly undecided?: string
}

/**
 * Reads ssh's configuration, included files too. Sections whose `Match` needs more than names, such as `exec`, match nothing here and are told as `undecided`.
 * The files may be missing, unless the operator names
 * one in their place; `none` names none. Throws FileError.
 */
export const readSshConfig = async (named?: string): Promise<Lookup> => {
  if (named === 'none') return () => ({})
  const files = named ? [homePath(named)] : [homePath('~/.ssh/config'), '/etc/ssh/ssh_config']
  const texts = files
    .map((file) => ({ file, text: textOf(file, { required: named !== undefined }) }))
    .filter(({ text }) => text)
  if (texts.length === 0) return () => ({})
  const [{ default: SSHConfig }, { globSync }] = await Promise.all([import('ssh-config'), import('glob')])
  const parse = (text: string): readonly Line[] => SSHConfig.parse(text)
  const config = new SSHConfig()
  const read: Text[] = [...texts]
  for (const { file, text } of texts)
    config.push(
      ...included(parse(text), { parse, glob: (pattern) => globSync(pattern), folder: dirname(file), depth: 0, read }),
    )
  const known = new Map<string, Settings>()
  const lookup = (name: string): Settings => {
    const settings = known.get(name) ?? config.compute(name, { ignoreCase: true, matchExec: false })
    known.set(name, settings)
    return settings
  }
  return Object.assign(lookup, {
    whereIs: (setting: string, value: string) => placeOf(read, setting, value),
    undecided: undecidedIn(read),
  })
}

/** Criteria of ssh_config(5)'s Match besides names. */
const UNDECIDED = /\s(exec|localnetwork|tagged|sessiontype|version|command|canonical|![a-z]+)(?=[\s=]|$)/i
const undecidedIn = (texts: readonly Text[]): string | undefined => {
  for (const { file, text } of texts)
    for (const [index, line] of text.split('\n').entries()) {
      const criterion = /^\s*match\b/i.test(line) ? UNDECIDED.exec(line)?.[1] : undefined
      if (criterion) return `Match ${criterion.toLowerCase()} (${file}:${index + 1})`
    }
  return undefined
}

interface Text {
  readonly file: string
  readonly text: string
}

/** ssh-config keeps no line numbers: the first line that says so. */
const placeOf = (texts: readonly Text[], setting: string, value: string): string | null => {
  const plain = (text: string): string =>
    text
      .replaceAll(/[\s"=]+/g, ' ')
      .trim()
      .toLowerCase()
  for (const { file, text } of texts) {
    const at = text.split('\n').findIndex((line) => plain(line) === plain(`${setting} ${value}`))
    if (at >= 0) return `${file}:${at + 1}`
  }
  return null
}

interface Reading {
  /** All texts that were read, in which included ones are put down. */
  readonly read: Text[]
  readonly parse: (text: string) => readonly Line[]
  /** The paths that a pattern stands for. */
  readonly glob: (pattern: string) => readonly string[]
  /** Where relative paths start: ~/.ssh or /etc/ssh. */
  readonly folder: string
  readonly depth: number
}

/** ssh_config(5) allows 16 levels. Sections of a file that is included from within a section are left out. */
const included = (lines: readonly Line[], reading: Reading): readonly Line[] =>
  lines.flatMap((line) => {
    if (isSection(line)) {
      const inner = included(line.config, reading).filter((one) => !isSection(one))
      line.config.splice(0, line.config.length, ...inner)
      return [line]
    }
    if (!isInclude(line) || reading.depth >= 16) return [line]
    return valuesOf(line)
      .flatMap((pattern) => [...reading.glob(resolve(reading.folder, homePath(pattern)))].sort())
      .flatMap((file) => {
        const text = textOf(file)
        reading.read.push({ file, text })
        return included(reading.parse(text), { ...reading, depth: reading.depth + 1 })
      })
  })

const isSection = (line: Line): line is Section => 'config' in line
const isInclude = (line: Line): line is Directive => 'param' in line && line.param.toLowerCase() === 'include'
const valuesOf = ({ value }: Directive): readonly string[] =>
  typeof value === 'string' ? value.split(/\s+/) : value.map(({ val }) => val)
