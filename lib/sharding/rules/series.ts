import { type Matcher, meets } from '../../routing/matcher.ts'
import { allBut, has } from './label-set.ts'
import type { Rule } from './rule-file.ts'
import type { Sharding } from './sharding.ts'
import { EVERY, type Spread, type Value } from './value.ts'

/** What a selector can find. */
export interface Found {
  /** The rules whose series it can find. */
  readonly made: readonly Rule[]
  /** Whether it can find series of targets: a metric that a rule records is taken to be scraped nowhere. */
  readonly alsoScraped: boolean
}

const ALERTS = ['ALERTS', 'ALERTS_FOR_STATE']

/** Says of a selector's matchers what it can find among the series of these rules. */
export const readersOf = (rules: readonly Rule[]): ((matchers: readonly Matcher[]) => Found) => {
  const records = Map.groupBy(
    rules.filter(({ kind }) => kind === 'record'),
    ({ name }) => name,
  )
  const alerts = rules.filter(({ kind }) => kind === 'alert')
  return (matchers) => {
    const name = matchers.find((one) => one.name === '__name__' && one.operator === '=')?.value
    const some = name === undefined ? rules : ALERTS.includes(name) ? alerts : (records.get(name) ?? [])
    const made = some.filter((rule) =>
      namesOf(rule).some((one) => matchers.every((matcher) => may(rule, one, matcher))),
    )
    return { made, alsoScraped: name === undefined || made.length === 0 }
  }
}

const namesOf = ({ kind, name }: Rule): readonly string[] => (kind === 'record' ? [name] : ALERTS)

/** Whether a series of the rule can meet a matcher: false only where the rule itself says the label. */
const may = ({ kind, name, labels }: Rule, metric: string, matcher: Matcher): boolean => {
  const said = {
    ...labels,
    __name__: metric,
    ...(kind === 'alert' && { alertname: name }),
  }
  const value = said[matcher.name as keyof typeof said]
  if (value === undefined || (kind === 'alert' && value.includes('{{'))) return true
  return meets(said, matcher)
}

/** Where series of targets are that a selector finds. */
export const scraped = (matchers: readonly Matcher[], { doubts, everywhere, shared }: Sharding): Value => {
  const kept = allBut(...doubts.keys())
  const mayBe = (job: string) => !has(kept, 'job') || matchers.every((one) => one.name !== 'job' || meets({ job }, one))
  const beside = shared.filter(({ job }) => job === undefined || mayBe(job))
  const mixed = beside.length === 0 ? 'no' : beside.every(({ wholly }) => wholly) ? 'jobs' : 'any'
  const found = narrowed({ on: 'one', kept, fixed: new Map(), mixed }, matchers)
  return everywhere.has(found.fixed.get('job') ?? '') ? EVERY : found
}

/** Those that meet the matchers: what they say of a label that is still the target's own is so of all. */
export const narrowed = (of: Spread, matchers: readonly Matcher[]): Spread => {
  const said = matchers.filter(({ name, operator }) => operator === '=' && has(of.kept, name))
  return { ...of, fixed: new Map([...of.fixed, ...said.map(({ name, value }) => [name, value] as const)]) }
}
