/** Which programs run on a host that a role of ours could go on with, and what they were started with. */
import { isAbsolute, posix } from 'node:path'
import { RELEASES } from '../../lib/host-paths.ts'
import type { Exporter } from '../../lib/program/exporter.ts'
import { listed } from '../../lib/wording.ts'
import { catalogue } from '../../roles/exporters/catalogue.ts'
import { type CommandFlags, commandFlags } from './command-flags.ts'
import type { FoundFile, FoundProcess, Look } from './look.ts'
import { pathOnHost } from './mounts.ts'
import { startWords } from './unit-file.ts'

/** What can't be taken over, is not the same on all hosts, or is to be looked at. */
export interface Note {
  readonly kind: 'left' | 'differs' | 'look'
  readonly host: string
  /** `file:line` on that host, or what it is about. */
  readonly where: string
  readonly what: string
  readonly fix?: string
}
export type Told = Omit<Note, 'host'>

/** A program that is to be taken over. */
export interface Program {
  /** The role's name, or that of an exporter of the catalogue. */
  readonly name: string
  readonly exporter?: Exporter
  readonly version: string
  readonly look: Look
  readonly process: FoundProcess
  readonly flags: CommandFlags['flags']
}

const ROLES = ['prometheus', 'alertmanager', 'node_exporter']
/** What is taken over of containers: an exporter in one has been told of another file system than its own. */
const IN_CONTAINERS = ['prometheus', 'alertmanager']

/** The programs of a host, one for each role, and what is left as it is. */
export const programsOn = (look: Look): { readonly programs: readonly Program[]; readonly told: readonly Told[] } => {
  const told: Told[] = look.idle.map((unit) => ({
    kind: 'left',
    where: unit,
    what: 'nothing of this unit runs, so nothing of it is taken over',
  }))
  const found = look.processes.flatMap((process) => {
    const where = process.unit || `process ${process.pid}`
    const left = (what: string): readonly Program[] => {
      told.push({ kind: 'left', where, what })
      return []
    }
    const name = process.program?.name ?? posix.basename(process.executable)
    const inContainer = process.container !== ''
    if (inContainer && !(process.mounted && process.program && IN_CONTAINERS.includes(name)))
      return left(`${name} runs in a container (${process.container})`)
    if (!inContainer && process.unit === '') return left(`${name} is no service of systemd`)
    const exporter = catalogue.find(({ release }) => release.name === name || release.binaries[0] === name)
    if (!process.program)
      return exporter || /prometheus|alertmanager|exporter/.test(name)
        ? left(`${process.executable} doesn’t say by --version what it is, so it is left as it is`)
        : []
    if (!ROLES.includes(name) && !exporter) return left(`${name} is no exporter of the catalogue`)
    const { version } = process.program
    const { flags } = commandFlags(process.command)
    if (flags.has('agent') || flags.has('storage.agent.path') || flags.get('enable-feature')?.includes('agent'))
      return left('is a Prometheus in agent mode, whose settings (role prometheus-agent) are to be written by hand')
    return [{ name, exporter, version, look, process, flags }]
  })
  const programs = [...Map.groupBy(found, ({ name }) => name).values()].flatMap((same) => {
    const [first, ...others] = same.toSorted((one, other) => rank(one) - rank(other))
    for (const { name, process } of others)
      told.push({
        kind: 'left',
        where: process.unit,
        what: `is a second ${name} on this host; it is left as it is`,
        fix: `Go on with it by hand${name === 'prometheus' ? ', or write a host of the same address for it, with vestal: { instance: NAME }' : ''}: its unit, files and data are not touched.`,
      })
    return first ? [first] : []
  })
  const place = ({ name }: Program): number => (ROLES.includes(name) ? ROLES.indexOf(name) : ROLES.length)
  return {
    programs: programs.sort((one, other) => place(one) - place(other) || (one.name < other.name ? -1 : 1)),
    told: [
      ...told,
      ...programs.flatMap(startedOtherwise),
      ...programs.flatMap(runsOthers),
      ...programs.flatMap(leavesContainer),
    ],
  }
}

