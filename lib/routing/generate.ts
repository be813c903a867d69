import compare from 'semver/functions/compare.js'
import { InputError, type Mistake } from '../errors.ts'
import { matcherText } from './matcher.ts'
import { type SecretFile, toFiles } from './secret-files.ts'
import type { Notify, Team } from './team.ts'
import { RECEIVER_KINDS, type ReceiverKind } from './team-schema.ts'

/** A node of the routing tree as it stands in the configuration. */
export interface RouteConfig {
  readonly receiver?: string
  readonly matchers?: readonly string[]
  readonly match?: Readonly<Record<string, string>>
  readonly match_re?: Readonly<Record<string, string>>
  readonly continue?: boolean
  readonly group_by?: readonly string[]
  readonly mute_time_intervals?: readonly string[]
  readonly active_time_intervals?: readonly string[]
  readonly routes?: readonly RouteConfig[]
  readonly [field: string]: unknown
}
type Named = { readonly name: string; readonly [field: string]: unknown }

/** What teams add to an Alertmanager's configuration. */
export interface TeamConfig {
  readonly routes: readonly RouteConfig[]
  readonly receivers: readonly Named[]
  readonly timeIntervals: readonly Named[]
  readonly secretFiles: readonly SecretFile[]
}
interface Generating {
  /** The version that reads it. */
  readonly version: string
  /** The label that says whose an alert is. */
  readonly label: string
  /** Where files of secrets stand on the host; null: secrets stay in the configuration. */
  readonly secrets: string | null
}

/** The label of an alert that has been firing for too long. */
export const ESCALATED = 'escalated'

/**
 * One route for each team, keyed on the team's label, with a child for each severity or hours it tells apart: the tree is as deep for
 * one team as for thousands. The default team's route comes last and takes everything. Throws InputError where this version doesn't
 * know a kind of receiver.
 */
export const teamConfig = (teams: readonly Team[], how: Generating): TeamConfig => {
  blameUnknownKinds(teams, how.version)
  const built = teams.map((team) => receiversOf(team, how))
  return {
    routes: [...teams.filter(({ isDefault }) => !isDefault), ...teams.filter(({ isDefault }) => isDefault)].map(
      (team) => routeOf(team, how.label),
    ),
    receivers: built.flatMap(({ receivers }) => receivers),
    timeIntervals: teams.flatMap(({ name, times }) =>
      Object.entries(times).map(([own, intervals]) => ({ name: `${name}/${own}`, time_intervals: intervals })),
    ),
    secretFiles: built.flatMap(({ files }) => files),
  }
}

/** What a team's receivers are called in Alertmanager: `payments/pager`, `payments/chat+pager`. */
export const receiverName = (team: string, to: readonly string[]): string => `${team}/${[...to].sort().join('+')}`

const routeOf = (team: Team, label: string): RouteConfig => {
  const [first] = team.notify
  const { by, wait, interval, repeat } = team.grouping
  const children = childrenOf(team)
  return {
    ...leaf(team, first ?? { severities: [], to: [] }, { anytime: children.length > 0 }),
    ...(!team.isDefault && { matchers: [matcherText({ name: label, operator: '=', value: team.name })] }),
    ...(by && { group_by: by }),
    ...(wait && { group_wait: wait }),
    ...(interval && { group_interval: interval }),
    ...(repeat && { repeat_interval: repeat }),
    ...(children.length > 0 && { routes: children }),
  }
}

/** None where everything goes to one receiver. */
const childrenOf = (team: Team): readonly RouteConfig[] => {
  const { notify, escalation } = team
  const plain = notify.length === 1 && notify[0]?.hours === undefined
  const escalated = escalation && {
    ...leaf(team, { severities: [], to: escalation.to }),
    matchers: [matcherText({ name: ESCALATED, operator: '=', value: 'true' })],
  }
  return [
    ...(escalated ? [escalated] : []),
    ...(plain
      ? []
      : notify.map((one) => ({ ...leaf(team, one), ...severityMatchers(one.severities), continue: true }))),
  ]
}

const leaf = (team: Team, { to, hours }: Notify, { anytime = false } = {}): RouteConfig => ({
  receiver: receiverName(team.name, to),
  ...(team.mute.length > 0 && { mute_time_intervals: team.mute.map((name) => intervalName(team, name)) }),
  ...(hours !== undefined && !anytime && { active_time_intervals: [intervalName(team, hours)] }),
})

/** The team's own, or one of the operator's configuration. */
const intervalName = ({ name, times }: Team, interval: string): string =>
  interval in times ? `${name}/${interval}` : interval

const severityMatchers = (severities: readonly string[]): Pick<RouteConfig, 'matchers'> => {
  if (severities.length === 0) return {}
  const operator = severities.length === 1 ? '=' : '=~'
  return { matchers: [matcherText({ name: 'severity', operator, value: severities.join('|') })] }
}

const receiversOf = (
  team: Team,
  { version, secrets }: Generating,
): { readonly receivers: readonly Named[]; readonly files: readonly SecretFile[] } => {
  const used = [...team.notify.map(({ to }) => to), ...(team.escalation ? [team.escalation.to] : [])]
  const names = new Map(used.map((to) => [receiverName(team.name, to), [...to].sort()]))
  const files = new Map<string, SecretFile>()
  const receivers = [...names].map(([name, to]) => {
    const blocks = new Map<string, unknown[]>()
    for (const own of to) {
      for (const [kind, list] of Object.entries(team.receivers[own] ?? {}))
        for (const [at, written] of (list ?? []).entries()) {
          const prefix = [team.name, own, kind, at].join('.')
          const made =
            secrets === null
              ? { block: written, files: [] }
              : toFiles(written, { kind, version, folder: secrets, prefix })
          for (const file of made.files) files.set(file.name, file)
          blocks.set(kind, [...(blocks.get(kind) ?? []), made.block])
        }
    }
    return { name, ...Object.fromEntries(blocks) }
  })
  return { receivers, files: [...files.values()] }
}

const blameUnknownKinds = (teams: readonly Team[], version: string): void => {
  const mistakes: Mistake[] = []
  for (const team of teams)
    for (const [name, kinds] of Object.entries(team.receivers))
      for (const kind of Object.keys(kinds) as ReceiverKind[]) {
        const since = RECEIVER_KINDS[kind]
        if (since !== null && compare(version, since) < 0)
          mistakes.push({
            where: team.where(['receivers', name, kind]),
            path: `${team.name}.receivers.${name}.${kind}`,
            what: `Alertmanager ${version} does not know ${kind}; ${since} is the first that does`,
            fix: 'raise alertmanager.version, or choose another kind of receiver',
          })
      }
  if (mistakes.length > 0) throw new InputError(mistakes)
}
