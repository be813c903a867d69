import { minus, plus } from './label-set.ts'
import type { Expr } from './promql.ts'
import type { Sharding } from './sharding.ts'
import { EVERY, known, type Note, never, type Spread, sameShard, type Value } from './value.ts'

export type Call = Extract<Expr, { readonly is: 'call' }>

/** What becomes of each series by itself. (prometheus `promql/parser/functions.go`, `promql/functions.go`) */
const EACH = new Set([
  ...['abs', 'ceil', 'floor', 'exp', 'ln', 'log2', 'log10', 'sqrt', 'sgn', 'round', 'clamp', 'clamp_max', 'clamp_min'],
  ...['acos', 'acosh', 'asin', 'asinh', 'atan', 'atanh', 'cos', 'cosh', 'sin', 'sinh', 'tan', 'tanh', 'deg', 'rad'],
  ...['rate', 'irate', 'increase', 'delta', 'idelta', 'deriv', 'changes', 'resets', 'predict_linear'],
  'double_exponential_smoothing',
  ...['avg', 'min', 'max', 'sum', 'count', 'stddev', 'stdvar', 'last', 'first', 'mad', 'present', 'quantile'].map(
    (word) => `${word}_over_time`,
  ),
  ...['first', 'last', 'min', 'max'].map((word) => `ts_of_${word}_over_time`),
  ...['histogram_avg', 'histogram_count', 'histogram_sum', 'histogram_stddev', 'histogram_stdvar'],
  ...['timestamp', 'sort', 'sort_desc', 'sort_by_label', 'sort_by_label_desc', 'vector'],
  ...['minute', 'hour', 'day_of_week', 'day_of_month', 'day_of_year', 'days_in_month', 'month', 'year'],
  ...['time', 'pi'],
])
/** They put the buckets of a classic histogram together: series that differ in `le` alone. */
const BUCKETS = new Set(['histogram_quantile', 'histogram_quantiles', 'histogram_fraction'])
/** They write the label that their second argument names. */
const WRITES = new Set(['label_replace', 'label_join'])
const ABSENT = new Set(['absent', 'absent_over_time'])

export const callOf = (
  expr: Call,
  args: readonly Value[],
  { sharding, note }: { readonly sharding: Sharding; readonly note: Note },
): Value => {
  const { name } = expr
  const over = args.find((arg): arg is Spread => arg.on === 'one')
  if (!over) return EVERY
  if (EACH.has(name)) return over
  if (ABSENT.has(name)) {
    note(never(expr, `\`${name}\` is true on each shard that has none of what another one has`))
    return EVERY
  }
  if (name === 'scalar') {
    note(never(expr, '`scalar` is no number on each shard but that which has the one series'))
    return EVERY
  }
  if (BUCKETS.has(name)) {
    const kept = minus(over.kept, ['le', ...textsOf(expr)])
    const what = `\`${name}\` takes buckets of several shards together`
    note(sameShard(sharding, plus(kept, over.fixed.keys()), { span: expr, what, of: [over] }))
    return { ...over, kept }
  }
  const [written] = textsOf(expr)
  if (WRITES.has(name) && written !== undefined) {
    const left = { ...over, kept: minus(over.kept, [written]) }
    const what = `\`${name}\` overwrites ${written}, so that a series no longer says which shard it is on`
    note(sameShard(sharding, known(left), { span: expr, what, of: [over] }))
    return left
  }
  note(never(expr, `what \`${name}\` does to series of several shards cannot be proven`))
  return over
}

/** The texts among its arguments; the first is the label that is written. */
const textsOf = ({ args }: Call): readonly string[] =>
  args.flatMap((arg) => (arg.is === 'constant' && arg.text !== undefined ? [arg.text] : []))
