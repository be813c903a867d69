import compare from 'semver/functions/compare.js'
import { currentOf } from '../../lib/host-paths.ts'
import { releaseBinary } from '../../lib/kinds/release.ts'
import type { Exporter } from '../../lib/program/exporter.ts'
import { type FlagVersions, knowsFlag } from '../../lib/program/flag-versions.ts'
import { type Flags, flagNames, flagWords } from '../../lib/program/flags.ts'
import { onPath } from '../../lib/program/release.ts'
import type { Settings } from './entries.ts'

/** How an exporter is started, and by which file of the host. */
export interface Command {
  readonly words: readonly string[]
  /** The file itself, links resolved. */
  readonly executable: string
  /** The names of its flags, as its help shows them. */
  readonly flags: readonly string[]
}
/** The files that it is given. */
export interface Given {
  readonly config?: string
  readonly webConfig?: string
}

/** The command line of an exporter with these settings. */
export const commandOf = (exporter: Exporter, vars: Settings, { config, webConfig }: Given): Command => {
  const { listenFlag = 'web.listen-address', webConfigFlag = 'web.config.file' } = exporter
  const flags: Flags = {
    ...(!exporter.listenEnvironment && { [flagFor(exporter, vars, listenFlag)]: vars.listen }),
    ...(webConfigFlag !== null && { [flagFor(exporter, vars, webConfigFlag)]: webConfig }),
    ...(exporter.config && { [exporter.config.flag]: config }),
    ...exporter.flags,
    ...vars.extra_flags,
  }
  return {
    words: [startedAs(exporter, vars), ...flagWords(hasGoFlags(exporter, vars) ? inGo(flags) : flags)],
    executable: executableOf(exporter, vars),
    flags: flagNames(flags),
  }
}

/** The binary that runs, on the host. */
export const executableOf = ({ release, package: distributed }: Exporter, { source, version }: Settings): string =>
  source === 'package'
    ? (distributed?.binary ?? '')
    : releaseBinary(release.name, version ?? '', release.binaries[0] ?? release.name)

/** Its path in the unit, which stays the same from version to version. */
const startedAs = (exporter: Exporter, vars: Settings): string =>
  vars.source === 'package'
    ? executableOf(exporter, vars)
    : onPath(exporter.release.binaries[0] ?? exporter.release.name)

/** The first of some flags that the version has; where it isn't known, that of the newest. */
export const flagFor = (
  { flagVersions = {} }: Pick<Exporter, 'flagVersions'>,
  { version }: Pick<Settings, 'version'>,
  flags: string | readonly string[],
): string => {
  const all = [flags].flat()
  return all.find((flag) => isKnown(flagVersions, version, flag)) ?? all[0] ?? ''
}

/** Whether a version has a flag; without a version, whether the newest has it. */
export const isKnown = (flags: FlagVersions, version: string | undefined, flag: string): boolean =>
  version === undefined ? flags[flag]?.until === undefined : knowsFlag(flags, version, flag)

const hasGoFlags = ({ goFlags }: Exporter, { version }: Settings): boolean =>
  goFlags === true || (goFlags !== undefined && version !== undefined && compare(version, goFlags.until) < 0)

/** Go's own flags have no `--no-flag`. */
const inGo = (flags: Flags): Flags =>
  Object.fromEntries(Object.entries(flags).map(([name, value]) => [name, value === false ? 'false' : value]))

/** The link to the current version of its release. */
export const currentLink = ({ release }: Exporter): string => `symlink ${currentOf(release.name)}`
