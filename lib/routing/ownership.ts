/** Ownership as alert relabelling: what puts the team's name on an alert before any Alertmanager sees it. */
import type { Labels, Matcher } from './matcher.ts'
import { type RelabelStep, relabel } from './relabel.ts'
import type { Claim, Team } from './team.ts'

/** Between the values of several labels: in no value of a label. */
const SEPARATOR = '\x01'
const REFUSED = '__vestal_refused'
const HELD = '__vestal_held'

/**
 * The relabelling steps that give each alert its team, at most one for each shape of claim that a team has. An alert that carries the
 * label already keeps it; one that no team owns gets none.
 */
export const ownershipSteps = (teams: readonly Team[], label: string): readonly RelabelStep[] =>
  teams.flatMap((team) => {
    const [simple, others] = split(team.claims)
    const shapes = Map.groupBy(simple, ({ matchers }) => namesOf(matchers).join(SEPARATOR))
    return [
      ...[...shapes.values()].map((claims) => grantStep(team.name, claims, label)),
      ...others.flatMap((claim) => refusingSteps(team.name, claim, label)),
    ]
  })

/** An alert as Alertmanager sees it. */
export const withOwner = (labels: Labels, steps: readonly RelabelStep[]): Labels => relabel(labels, steps, true) ?? {}

const split = (claims: readonly Claim[]): readonly [readonly Claim[], readonly Claim[]] => {
  const simple = ({ matchers }: Claim): boolean =>
    matchers.every(({ operator }) => !operator.startsWith('!')) && new Set(namesOf(matchers)).size === matchers.length
  return [claims.filter(simple), claims.filter((claim) => !simple(claim))]
}

const namesOf = (matchers: readonly Matcher[]): readonly string[] => matchers.map(({ name }) => name).sort()

const grantStep = (team: string, claims: readonly Claim[], label: string): RelabelStep => {
  const names = namesOf(claims[0]?.matchers ?? [])
  const separator = names.length > 1 ? SEPARATOR : ';'
  const written = separator === SEPARATOR ? '\\x01' : separator
  const choices = claims.map(({ matchers }) =>
    names.map((name) => expressionOf(matchers.find((one) => one.name === name))).join(written),
  )
  return {
    source_labels: [label, ...names],
    ...(separator !== ';' && { separator }),
    regex: written + (choices.length > 1 ? `(?:${choices.join('|')})` : choices.join('')),
    target_label: label,
    replacement: team,
  }
}

/** Relabelling knows no "does not match": what must not match leaves a mark first, and a marked alert is not granted. */
const refusingSteps = (team: string, { matchers }: Claim, label: string): readonly RelabelStep[] => {
  const positive = matchers.filter(({ operator }) => !operator.startsWith('!'))
  const kept = firstOfEach(positive)
  const marks = [
    ...matchers.filter(({ operator }) => operator.startsWith('!')).map((one) => markStep(one, REFUSED)),
    ...positive.filter((one) => !kept.includes(one)).flatMap(secondCondition),
  ]
  const names = namesOf(kept)
  return [
    ...marks,
    {
      source_labels: [label, REFUSED, ...names],
      separator: SEPARATOR,
      regex: `\\x01${names.map((name) => `\\x01${expressionOf(kept.find((one) => one.name === name))}`).join('')}`,
      target_label: label,
      replacement: team,
    },
    { target_label: REFUSED, replacement: '' },
  ]
}

const firstOfEach = (matchers: readonly Matcher[]): readonly Matcher[] =>
  matchers.filter((one, at) => matchers.findIndex(({ name }) => name === one.name) === at)

const markStep = (one: Matcher, mark: string): RelabelStep => ({
  source_labels: [one.name],
  regex: expressionOf(one),
  target_label: mark,
  replacement: '1',
})

/** A second condition on a label that has one already: refused unless it holds. */
const secondCondition = (one: Matcher): readonly RelabelStep[] => [
  markStep(one, HELD),
  { source_labels: [HELD], regex: '', target_label: REFUSED, replacement: '1' },
  { target_label: HELD, replacement: '' },
]

const expressionOf = (one: Matcher | undefined): string => {
  if (!one) return ''
  return one.operator.endsWith('~') ? `(?:${one.value})` : one.value.replaceAll(/[\\.+*?()|[\]{}^$]/g, '\\$&')
}