/** The one whose unit is called as ours is comes first, then the one that has run longest. */
const rank = ({ name, process }: Program): number =>
  (process.unit.replace('.service', '') === name ? 0 : 10_000_000) + process.pid

/** What runs counts, not what its unit would start. */
const startedOtherwise = ({ name, look, process }: Program): readonly Told[] => {
  const texts = textsOf(look, process.unit)
  const words = startWords({
    units: texts.units,
    environment: new Map(texts.environment.map(({ path, text }) => [path, text])),
  })
  if (words === undefined) return []
  const starter = posix.basename(words[0] ?? '')
  if (![process.executable, process.command[0] ?? ''].some((path) => posix.basename(path) === starter))
    return [
      {
        kind: 'look',
        where: texts.units[0]?.path ?? process.unit,
        what: `starts ${name} by ${words[0]}: the flags of the process are taken over, and nothing else that this does`,
      },
    ]
  const [now, then] = [process.command.slice(1), words.slice(1)]
  const differing = [
    ...now.filter((word) => !then.includes(word)),
    ...then.filter((word) => !now.includes(word)),
  ].filter((word) => word.startsWith('-'))
  if (differing.length === 0) return []
  return [
    {
      kind: 'look',
      where: texts.units[0]?.path ?? process.unit,
      what: `would start ${name} otherwise than it runs: ${differing.slice(0, 5).map(shortened).join(' ')}; what runs is taken over`,
    },
  ]
}

/** What ends with the unit when it is taken over. */
const runsOthers = ({ look, process }: Program): readonly Told[] => {
  const others = look.units.find(({ name }) => name === process.unit)?.others ?? []
  if (others.length === 0) return []
  return [
    {
      kind: 'look',
      where: process.unit,
      what: `also runs ${listed(others)}, which end with it when it is taken over`,
      fix: 'Give what is still needed a unit of its own before the first deploy.',
    },
  ]
}

/** A container is its engine's: whoever has put it there takes it away, right before the first deploy. */
const leavesContainer = ({ name, process }: Program): readonly Told[] => {
  if (!process.mounted) return []
  const where = process.unit
  const told: Told = {
    kind: 'left',
    where,
    what: `${name} runs in a container (${process.container}), which has its port and its data: it is for you to stop, and a deploy takes over what is mounted there from the host`,
    fix: `Stop it right before the deploy of this host (vestal deploy --limit), and take it out of what starts it again: its compose file, or ${/^(docker|podman) /.test(where) ? where.replace(' ', ' rm -f ') : 'its unit'}.`,
  }
  return process.mounted.network === 'host'
    ? [told]
    : [
        told,
        {
          kind: 'left',
          where,
          what: 'its network is the container’s own: names of other containers in its configuration, and published ports that are other than its own, mean nothing on the host',
          fix: 'Write addresses that the host reaches in their place, and the published port as listen.',
        },
      ]
}

/** A flag may have a secret in its value. */
const shortened = (word: string): string => word.replace(/=.*$/s, '=…')

/** The files that say how a unit is started. */
const textsOf = (look: Look, name: string) => {
  const unit = look.units.find((one) => one.name === name)
  const environment = new Set(
    (unit?.paths ?? []).filter((path) => path !== unit?.properties.FragmentPath && !path.endsWith('.conf')),
  )
  const files = (unit?.paths ?? []).flatMap((path) => {
    const text = look.files.get(path)?.text
    return text === undefined ? [] : [{ path, text }]
  })
  return {
    units: files.filter(({ path }) => !environment.has(path)),
    environment: files.filter(({ path }) => environment.has(path)),
  }
}

