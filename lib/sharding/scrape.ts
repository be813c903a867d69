import { type RelabelStep, relabel } from '../routing/relabel.ts'
import { bucketOf, EVERYWHERE_LABEL, HASH_LABEL } from './hash.ts'
import { rangesRegex } from './ranges.ts'

type Labels = Readonly<Record<string, string>>

/**
 * The last steps of a job's relabelling: a target's bucket is worked out, and the target kept where the bucket is one of these. What stands in
 * `__tmp_hash` already is hashed in place of the labels, and a target with any `__tmp_disable_sharding` is kept by every shard, unless `everywhere` is
 * false.
 */
export const shardSteps = (
  labels: readonly string[],
  {
    buckets,
    scraped,
    everywhere = true,
  }: { readonly buckets: number; readonly scraped: readonly number[]; readonly everywhere?: boolean },
): readonly RelabelStep[] => [
  // Ends with the separator only where nothing stands in __tmp_hash. A value may hold line ends.
  { source_labels: [...labels, HASH_LABEL], regex: '([\\s\\S]*);', target_label: HASH_LABEL },
  { source_labels: [HASH_LABEL], modulus: buckets, target_label: HASH_LABEL, action: 'hashmod' },
  {
    source_labels: [HASH_LABEL, EVERYWHERE_LABEL],
    regex: [...(scraped.length > 0 ? [`(?:${rangesRegex(scraped)});`] : []), ...(everywhere ? ['.+;.+'] : [])].join(
      '|',
    ),
    action: 'keep',
  },
]

/** What a job is hashed by: probes all have the address of their prober in the end, so their own target stands in for it. */
export const labelsFor = (labels: readonly string[], steps: readonly RelabelStep[]): readonly string[] =>
  steps.some(({ target_label }) => target_label === PROBED)
    ? labels.map((name) => (name === '__address__' ? PROBED : name))
    : labels
const PROBED = '__param_target'

/** Whether relabelling drops targets by itself. */
export const drops = (steps: readonly RelabelStep[]): boolean =>
  steps.some(({ action }) => ['keep', 'drop', 'keepequal', 'dropequal'].includes(action?.toLowerCase() ?? ''))

/** Where a discovered target goes: its bucket, `everywhere`, or `nowhere` where the job's own relabelling drops it. */
export type Place = number | 'everywhere' | 'nowhere'

/**
 * A discovered target's labels as they are when it is hashed; a probe's address is what it probes. null where its job's own relabelling drops it. Throws
 * as `placeOf` does.
 */
export const hashedLabels = (discovered: Labels, own: readonly RelabelStep[], dotAll: boolean): Labels | null => {
  const made = relabel(discovered, own, dotAll)
  const [by = ''] = labelsFor(['__address__'], own)
  return made && { ...made, __address__: made[by] ?? '' }
}

/**
 * The place of a discovered target by its job's own relabelling. Throws RegexError for relabelling that Prometheus refuses or that can't be followed
 * here.
 */
export const placeOf = (
  discovered: Labels,
  own: readonly RelabelStep[],
  {
    labels,
    buckets,
    dotAll,
  }: { readonly labels: readonly string[]; readonly buckets: number; readonly dotAll: boolean },
): Place => {
  const made = hashedLabels(discovered, own, dotAll)
  return made === null ? 'nowhere' : (bucketOf(made, labels, buckets) ?? 'everywhere')
}
