import { ESCALATED } from './generate.ts'
import { isClassicName, type Labels, type Matcher, meets } from './matcher.ts'
import type { RelabelStep } from './relabel.ts'
import type { Claim, Team } from './team.ts'

/** The name that an escalated alert had, until relabelling gives it back. */
const NAME_BEFORE = 'escalated_alertname'

/**
 * Rules that follow from the teams: `vestal_team_owner` for joins, and alerts that escalate. `external`: the labels that Prometheus adds
 * to alerts, which its own series don't have. Empty where there is nothing to say.
 */
export const teamRules = (
  teams: readonly Team[],
  { label, external }: { readonly label: string; readonly external: Labels },
): string => {
  const rules = [
    ...teams.flatMap(({ name, claims }) => claims.flatMap((claim) => ownerRule(name, claim, label))),
    ...teams.flatMap((team) => escalationRule(team, label, external)),
  ]
  // JSON is YAML, and printed at once where there are thousands.
  return rules.length === 0
    ? ''
    : `groups:\n  - name: vestal-teams\n    interval: 1m\n    rules:\n${rules.map((rule) => `      - ${JSON.stringify(rule)}\n`).join('')}`
}

/** Gives escalated alerts the name that they had. */
export const escalationSteps = (teams: readonly Team[]): readonly RelabelStep[] =>
  teams.some(({ escalation }) => escalation)
    ? [
        { source_labels: [NAME_BEFORE], regex: '(.+)', target_label: 'alertname' },
        { action: 'labeldrop', regex: NAME_BEFORE },
      ]
    : []

/** None for a claim that is more than a list of values: it has no end of label sets. */
const ownerRule = (team: string, { matchers }: Claim, label: string): readonly object[] => {
  const plain = matchers.every(({ name, operator, value }) => operator === '=' && isClassicName(name) && value !== '')
  return plain
    ? [
        {
          record: 'vestal_team_owner',
          expr: 'vector(1)',
          labels: { [label]: team, ...Object.fromEntries(matchers.map(({ name, value }) => [name, value])) },
        },
      ]
    : []
}

const escalationRule = (team: Team, label: string, external: Labels): readonly object[] => {
  const { escalation } = team
  if (!escalation) return []
  const common: readonly Matcher[] = [
    { name: 'alertstate', operator: '=', value: 'firing' },
    { name: ESCALATED, operator: '=', value: '' },
    { name: 'severity', operator: '=~', value: escalation.severities.join('|') },
  ]
  const own = team.claims
    .map(({ matchers }) => matchers)
    .filter((matchers) => matchers.every((one) => !(one.name in external) || meets(external, one)))
    .map((matchers) => [
      ...common,
      { name: label, operator: '=' as const, value: '' },
      ...matchers.filter(({ name }) => !(name in external)),
    ])
  const selectors = [[...common, { name: label, operator: '=' as const, value: team.name }], ...own].map(selector)
  return [
    {
      alert: 'Escalated',
      expr: `max without (alertstate) (${selectors.join(' or ')})`,
      for: escalation.after,
      labels: { [ESCALATED]: 'true', [NAME_BEFORE]: '{{ $labels.alertname }}' },
      annotations: {
        summary: `{{ $labels.alertname }} of team ${team.name} has been firing for ${escalation.after}.`,
      },
    },
  ]
}

const selector = (matchers: readonly Matcher[]): string =>
  `ALERTS{${matchers
    .map(
      ({ name, operator, value }) =>
        `${isClassicName(name) ? name : JSON.stringify(name)}${operator}${JSON.stringify(value)}`,
    )
    .join(',')}}`
