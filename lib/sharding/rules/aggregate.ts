import { allBut, both, minus, only, plus } from './label-set.ts'
import type { Expr } from './promql.ts'
import type { Sharding } from './sharding.ts'
import { EVERY, known, type Note, never, type Spread, sameShard, type Value } from './value.ts'

export type Aggregate = Extract<Expr, { readonly is: 'aggregate' }>

/**
 * They keep some series as they are. Of equal values it is whichever comes first, which two servers needn't agree on: promtool was seen to keep
 * another on a shard than on one server, though the whole group was there.
 */
const CHOOSES = new Set(['topk', 'bottomk', 'limitk', 'limit_ratio'])

/**
 * Each group must be on one shard. The parameter, which stands first, is on every shard or was noted already. (prometheus `promql/engine.go`,
 * `aggregation`, `aggregationK`, `aggregationCountValues`)
 */
export const aggregateOf = (
  expr: Aggregate,
  args: readonly Value[],
  { sharding, note }: { readonly sharding: Sharding; readonly note: Note },
): Value => {
  const { op, without, labels } = expr
  const over = args.at(-1) ?? EVERY
  if (CHOOSES.has(op)) {
    note(never(expr, `\`${op}\` takes series of several shards together, or may keep others of equal ones`))
    return over
  }
  if (over.on === 'every') return EVERY
  const group = without ? allBut(...labels) : only(...labels)
  const words = without || labels.length > 0 ? `${without ? 'without' : 'by'} (${labels.join(', ')})` : 'over all'
  const agreed = plus(both(group, over.kept), over.fixed.keys())
  const what = `\`${op}\` ${words} takes series of several shards together`
  note(sameShard(sharding, agreed, { span: expr, what, of: [over] }))
  const grouped: Spread = { ...over, kept: both(group, over.kept) }
  const named = op === 'count_values' ? expr.args[0] : undefined
  if (named?.is !== 'constant' || named.text === undefined) return grouped
  const counted = { ...grouped, kept: minus(grouped.kept, [named.text]) }
  const hidden = `\`${op}\` overwrites ${named.text}, so that a series no longer says which shard it is on`
  note(sameShard(sharding, known(counted), { span: expr, what: hidden, of: [grouped] }))
  return counted
}
