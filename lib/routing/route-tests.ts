/** An alert for each receiver of a routing tree, with which to see whether it works. Pure. */
import type { RouteConfig } from './generate.ts'
import { type Labels, type Matcher, meets } from './matcher.ts'
import type { Parser } from './parse-matchers.ts'
import { conditions, type Router } from './routes.ts'

/** What a test alert has beside what its route asks for. */
export const TEST_LABEL = { name: 'vestal', value: 'route-test' } as const
export const TEST_ALERT = 'VestalRouteTest'

export interface RouteTest {
  readonly receiver: string
  /** The kinds that notify for it, one entry for each: `webhook`, `webhook`, `email`. */
  readonly integrations: readonly string[]
  readonly labels: Labels
  /** How long a group of its route waits for others, and how soon one that is there already is looked at again: `30s`, `5m`. */
  readonly wait: string
  readonly interval: string
  /** Everybody who is told of it: others may be beside. */
  readonly told: readonly string[]
}
/** Why a receiver is not tried. */
export interface NotTried {
  readonly receiver: string
  readonly why: string
}

interface Wanted {
  readonly route: RouteConfig
  readonly receivers: readonly Readonly<Record<string, unknown>>[]
  readonly router: Router
  readonly parse: Parser
  /** Labels of alerts that are known to be somebody's, such as those of the teams' cases. */
  readonly known: readonly Labels[]
  readonly at: Date
  /** Receivers that are left alone. */
  readonly leave: (receiver: string) => boolean
}

/**
 * A test for each receiver that some route leads to and that notifies by anything. Labels follow from the conditions on the way; where another route
 * takes such an alert, from the alerts that are known. Throws MatcherError where a matcher is none.
 */
export const routeTests = (
  wanted: Wanted,
): { readonly tests: readonly RouteTest[]; readonly not: readonly NotTried[] } => {
  const candidates = candidatesOf(wanted.route, { parse: wanted.parse, above: [], receiver: '' })
  const named = [...new Set(candidates.map(({ receiver }) => receiver))].filter(
    (receiver) => receiver !== '' && !wanted.leave(receiver),
  )
  const found = named.map((receiver) => testOf(receiver, candidates, wanted))
  return {
    tests: found.filter((one): one is RouteTest => 'labels' in one),
    not: found.filter((one): one is NotTried => 'why' in one),
  }
}

const testOf = (receiver: string, candidates: readonly Candidate[], wanted: Wanted): RouteTest | NotTried => {
  const { receivers, router, known, at } = wanted
  const config = receivers.find(({ name }) => name === receiver) ?? {}
  const integrations = Object.entries(config).flatMap(([key, value]) =>
    key.endsWith('_configs') && Array.isArray(value) ? value.map(() => key.slice(0, -'_configs'.length)) : [],
  )
  if (integrations.length === 0) return { receiver, why: 'it notifies by nothing' }
  const own = candidates.filter((one) => one.receiver === receiver).flatMap(({ labels }) => (labels ? [labels] : []))
  const tried: readonly Labels[] = [...own, ...known]
  let muted: string | undefined
  for (const some of tried) {
    const labels = { alertname: TEST_ALERT, ...some, [TEST_LABEL.name]: TEST_LABEL.value }
    const told = router.route(labels, at)
    const index = told.findIndex((one) => one.receiver === receiver)
    const mine = told[index]
    if (!mine) continue
    if (mine.mutedBy.length > 0) {
      muted = mine.mutedBy.join(', ')
      continue
    }
    const { wait = '30s', interval = '5m' } = router.pace(labels)[index] ?? {}
    return { receiver, integrations, labels, wait, interval, told: told.map((one) => one.receiver) }
  }
  return {
    receiver,
    why:
      muted === undefined
        ? 'no labels could be found that lead to it; a case of its team would'
        : `it is muted at this time (${muted})`,
  }
}

interface Candidate {
  readonly receiver: string
  /** null where the conditions could not be met. */
  readonly labels: Labels | null
}

/** Of each node of the tree, its receiver and labels that meet all conditions on the way to it. */
const candidatesOf = (
  route: RouteConfig,
  {
    parse,
    above,
    receiver: inherited,
  }: { readonly parse: Parser; readonly above: readonly Matcher[]; readonly receiver: string },
): readonly Candidate[] => {
  const receiver = route.receiver || inherited
  const matchers = [...above, ...conditions(route, parse)]
  return [
    { receiver, labels: labelsFor(matchers) },
    ...(route.routes ?? []).flatMap((child) => candidatesOf(child, { parse, above: matchers, receiver })),
  ]
}

/** Labels that meet all of these conditions; null where none were found. */
const labelsFor = (matchers: readonly Matcher[]): Labels | null => {
  const labels: Record<string, string> = {}
  for (const { name, operator, value } of matchers) {
    if (operator === '=' && value !== '') labels[name] = value
    if (operator === '=~' && labels[name] === undefined) {
      const sample = samplesOf(value).find((one) => meets({ [name]: one }, { name, operator, value }))
      if (sample !== undefined) labels[name] = sample
    }
  }
  for (const one of matchers) if (!meets(labels, one) && labels[one.name] === undefined) labels[one.name] = 'vestal'
  return matchers.every((one) => meets(labels, one)) ? labels : null
}

/** Texts that a pattern may match: its plain alternatives, and it with what repeats left out or once. */
const samplesOf = (pattern: string): readonly string[] => {
  const open = pattern.replace(/^\^?(?:\((?:\?:)?)?/, '').replace(/\)?\$?$/, '')
  return [...open.split('|'), ...pattern.split('|')].flatMap((one) => [
    one.replaceAll(/\.[*+]\??/g, 'x').replaceAll('\\', ''),
    one.replaceAll(/\.[*+]\??/g, ''),
    one,
    one.replaceAll(/\[[^\]]*\][*+]?/g, '1').replaceAll('\\d+', '1'),
  ])
}
