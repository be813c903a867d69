import { InputError } from '../../../lib/errors.ts'
import { print } from '../../../lib/report/print.ts'
import { answerTo, labelsText } from '../../../lib/routing/cases.ts'
import { type Labels, MatcherError } from '../../../lib/routing/matcher.ts'
import { parseMatchers } from '../../../lib/routing/parse-matchers.ts'
import type { TeamRouting } from '../../../roles/alertmanager/teams.ts'
import type { RoutesFlags } from './flags.ts'

/** Says who is notified of an alert with these labels, why, and when. Throws InputError where the labels are none. */
export const show = (routing: TeamRouting, flags: Pick<RoutesFlags, 'labels' | 'at' | 'json'>): number => {
  const at = timeOf(flags.at)
  const answer = answerTo(routing, { alert: labelsOf(flags.labels), at })
  if (flags.json) {
    print(JSON.stringify({ vestal: 'routes-show/1', ...answer }, null, 2))
    return 0
  }
  const { labels, team, told } = answer
  const lines = [
    `${labelsText(labels)}`,
    team === null ? 'No team owns it.' : `It is ${team}'s.`,
    ...told.flatMap(({ receiver, way, groupBy, mutedBy }) => [
      `${receiver}${mutedBy.length > 0 ? `, but not at this time (${mutedBy.join(', ')})` : ''}`,
      `  because ${way.length > 0 ? way.join(' > ') : 'no route takes it: the root of the tree does'}`,
      `  grouped by ${groupBy.length > 0 ? groupBy.join(', ') : 'nothing: all alerts of this route together'}`,
    ]),
  ]
  print(lines.join('\n'))
  return 0
}

const labelsOf = (text: string | undefined): Labels => {
  const wrong = (what: string) =>
    new InputError([{ where: 'LABELS', what, fix: "write them as in 'namespace=payments,severity=critical'" }])
  if (text === undefined) throw wrong("an alert's labels are missing")
  try {
    const matchers = parseMatchers(text)
    const odd = matchers.find(({ operator }) => operator !== '=')
    if (odd) throw wrong(`${odd.name}${odd.operator} is a condition, not a label`)
    return Object.fromEntries(matchers.map(({ name, value }) => [name, value]))
  } catch (error) {
    if (error instanceof MatcherError) throw wrong(error.message)
    throw error
  }
}

const timeOf = (text: string | undefined): Date => {
  const time = text === undefined ? new Date() : new Date(text)
  if (!Number.isNaN(time.getTime())) return time
  throw new InputError([{ where: '--at', what: `${text} is no time`, fix: 'write one as in 2026-01-05T10:00:00Z' }])
}