/** Where a flag is written, as `file:line`; the unit where it can't be told. The last that says it counts. */
export const placeOf = ({ look, process }: Program, flag: string): string => {
  const { units, environment } = textsOf(look, process.unit)
  const pattern = new RegExp(`(?:^|[\\s"'=])--?(?:no-)?${flag.replaceAll('.', '\\.')}(?=[\\s="'\\\\]|$)`)
  for (const { path, text } of [...units, ...environment].toReversed()) {
    const at = text.split('\n').findLastIndex((line) => !/^\s*[#;]/.test(line) && pattern.test(line))
    if (at >= 0) return `${path}:${at + 1}`
  }
  return units[0]?.path ?? process.unit
}

/** The value of a flag that was given once, or last; else what the program says that it takes without one. */
export const flagValue = ({ flags, process }: Program, ...names: readonly string[]): string | undefined => {
  const value = names.map((name) => flags.get(name)?.at(-1) ?? process.usual.get(name)).find((one) => one !== undefined)
  return typeof value === 'string' ? value : undefined
}

/** A path as the process means it. */
export const pathSeen = ({ process }: Program, path: string): string =>
  posix.normalize(isAbsolute(path) ? path : posix.join(process.folder, path)).replace(/(?<=.)\/$/, '')

/** Where that is on the host; the same where nothing of a container's is mounted from there. */
export const onHost = ({ process: { mounted } }: Program, path: string): string =>
  (mounted && pathOnHost(path, mounted)) ?? path

/** A path on the host of one that the process was given. */
export const pathOf = (program: Program, path: string): string => onHost(program, pathSeen(program, path))

/** The folder of its data on the host; undefined, and told, where it is of a container's own. */
export const dataFolder = (
  program: Program,
  flag: string,
): { readonly folder?: string; readonly told: readonly Told[] } => {
  const seen = pathSeen(program, flagValue(program, flag) ?? 'data')
  const { mounted, unit } = program.process
  if (!mounted || pathOnHost(seen, mounted) !== undefined) return { folder: onHost(program, seen), told: [] }
  const what = `its data, ${seen}, is in the container itself and goes with it: it is not taken over`
  return { told: [{ kind: 'left', where: unit, what, fix: 'Copy it out before the container is taken away.' }] }
}

/** The file that a flag names; undefined where it was not seen. */
export const fileOf = (program: Program, path: string): FoundFile | undefined => program.look.files.get(path)

/** A login within an address (RFC 3986, section 3.2.1). */
const LOGIN = /[a-z][a-z0-9+.-]*:\/\/[^/?#\s]*:[^/?#\s]*@/i

/** Whether a flag's value is nobody else's business. */
export const isSecretFlag = ({ exporter }: Program, name: string, value: string | boolean): boolean =>
  Object.hasOwn(exporter?.secretFlags ?? {}, name) || LOGIN.test(String(value))

/** Flags that no setting stands for. Those with a secret in them are left out, and told: everybody on the machine can read them. */
export const extraFlags = (
  program: Program,
  known: readonly string[],
): { readonly settings: Readonly<Record<string, unknown>>; readonly told: readonly Told[] } => {
  const extra = [...program.flags].filter(([name]) => !known.includes(name))
  const isSecret = ([name, values]: readonly [string, readonly (string | boolean)[]]): boolean =>
    values.some((value) => isSecretFlag(program, name, value))
  const flags = extra
    .filter((one) => !isSecret(one))
    .map(([name, values]) => [name, values.length === 1 ? (values[0] ?? true) : values.map(String)])
  return {
    settings: flags.length > 0 ? { extra_flags: Object.fromEntries(flags) } : {},
    told: extra.filter(isSecret).map(([name]) => ({
      kind: 'left',
      where: placeOf(program, name),
      what: `--${name} shows a secret to everybody on the machine, and is left out`,
      fix: program.exporter?.secretFlags?.[name] ?? 'Give it by the configuration, or by a file.',
    })),
  }
}

/** Units whose work ours goes on with: another than that of its name, and that too where another account has run it. */
export const replacesOf = (
  { process }: Program,
  { service, account }: { readonly service: string; readonly account: string },
): Readonly<Record<string, readonly string[]>> =>
  process.unit === `${service}.service` && process.user === account
    ? {}
    : // A container is stopped by whoever runs it; its data is another account's.
      { replaces: [process.mounted ? `${service}.service` : process.unit] }

/** Whether Vestal itself has deployed it. */
export const isOurs = ({ process }: Program): boolean => process.executable.startsWith(`${RELEASES}/`)

/** What is to be looked at of a program that Vestal itself has deployed. */
export const ownAlready = (program: Program): readonly Told[] =>
  isOurs(program) ? [{ kind: 'look', where: program.process.unit, what: 'Vestal has deployed it already' }] : []
