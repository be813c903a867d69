import { allBut, both, has, type LabelSet, minus, only, plus } from './label-set.ts'
import type { Expr } from './promql.ts'
import type { Sharding } from './sharding.ts'
import { EVERY, either, known, type Note, never, type Spread, sameShard, type Value } from './value.ts'

export type Binary = Extract<Expr, { readonly is: 'binary' }>

interface Sides {
  readonly left: Value
  readonly right: Value
  readonly sharding: Sharding
  readonly note: Note
}

const SETS = new Set(['and', 'or', 'unless'])

/** Series that meet must be on one shard. (prometheus `promql/engine.go`, `VectorAnd` to `VectorBinop`, `resultMetric`) */
export const binaryOf = (expr: Binary, sides: Sides): Value => {
  const { left, right } = sides
  if (isScalar(expr.left)) return right
  if (isScalar(expr.right)) return left
  if (left.on === 'every' && right.on === 'every') return EVERY
  if (expr.match.fill) sides.note(never(expr, 'what `fill` adds on a shard cannot be proven to be the same'))
  if (left.on === 'one' && right.on === 'one') return bothSpread(expr, { ...sides, left, right })
  if (left.on === 'one') return oneSpread(expr, { ...sides, spread: left, side: 'left' })
  if (right.on === 'one') return oneSpread(expr, { ...sides, spread: right, side: 'right' })
  return EVERY
}

/** What is a number, not series. */
const isScalar = (expr: Expr): boolean => {
  if (expr.is === 'binary') return isScalar(expr.left) && isScalar(expr.right)
  return expr.is === 'constant' || (expr.is === 'call' && ['scalar', 'time', 'pi'].includes(expr.name))
}

/** The labels that two series must agree on. */
const keyOf = ({ match: { on, labels } }: Binary): LabelSet => (on ? only(...labels) : allBut(...labels))

const bothSpread = (
  expr: Binary,
  { left, right, sharding, note }: Sides & { readonly left: Spread; readonly right: Spread },
): Value => {
  const common = either(left, right)
  const agreed = plus(both(keyOf(expr), common.kept), common.fixed.keys())
  note(
    sameShard(sharding, agreed, {
      span: expr,
      what: `${wordsOf(expr)} matches series of different shards`,
      of: [left, right],
    }),
  )
  if (expr.op === 'or') return common
  if (SETS.has(expr.op)) return left
  return resulting(expr, { of: expr.match.many === 'right' ? right : left, sharding, note })
}

/** The labels of a result: those of the many side but what it takes from the other; the key alone where one meets one. */
const resulting = (
  expr: Binary,
  { of, sharding, note }: { readonly of: Spread; readonly sharding: Sharding; readonly note: Note },
): Value => {
  const { many, include } = expr.match
  const kept = many ? minus(of.kept, include) : both(of.kept, keyOf(expr))
  const what = `${wordsOf(expr)} leaves series that no longer say which shard they are on`
  note(sameShard(sharding, known({ ...of, kept }), { span: expr, what, of: [of] }))
  return { ...of, kept }
}

/** One side is spread over shards, and the other is the same on all of them. */
const oneSpread = (
  expr: Binary,
  { spread, side, sharding, note }: Sides & { readonly spread: Spread; readonly side: 'left' | 'right' },
): Value => {
  const { op, match } = expr
  const refused = (what: string): Value => {
    note(never(expr, what))
    return spread
  }
  if (op === 'or')
    return refused('`or` adds, on every shard, what is the same on all of them: also where another shard has a match')
  const ofSpread = SETS.has(op) ? side === 'left' : side === (match.many ?? 'left')
  if (ofSpread) return SETS.has(op) ? spread : resulting(expr, { of: spread, sharding, note })
  if (op === 'unless') return refused('`unless` keeps, on every shard, what only another shard could take away')
  // A result has the labels of what is on every shard; those that were matched are also the other side's.
  const taken = match.include.filter((label) => has(spread.kept, label))
  const kept = plus(minus(both(keyOf(expr), spread.kept), match.include), taken)
  const what = `${wordsOf(expr)} is true on the shard that has a match, and its series don't say which that is`
  note(sameShard(sharding, plus(kept, spread.fixed.keys()), { span: expr, what, of: [spread] }))
  return { ...spread, kept }
}

const wordsOf = ({ op, match: { on, labels } }: Binary): string =>
  `\`${op}\`${on ? ` on (${labels.join(', ')})` : labels.length > 0 ? ` ignoring (${labels.join(', ')})` : ''}`
