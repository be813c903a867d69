import compare from 'semver/functions/compare.js'

/**
 * Flags of a program that not every version has, by name without dashes: from its changelog and its `main.go` at each tag; a test compares
 * these tables with real binaries. A flag that isn't listed is taken as known: the unit's own check against the staged binary catches the rest.
 */
export type FlagVersions = Readonly<Record<string, Life>>
interface Life {
  /** The first version that has the flag; left out: older than any version that Vestal deploys. */
  readonly since?: string
  /** The first version that no longer has it. */
  readonly until?: string
}

/** Whether this version of a program has the flag (its name without dashes). */
export const knowsFlag = (flags: FlagVersions, version: string, flag: string): boolean => {
  const { since, until } = flags[flag] ?? {}
  return (!since || compare(version, since) >= 0) && (!until || compare(version, until) < 0)
}
