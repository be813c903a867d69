import { aggregateOf } from './aggregate.ts'
import { binaryOf } from './binary.ts'
import { callOf } from './call.ts'
import type { Expr } from './promql.ts'
import type { Sharding } from './sharding.ts'
import { EVERY, type Note, type Value } from './value.ts'

export type Selector = Extract<Expr, { readonly is: 'selector' }>

export interface Judging {
  readonly sharding: Sharding
  readonly note: Note
  /** Where the series are that a selector finds. */
  select(selector: Selector): Value
}

/** Where what an expression yields is. What holds only on conditions is noted, and taken to hold in what follows. */
export const spreadOf = (expr: Expr, judging: Judging): Value => {
  switch (expr.is) {
    case 'constant':
      return EVERY
    case 'selector':
      return judging.select(expr)
    case 'call':
      return callOf(expr, valuesOf(expr.args, judging), judging)
    case 'aggregate':
      return aggregateOf(expr, valuesOf(expr.args, judging), judging)
    case 'binary':
      return binaryOf(expr, { left: spreadOf(expr.left, judging), right: spreadOf(expr.right, judging), ...judging })
  }
}

const valuesOf = (args: readonly Expr[], judging: Judging): readonly Value[] =>
  args.map((arg) => spreadOf(arg, judging))
