import { has, type LabelSet } from './label-set.ts'

/** What is known of how targets are spread. */
export interface Sharding {
  /** The labels that targets are hashed by. */
  readonly labels: readonly string[]
  /** Whether these are on the series too, so that series which agree on them are on the same shard. */
  readonly seen: boolean
  /** Labels whose values on a series need not be those of its target, each with the reason. */
  readonly doubts: ReadonlyMap<string, string>
  /** Jobs that every shard scrapes as a whole, and in the same way. */
  readonly everywhere: ReadonlySet<string>
  /** Jobs of which some targets are on several shards, those above among them. */
  readonly shared: readonly SharedJob[]
  /** External labels whose value each server has of its own. */
  readonly own: readonly string[]
}
export interface SharedJob {
  /** The value of `job` of its series; without it, it is not known. */
  readonly job?: string
  /** Every shard has all of its targets. */
  readonly wholly: boolean
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
    shared = [...everywhere].map((job) => ({ job, wholly: true })),
    own = ['shard', 'replica'],
  }: Partial<Pick<Sharding, 'doubts' | 'everywhere' | 'shared' | 'own'>> = {},
): Sharding => ({
  labels,
  seen: labels.length > 0 && !labels.some((label) => label.startsWith('__')),
  doubts,
  everywhere,
  shared,
  own,
})

/**
 * How far series may be of targets that several shards scrape: none of them; only whole jobs, which every shard scrapes; or any.
 */
export type Mixed = 'no' | 'jobs' | 'any'

/**
 * Whether series that agree on these labels are on the same shard, or all on every one. Beside jobs that every shard scrapes, labels that targets are
 * hashed by tell only with the job; beside any other target that several scrape, only a target's own name does.
 */
export const fixesShard = ({ labels, seen }: Sharding, known: LabelSet, mixed: Mixed): boolean =>
  fixesTarget(known) || (seen && canHelp(known, mixed) && labels.every((label) => has(known, label)))

/** Whether it can matter by which of these labels targets are hashed. */
export const canHelp = (known: LabelSet, mixed: Mixed): boolean =>
  mixed === 'no' || (mixed === 'jobs' && has(known, 'job'))

/** The same whatever targets are hashed by. */
export const fixesTarget = (known: LabelSet): boolean => TARGET.every((label) => has(known, label))
