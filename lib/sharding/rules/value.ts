import { ALL, both, type LabelSet, only, plus } from './label-set.ts'
import type { Span } from './promql.ts'
import { canHelp, fixesShard, fixesTarget, type Mixed, type Sharding } from './sharding.ts'

/** Where the series of an expression are, once each shard evaluates it alone. */
export type Value = Every | Spread
/** Each shard has all that one server with all data has. */
export interface Every {
  readonly on: 'every'
}
/** What one server has is spread: each series is always on the same one shard, which its labels decide. */
export interface Spread {
  readonly on: 'one'
  /** The labels that still have the value of the target that the series comes from. */
  readonly kept: LabelSet
  /** Values that a label has on the targets of all of them, also where the series has it no longer. */
  readonly fixed: ReadonlyMap<string, string>
  readonly mixed: Mixed
}
export const EVERY: Every = { on: 'every' }

/** Something that must hold of a part of an expression for it to be the same on shards. */
export interface Condition {
  readonly span: Span
  readonly what: string
  readonly met: boolean
  /** What is wrong here is so because of what was found wrong before. */
  readonly follows: boolean
  /** It holds where targets are hashed by one or more of these labels, and by no other. */
  readonly help: LabelSet
}
/** Takes the conditions of an expression. */
export type Note = (condition: Condition) => void

/** All labels of which the value of a series' target is known. */
export const known = ({ kept, fixed }: Spread): LabelSet => plus(kept, fixed.keys())

/**
 * The condition that series which agree on `agreed` are on the same shard. Where it is already lost for the series that a part is made of, it
 * is no reason of its own.
 */
export const sameShard = (
  sharding: Sharding,
  agreed: LabelSet,
  { span, what, of, first = false }: About,
): Condition => {
  const mixed = worst(of.map((one) => one.mixed))
  return {
    span,
    what,
    met: fixesShard(sharding, agreed, mixed),
    follows: !first && of.some((one) => !fixesShard(sharding, known(one), one.mixed)),
    // A target's own name does whatever targets are hashed by.
    help: fixesTarget(agreed) ? ALL : canHelp(agreed, mixed) ? agreed : only(),
  }
}

interface About {
  readonly span: Span
  readonly what: string
  /** What the series are made of. */
  readonly of: readonly Spread[]
  /** Nothing was looked at before: these are read here. */
  readonly first?: boolean
}

const worst = (some: readonly Mixed[]): Mixed => (some.includes('any') ? 'any' : some.includes('jobs') ? 'jobs' : 'no')

/** The condition that never holds. */
export const never = (span: Span, what: string): Condition => ({ span, what, met: false, follows: false, help: only() })

/** What is so of both: for series that may be of either. */
export const either = (one: Spread, other: Spread): Spread => ({
  on: 'one',
  kept: both(one.kept, other.kept),
  fixed: new Map([...one.fixed].filter(([label, value]) => other.fixed.get(label) === value)),
  mixed: worst([one.mixed, other.mixed]),
})
