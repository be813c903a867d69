import { listed } from '../../wording.ts'
import { type Selector, spreadOf } from './judge.ts'
import { ALL, both, type LabelSet, minus, only } from './label-set.ts'
import { PromqlError, parsePromql } from './promql.ts'
import type { Rule } from './rule-file.ts'
import { narrowed, readersOf, scraped } from './series.ts'
import { type Sharding, TARGET } from './sharding.ts'
import { templateDoubts } from './templates.ts'
import { type Condition, EVERY, either, known, type Spread, sameShard, type Value } from './value.ts'

/** What comes of a rule when each shard evaluates it alone. */
export interface Verdict {
  readonly rule: Rule
  /** The shards together give the series and alerts that one server with all data would, each from the same shard at all times. */
  readonly safe: boolean
  /** Where it is evaluated: what is safe on every shard, and what is wanted there all the same. */
  readonly place: 'shard' | 'global'
  /** Why it isn't safe; none where it is. */
  readonly reasons: readonly Reason[]
  /** It is safe where targets are hashed by one or more of these, as labels that the targets have, and by no other. */
  readonly help: LabelSet
}
export interface Reason {
  /** `file:line:col` of the part of the expression. */
  readonly where: string
  readonly what: string
}

/**
 * Judges all rules of a fleet together, as one may read what another one records. Pure; in the order in which they were given. `said`: where a
 * rule is evaluated whatever its verdict is, as on each shard what is about the server itself.
 */
export const lintRules = (
  rules: readonly Rule[],
  sharding: Sharding,
  said: (rule: Rule) => Verdict['place'] | undefined = () => undefined,
): readonly Verdict[] => {
  const find = readersOf(rules)
  const judged = new Map<Rule, Judged>()
  const open = new Set<Rule>()
  const judge = (rule: Rule): Judged => {
    const before = judged.get(rule)
    if (before) return before
    if (open.has(rule)) return circular(rule)
    open.add(rule)
    const now = elsewhere(judgeRule(rule, { sharding, find, judge }), said(rule))
    open.delete(rule)
    judged.set(rule, now)
    return now
  }
  return rules.map((rule) => {
    const { verdict } = judge(rule)
    return { ...verdict, place: said(rule) ?? (verdict.safe ? 'shard' : 'global') }
  })
}

/** What is evaluated over all shards is on none of them: whoever reads it can't be either. */
const elsewhere = ({ verdict, value }: Judged, place: Verdict['place'] | undefined): Judged => {
  if (place !== 'global' || !verdict.safe) return { verdict, value }
  const reason = { where: verdict.rule.where(0), what: 'is evaluated over all shards' }
  return { verdict: { ...verdict, safe: false, reasons: [reason], help: only() }, value }
}

interface Judged {
  readonly verdict: Omit<Verdict, 'place'>
  /** Where the series are that it makes. */
  readonly value: Value
}
interface Rules {
  readonly sharding: Sharding
  readonly find: ReturnType<typeof readersOf>
  judge(rule: Rule): Judged
}
interface Reading extends Rules {
  readonly rule: Rule
  note(condition: Placed): void
}
type Placed = Omit<Condition, 'span'> & { readonly where: string }

const circular = (rule: Rule): Judged => ({
  verdict: { rule, safe: false, reasons: [{ where: rule.where(0), what: 'depends on itself' }], help: only() },
  value: EVERY,
})

const judgeRule = (rule: Rule, rules: Rules): Judged => {
  const conditions: Placed[] = []
  const note = (condition: Placed): void => void conditions.push(condition)
  const never = (where: string, what: string) =>
    note({ where, what: `cannot be proven: ${what}`, met: false, follows: false, help: only() })
  const value = labelled(exprValue(rule, { rule, note, never, ...rules }), { rule, note, ...rules })
  for (const template of rule.templates)
    for (const what of templateDoubts(template, rules.sharding.own)) never(template.where, what)
  const unmet = conditions.filter(({ met }) => !met)
  const causes = unmet.filter(({ follows }) => !follows)
  const reasons = (causes.length > 0 ? causes : unmet).map(({ where, what }) => ({ where, what }))
  const help = conditions.reduce((all, condition) => both(all, condition.help), ALL)
  return { verdict: { rule, safe: unmet.length === 0, reasons: distinct(reasons), help }, value }
}

const exprValue = (rule: Rule, reading: Reading & { never(where: string, what: string): void }): Value => {
  try {
    return spreadOf(parsePromql(rule.expr), {
      sharding: reading.sharding,
      note: ({ span, ...condition }) => reading.note({ where: rule.where(span.from), ...condition }),
      select: (selector) => select(selector, reading),
    })
  } catch (error) {
    // What no stack holds: nobody reads it either.
    if (error instanceof RangeError) reading.never(rule.where(0), 'it is nested too deeply')
    else if (error instanceof PromqlError) reading.never(rule.where(error.at), `it ${error.message}`)
    else throw error
    return EVERY
  }
}

/** What a rule makes has labels of its own beside those of its expression. */
const labelled = (value: Value, { rule, note, sharding }: Reading): Value => {
  const written = Object.keys(rule.labels)
  if (value.on === 'every' || written.length === 0) return value
  const left = { ...value, kept: minus(value.kept, written) }
  const named = written.filter((label) => [...TARGET, ...sharding.labels].includes(label))
  const what = `its label ${named.join(', ')} hides which shard a series is on`
  const span = { from: 0, to: 0 }
  note({ where: rule.whereLabel(named[0] ?? ''), ...sameShard(sharding, known(left), { span, what, of: [value] }) })
  return left
}

/** Where the series are that a selector finds: those that rules make, and those that are scraped. */
const select = ({ matchers, ...span }: Selector, { rule, note, find, judge, sharding }: Reading): Value => {
  const where = rule.where(span.from)
  const { made, alsoScraped } = find(matchers)
  const judged = made.map(judge)
  const values = judged.map(({ value }) => (value.on === 'one' ? narrowed(value, matchers) : value))
  const unsafe = judged.flatMap(({ verdict }) => (verdict.safe ? [] : [verdict.rule]))
  const names = listed([...new Set(unsafe.map(({ name, file, line }) => `${name} (${file}:${line})`))], 3)
  note({
    where,
    what: `reads what ${names} make${unsafe.length === 1 ? 's' : ''}, which is not safe on a shard`,
    met: unsafe.length === 0,
    follows: false,
    help: judged.reduce((all, { verdict }) => both(all, verdict.help), ALL),
  })
  if (alsoScraped) {
    const one = scraped(matchers, sharding)
    const what = `cannot be proven: ${[...new Set(sharding.doubts.values())].join('; ')}`
    if (one.on === 'one') note({ where, ...sameShard(sharding, known(one), { span, what, of: [one], first: true }) })
    values.push(one)
  }
  const spread = values.filter((one): one is Spread => one.on === 'one')
  if (spread.length === 0) return EVERY
  if (spread.length < values.length)
    note({
      where,
      what: 'finds series that are on every shard, and others that are on one',
      met: false,
      follows: unsafe.length > 0,
      help: only(),
    })
  const all = spread.reduce(either)
  const what = 'finds what several rules make, and its labels do not say which shard a series is on'
  note({ where, ...sameShard(sharding, known(all), { span, what, of: spread }) })
  return all
}

const distinct = (reasons: readonly Reason[]): readonly Reason[] => [
  ...new Map(reasons.map((reason) => [JSON.stringify(reason), reason])).values(),
]
