import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isMap } from 'yaml'
import { didYouMean } from '../inventory/did-you-mean.ts'
import { isFolder, readText } from '../inventory/files.ts'
import { collectMistakes, type Mistakes } from '../inventory/mistakes.ts'
import { placeOf } from '../inventory/schema/explain.ts'
import { startChecks } from '../inventory/schema/validate.ts'
import { readSecrets } from '../inventory/yaml/secrets.ts'
import { entriesOf, parseSource, positionOf } from '../inventory/yaml/source.ts'
import { isJinja } from '../inventory/yaml/templating.ts'
import { type Variable, variableReader } from '../inventory/yaml/variable.ts'
import { sealKnownSecrets } from '../known-secrets.ts'
import { type Labels, type Matcher, MatcherError, matcher } from './matcher.ts'
import { blameOverlaps } from './overlaps.ts'
import { parseMatchers } from './parse-matchers.ts'
import type { Notify, PlacedCase, Team, Teams } from './team.ts'
import { casesSchema, TEAM_NAME, type TeamFile, teamSchema } from './team-schema.ts'

interface LoadTeams {
  /** The label that says whose an alert is: claims cannot be made over it. */
  readonly label: string
  /** Time intervals that the operator's own configuration has. */
  readonly intervals: readonly string[]
  readonly env?: NodeJS.ProcessEnv
}

/**
 * Reads the teams of a folder: `*.yml`, `*.yaml` and `*.json`, in which teams stand by name; `*.test.yml` holds cases alone.
 * Throws one InputError with all mistakes, overlapping claims among them.
 */
