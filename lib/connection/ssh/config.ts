import { dirname, resolve } from 'node:path'
import type { Directive, Line, Section } from 'ssh-config'
import { homePath } from './paths.ts'
import { textOf } from './text-file.ts'

/** Settings by their names in ssh_config(5), lower-cased. */
export type Settings = Readonly<Record<string, string | readonly string[]>>
/** What the ssh configuration says of a host, by the name that ssh would be called with. */
export type Lookup = (name: string) => Settings

/**
 * Reads ssh's configuration, included files too. `Match exec` never matches: no command is run to learn a setting.
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
  for (const { file, text } of texts)
    config.push(
      ...included(parse(text), { parse, glob: (pattern) => globSync(pattern), folder: dirname(file), depth: 0 }),
    )
  const known = new Map<string, Settings>()
  return (name) => {
    const settings = known.get(name) ?? config.compute(name, { ignoreCase: true, matchExec: false })
    known.set(name, settings)
    return settings
  }
}

interface Reading {
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
      .flatMap((file) => included(reading.parse(textOf(file)), { ...reading, depth: reading.depth + 1 }))
  })

const isSection = (line: Line): line is Section => 'config' in line
const isInclude = (line: Line): line is Directive => 'param' in line && line.param.toLowerCase() === 'include'
const valuesOf = ({ value }: Directive): readonly string[] =>
  typeof value === 'string' ? value.split(/\s+/) : value.map(({ val }) => val)
