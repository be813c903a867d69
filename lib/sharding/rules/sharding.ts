import type { LabelSet } from './label-set.ts'
import { has } from './label-set.ts'

/** What is known of how targets are spread. */
export interface Sharding {
  /** The labels that targets are hashed by. */
  readonly labels: readonly string[]
  /**
   * Each a set of labels: series that agree on all of one set are on the same shard. `job` and `instance`, which name the target that a
   * series comes from, are one.
   */
  readonly determining: readonly (readonly string[])[]
  /** Labels whose values on a series need not be those of its target, each with the reason. */
  readonly doubts: ReadonlyMap<string, string>
  /** Jobs that every shard scrapes as a whole. */
  readonly everywhere: ReadonlySet<string>
}

/** What names a target: a shard holds whole targets, so series that agree on these are on one shard however targets are hashed. */
export const TARGET = ['job', 'instance'] as const

/**
 * How targets are spread that are hashed by these labels. Those that start with `__` are gone once a target is scraped: with one of them, no
 * label of a series says its shard, and only a target's own name does.
 */
export const shardingBy = (
  labels: readonly string[],
  {
    doubts = new Map(),
    everywhere = new Set(),
  }: { readonly doubts?: Sharding['doubts']; readonly everywhere?: Sharding['everywhere'] } = {},
): Sharding => {
  const seen = labels.length > 0 && !labels.some((label) => label.startsWith('__'))
  // A job that every shard scrapes may share the values of a job that one shard does.
  const own = everywhere.size > 0 ? [...new Set(['job', ...labels])] : labels
  return { labels, determining: seen ? [own, TARGET] : [TARGET], doubts, everywhere }
}

/** Whether series that agree on these labels are on the same shard. */
export const fixesShard = ({ determining }: Sharding, known: LabelSet): boolean =>
  determining.some((set) => set.every((label) => has(known, label)))

/** The same whatever targets are hashed by. */
export const fixesTarget = (known: LabelSet): boolean => TARGET.every((label) => has(known, label))
