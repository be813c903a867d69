import type { Mistake } from '../errors.ts'
import { type Labels, MatcherError } from './matcher.ts'
import { withOwner } from './ownership.ts'
import { RegexError } from './regex/regex-error.ts'
import type { RelabelStep } from './relabel.ts'
import type { Router, Told } from './routes.ts'
import type { PlacedCase } from './team.ts'

/** Who is notified of an alert, and why. */
export interface Answer {
  /** As Alertmanager sees it. */
  readonly labels: Labels
  /** Whose it is; null where nobody owns it. */
  readonly team: string | null
  readonly told: readonly Told[]
  readonly inhibited: boolean
}
/** What answers. */
export interface Routing {
  readonly router: Router
  /** What relabelling does to an alert on its way to Alertmanager. */
  readonly steps: readonly RelabelStep[]
  readonly label: string
}
export interface CaseResult {
  readonly case: PlacedCase
  readonly answer: Answer
  /** In what it differs from what the case says; none where it passes. */
  readonly differences: readonly string[]
}

/** Who is notified of an alert with these labels. */
export const answerTo = (
  { router, steps, label }: Routing,
  { alert, at, others = [] }: { alert: Labels; at?: Date; others?: readonly Labels[] },
): Answer => {
  const labels = withOwner(alert, steps)
  const firing = others.map((other) => withOwner(other, steps))
  return {
    labels,
    team: labels[label] ?? null,
    told: router.route(labels, at),
    inhibited: router.inhibited(labels, firing),
  }
}

export const runCase = (routing: Routing, one: PlacedCase): CaseResult => {
  const at = one.at === undefined ? undefined : new Date(one.at)
  const answer = answerTo(routing, { alert: one.alert, at, others: one.with })
  return { case: one, answer, differences: differencesOf(one, answer) }
}

/** The cases that fail, as mistakes at the places where they were written. */
export const failedCases = (routing: Routing, cases: readonly PlacedCase[]): readonly Mistake[] =>
  cases.flatMap((one) => {
    try {
      const { differences } = runCase(routing, one)
      return differences.length === 0
        ? []
        : [{ where: one.where(), path: titleOf(one), what: differences.join('; '), fix: FIX }]
    } catch (error) {
      if (!(error instanceof RegexError || error instanceof MatcherError)) throw error
      return [{ where: one.where(), path: titleOf(one), what: `cannot be followed: ${error.message}` }]
    }
  })

/** What a case is called: its name, or its labels. */
export const titleOf = ({ name, alert }: PlacedCase): string => name ?? labelsText(alert)

export const labelsText = (labels: Labels): string =>
  `{${Object.entries(labels)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(', ')}}`

const FIX = 'correct the teams, or the case; `vestal routes show` says who is notified of an alert and why'

const differencesOf = (one: PlacedCase, { team, told, inhibited }: Answer): readonly string[] => {
  const receivers = told.map(({ receiver }) => receiver)
  const muted = told.filter(({ mutedBy }) => mutedBy.length > 0).map(({ receiver }) => receiver)
  const groupings = [...new Set(told.map(({ groupBy }) => listed(groupBy)))]
  return [
    ...(one.team !== undefined && one.team !== team
      ? [`is owned by ${team ?? 'no team'}, not ${one.team ?? 'none'}`]
      : []),
    ...differs('notifies', receivers, one.receivers),
    ...differs('is muted for', muted, one.muted),
    ...(one.group_by && (groupings.length !== 1 || groupings[0] !== listed(one.group_by))
      ? [`is grouped by ${groupings.join(' and by ')}, not ${listed(one.group_by)}`]
      : []),
    ...(one.inhibited !== undefined && one.inhibited !== inhibited
      ? [inhibited ? 'is inhibited' : 'is not inhibited']
      : []),
  ]
}

const differs = (what: string, got: readonly string[], wanted: readonly string[] | undefined): readonly string[] =>
  wanted && listed(got) !== listed(wanted) ? [`${what} ${listed(got)}, not ${listed(wanted)}`] : []

const listed = (names: readonly string[]): string => [...names].sort().join(', ') || 'nobody'