export const loadTeams = (folder: string, { label, intervals, env = process.env }: LoadTeams): Teams => {
  const mistakes = collectMistakes()
  const teams = new Map<string, Team>()
  const cases: PlacedCase[] = []
  const checks = startChecks(mistakes)
  for (const { variable, onlyCases } of filesOf(folder, env, mistakes)) {
    const where = (path: readonly (string | number)[]): string => placeOf(variable, path)
    if (onlyCases) {
      const found = checks.parse(variable, casesSchema, isJinja)?.cases ?? []
      cases.push(...found.map((one, at) => ({ ...one, where: () => where(['cases', at]) })))
      continue
    }
    const { name } = variable
    const first = teams.get(name)
    if (first) mistakes.add(where([]), { path: name, what: `this team is already there: ${first.where([])}` })
    const written = checks.parse(variable, teamSchema, isJinja)
    if (!written) continue
    const team = teamOf({ name, written, where, label, mistakes })
    blameNames(team, written, { intervals, mistakes })
    teams.set(name, team)
    cases.push(...written.cases.map((one, at) => ({ ...one, where: () => where(['cases', at]) })))
  }
  const all = [...teams.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  blameDefaults(all, mistakes)
  blameOverlaps(all, mistakes)
  mistakes.throwAny()
  return { teams: all, cases }
}

/** Each team of each file, and each file of cases. */
const filesOf = function* (
  folder: string,
  env: NodeJS.ProcessEnv,
  mistakes: Mistakes,
): Generator<{ readonly variable: Variable; readonly onlyCases: boolean }> {
  if (!existsSync(folder) || !isFolder(folder)) {
    mistakes.add(folder, { what: 'there is no such folder of teams', fix: 'it is relative to the inventory' })
    return
  }
  const variable = variableReader(readSecrets(env, mistakes))
  for (const name of readdirSync(folder).sort()) {
    const file = join(folder, name)
    if (!/^[^.].*\.(?:ya?ml|json)$/.test(name) || isFolder(file)) continue
    const source = parseSource({ file, text: readText(file) }, mistakes)
    if (!source?.root) continue
    const { root } = source
    if (/\.test\.(?:ya?ml|json)$/.test(name)) {
      yield { variable: variable(source, { name, key: root, value: root }), onlyCases: true }
    } else if (isMap(root)) {
      for (const entry of entriesOf(source, root)) {
        if (TEAM_NAME.test(entry.name)) yield { variable: variable(source, entry), onlyCases: false }
        else
          mistakes.add(positionOf(source, entry.key), {
            what: `\`${entry.name}\` is no name for a team`,
            fix: 'a name has letters, digits, _, ., @ and -',
          })
      }
    } else mistakes.add(positionOf(source, root), { what: 'expected teams by name', fix: 'payments: { owns: [ … ] }' })
  }
}

interface Making {
  readonly name: string
  readonly written: TeamFile
  readonly where: Team['where']
  readonly label: string
  readonly mistakes: Mistakes
}

const teamOf = (making: Making): Team => {
  const { name, written, where } = making
  const receivers = sealKnownSecrets(written.receivers)
  return {
    name,
    isDefault: written.default,
    claims: written.owns.flatMap((claim, at) => {
      const matchers = matchersOf(making, claim, ['owns', at])
      return matchers ? [{ matchers, where: () => where(['owns', at]) }] : []
    }),
    receivers,
    notify: notifyOf(written),
    escalation: written.escalation && {
      after: written.escalation.after,
      severities: listOf(written.escalation.severity),
      to: listOf(written.escalation.to),
    },
    times: written.times,
    mute: written.mute,
    grouping: written.grouping,
    where,
  }
}

const notifyOf = ({ notify, receivers }: TeamFile): readonly Notify[] =>
  notify
    ? notify.map(({ severity, hours, to }) => ({ severities: listOf(severity), hours, to: listOf(to) }))
    : [{ severities: [], to: Object.keys(receivers).sort() }]

const listOf = (value: string | readonly string[] | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === 'string' ? [value] : value

/** undefined, and a mistake, where the claim can't be read. */
const matchersOf = (
  { name, label, where, mistakes }: Making,
  claim: string | Labels,
  path: readonly (string | number)[],
): readonly Matcher[] | undefined => {
  const blame = (what: string, fix?: string): undefined => {
    mistakes.add(where(path), { path: [name, ...path].join('.'), what, fix })
  }
  try {
    const matchers =
      typeof claim === 'string'
        ? parseMatchers(claim)
        : Object.entries(claim).map(([key, value]) => matcher(key, '=', value))
    if (matchers.length === 0) return blame('owns everything', 'use `default: true` for the team that gets the rest')
    if (matchers.some((one) => one.name === label))
      return blame(
        `the label \`${label}\` says whose an alert is and cannot be part of a claim`,
        `an alert that carries ${label}="${name}" is this team's without one`,
      )
    return matchers
  } catch (error) {
    if (!(error instanceof MatcherError)) throw error
    return blame(error.message, 'write matchers as in namespace="payments", cluster=~"eu-.*"')
  }
}

const blameNames = (
  team: Team,
  written: TeamFile,
  { intervals, mistakes }: { readonly intervals: readonly string[]; readonly mistakes: Mistakes },
): void => {
  const blame = (path: readonly (string | number)[], what: string, fix?: string): void =>
    mistakes.add(team.where(path), { path: [team.name, ...path].join('.'), what, fix })
  const receivers = Object.keys(team.receivers)
  if (receivers.length === 0) blame([], 'has no receiver: nobody would be told', 'give it one below `receivers`')
  const unknown = (names: readonly string[], path: readonly (string | number)[]): void => {
    for (const name of names)
      if (!receivers.includes(name) && receivers.length > 0)
        blame(path, `the team has no receiver called \`${name}\`${didYouMean(name, receivers)}`)
  }
  const known = [...Object.keys(team.times), ...intervals]
  const unknownTime = (name: string, path: readonly (string | number)[]): void => {
    if (!known.includes(name))
      blame(path, `no time interval is called \`${name}\`${didYouMean(name, known)}`, 'add it below `times`')
  }
  for (const [at, { to, hours }] of (written.notify ?? []).entries()) {
    unknown(listOf(to), ['notify', at, 'to'])
    if (hours !== undefined) unknownTime(hours, ['notify', at, 'hours'])
  }
  if (written.escalation) unknown(listOf(written.escalation.to), ['escalation', 'to'])
  for (const [at, name] of written.mute.entries()) unknownTime(name, ['mute', at])
}

const blameDefaults = (teams: readonly Team[], mistakes: Mistakes): void => {
  const [first, ...others] = teams.filter(({ isDefault }) => isDefault)
  for (const other of others)
    mistakes.add(other.where(['default']), {
      path: `${other.name}.default`,
      what: `${first?.name} is the default team already: ${first?.where(['default'])}`,
      fix: 'keep one',
    })
}
