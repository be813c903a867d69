/** Which labels targets would best be hashed by, and which shard would best have which buckets, by what each target was measured to bring. Pure. */

import { atLeast, BOUND, handOut, largestOverMean, loadsOf } from './hand-out.ts'
import { bucketOf, EVERYWHERE_LABEL, HASH_LABEL, hashedText } from './hash.ts'
import { BUCKETS } from './table.ts'

type Labels = Readonly<Record<string, string>>

export interface MeasuredTarget {
  /** What people know it by. */
  readonly name: string
  /** Its labels as they are when it is hashed. */
  readonly labels: Labels
  /** How many series a scrape of it gives. */
  readonly series: number
  readonly samplesPerSecond: number
}
/** What is planned from. */
export interface Measured {
  readonly targets: readonly MeasuredTarget[]
  /** How targets are spread now; null where shard 0 scrapes them all. */
  readonly current: { readonly labels: readonly string[]; readonly owners: readonly number[] } | null
}
export interface Asked {
  /** The shards that there are to be. */
  readonly shards: readonly number[]
  /** Label sets to look at besides the one that there is; default: what the targets' labels offer. */
  readonly candidates?: readonly (readonly string[])[]
  /** How many further shards are looked at, one after the other; default: 3. */
  readonly ahead?: number
  /** How many times the mean the largest shard may have; default: BOUND. */
  readonly bound?: number
}

export interface Plan {
  readonly bound: number
  readonly shards: readonly number[]
  readonly total: Amount
  /** Those that no hash places (`__tmp_disable_sharding`), so that no plan is about them. */
  readonly everywhere: Amount
  /** The one that there is first, then the evenest. */
  readonly candidates: readonly Candidate[]
  /** Which of the candidates, and why. */
  readonly recommended: number
  readonly reason: Reason
}
export interface Amount {
  readonly targets: number
  readonly series: number
  readonly samplesPerSecond: number
}
export interface Candidate {
  readonly labels: readonly string[]
  /** Whether targets are hashed by these labels now. */
  readonly inForce: boolean
  readonly buckets: number
  /** How many different values targets have. */
  readonly values: number
  /** The largest shard over the mean, in series: as targets are spread now, or would be if these labels' buckets were handed out blindly to the shards that there are. */
  readonly now: number
  /** The same by the planned owners. */
  readonly planned: number
  /** In samples per second, by the planned owners. */
  readonly plannedSamples: number
  readonly owners: readonly number[]
  /** What each shard has by the planned owners, in the order of shards. */
  readonly perShard: readonly Amount[]
  /** What another shard has than now. */
  readonly moves: Amount
  /** After each further shard. */
  readonly ahead: readonly { readonly shards: number; readonly planned: number; readonly moves: Amount }[]
  /** Why the largest shard has more than the bound; null where it has not. */
  readonly cause: Cause | null
}
/** Why targets were not parted further. */
export interface Cause {
  /**
   * `target`: one target alone is too much. `values`: all targets with these values are hashed alike. `bucket`: what is too much together shares a
   * bucket by chance. `pieces`: there are more heavy buckets than go evenly into so many shards. `unknown`: better owners were not found.
   */
  readonly kind: 'target' | 'values' | 'bucket' | 'pieces' | 'unknown'
  /** What the largest shard has at least over the mean, whatever the owners. */
  readonly atLeast: number
  /** What is too much, in series over those of all targets. */
  readonly share: number
  readonly targets: number
  /** The heaviest of the targets. */
  readonly heaviest: string
  /** For `values`: those values, joined by `;`. */
  readonly text?: string
  /** For `pieces`: how many buckets of which one shard gets `most` at least. */
  readonly pieces?: { readonly among: number; readonly most: number }
}
export type Reason = 'in-force-within' | 'within' | 'in-force-evenest' | 'evenest'

/**
 * Looks at each candidate and recommends one. Labels that targets are hashed by already stay for as long as the bound can be kept by them, as by others nearly
 * every target moves; among others, that which moves least, and where none keeps the bound, the evenest. It weighs series: samples are those by the
 * interval.
 */
export const planShards = ({ targets, current }: Measured, asked: Asked): Plan => {
  const spread = targets.filter(({ labels }) => !labels[EVERYWHERE_LABEL])
  const by = current?.labels ?? ['__address__']
  const sets = [by, ...(asked.candidates ?? offered(spread))]
  const different = [...new Map(sets.map((labels) => [labels.join(), labels])).values()]
  const placed = spread.map(({ labels }) => (current ? ownerIn(labels, current) : 0))
  const found = different.map((labels) => candidateOf(labels, { spread, placed, current, asked }))
  const [first, ...others] = found
  const candidates = [...(first ? [first] : []), ...others.sort((one, other) => one.planned - other.planned)]
  const { bound = BOUND, shards } = asked
  return {
    bound,
    shards,
    total: amountOf(spread),
    everywhere: amountOf(targets.filter(({ labels }) => labels[EVERYWHERE_LABEL])),
    candidates,
    ...recommendationOf(candidates, current !== null),
  }
}

/** What each bucket has in series when targets are hashed by these labels into so many. */
export const weightsOf = (
  targets: readonly MeasuredTarget[],
  { labels, buckets }: { readonly labels: readonly string[]; readonly buckets: number },
): readonly number[] => {
  const weights = new Array<number>(buckets).fill(0)
  for (const { labels: own, series } of targets) {
    const bucket = bucketOf(own, labels, buckets)
    if (bucket !== null) weights[bucket] = (weights[bucket] ?? 0) + series
  }
  return weights
}

const MOST_CANDIDATES = 8
/** Labels that say how a target is scraped, which is no property to tell targets apart by. */
const HOW_SCRAPED = /^__(?:tmp_|scheme__$|scrape_interval__$|scrape_timeout__$)/

/**
 * Label sets worth a look: each label that half of the targets have, with more values than one and none that parts them as another does already; and the
 * address with each of those that tells apart targets of one address.
 */
const offered = (targets: readonly MeasuredTarget[]): readonly (readonly string[])[] => {
  const counts = new Map<string, number>()
  for (const { labels } of targets)
    for (const name of Object.keys(labels)) if (!HOW_SCRAPED.test(name)) counts.set(name, (counts.get(name) ?? 0) + 1)
  const names = [...counts]
    .filter(([, count]) => count * 2 >= targets.length)
    .map(([name]) => name)
    // Their own labels before those of discovery, which rules do not see.
    .sort((one, other) => Number(one.startsWith('__')) - Number(other.startsWith('__')) || (one < other ? -1 : 1))
  const parts = names
    .filter((name) => name !== ADDRESS)
    .map((name) => ({ labels: [name], ...partsBy(targets, [name]) }))
  const address = { labels: [ADDRESS], ...partsBy(targets, [ADDRESS]) }
  const pairs = parts
    .map(({ labels }) => ({ labels: [ADDRESS, ...labels], ...partsBy(targets, [ADDRESS, ...labels]) }))
    .filter(({ values }) => values > address.values)
  const kept = new Map(
    [address, ...pairs, ...parts]
      .filter(({ values }) => values > 1)
      .map((one) => [one.signature, one] as const)
      .reverse(),
  )
  return [...kept.values()]
    .sort(
      (one, other) =>
        one.heaviest - other.heaviest ||
        one.labels.length - other.labels.length ||
        (one.labels.join() < other.labels.join() ? -1 : 1),
    )
    .slice(0, MOST_CANDIDATES)
    .map(({ labels }) => labels)
}
const ADDRESS = '__address__'

/** How many values there are, how much the heaviest of them has, and which targets have the same: a number that is the same for the same parts. */
const partsBy = (targets: readonly MeasuredTarget[], labels: readonly string[]) => {
  const known = new Map<string, { readonly id: number; series: number }>()
  let signature = 0
  for (const { labels: own, series } of targets) {
    const text = textOf(own, labels)
    const one = known.get(text) ?? { id: known.size + 1, series: 0 }
    one.series += series
    known.set(text, one)
    signature = (signature * 31 + one.id) % 2_147_483_647
  }
  const heaviest = [...known.values()].reduce((most, one) => Math.max(most, one.series), 0)
  return { values: known.size, heaviest, signature: `${known.size} ${signature}` }
}

const textOf = (own: Labels, labels: readonly string[]): string => own[HASH_LABEL] || hashedText(own, labels)

const ownerIn = (
  labels: Labels,
  { labels: by, owners }: { readonly labels: readonly string[]; readonly owners: readonly number[] },
): number => owners[bucketOf(labels, by, owners.length) ?? 0] ?? 0

interface About {
  readonly spread: readonly MeasuredTarget[]
  /** The shard of each target now. */
  readonly placed: readonly number[]
  readonly current: Measured['current']
  readonly asked: Asked
}

const candidateOf = (labels: readonly string[], { spread, placed, current, asked }: About): Candidate => {
  const { shards, ahead = 3, bound = BOUND } = asked
  const inForce = current !== null && current.labels.join() === labels.join()
  const size = current?.owners.length ?? BUCKETS
  const known = new Map<string, number>()
  const bucketFor = (own: Labels): number => {
    const text = textOf(own, labels)
    const bucket = known.get(text) ?? bucketOf(own, labels, size) ?? 0
    known.set(text, bucket)
    return bucket
  }
  const buckets = spread.map((target) => bucketFor(target.labels))
  const weights = new Array<number>(size).fill(0)
  for (const [at, { series }] of spread.entries()) weights[buckets[at] ?? 0] = (weights[buckets[at] ?? 0] ?? 0) + series
  const owned = inForce && current ? current.owners : whereMostIs(buckets, { spread, placed, size })
  const owners = handOut({ owners: owned, weights, shards, bound })
  const shardAt = (some: readonly number[], at: number): number => some[buckets[at] ?? 0] ?? 0
  const between = (before: (at: number) => number, after: readonly number[]): Amount =>
    amountOf(spread.filter((_, at) => before(at) !== shardAt(after, at)))
  const shardsNow = [...new Set(current?.owners ?? [0])]
  const blind = Array.from({ length: size }, (_, bucket) => shardsNow[bucket % shardsNow.length] ?? 0)
  const perShard = amounts(spread, shards, (at) => shardAt(owners, at))
  const planned = largestOverMean(loadsOf({ owners, weights, shards }))
  let [last, wider] = [owners, shards]
  return {
    labels,
    inForce,
    buckets: size,
    values: known.size,
    now: largestOverMean(loadsOf({ owners: inForce && current ? current.owners : blind, weights, shards: shardsNow })),
    planned,
    plannedSamples: largestOverMean(perShard.map(({ samplesPerSecond }) => samplesPerSecond)),
    owners,
    perShard,
    moves: between((at) => placed[at] ?? 0, owners),
    ahead: Array.from({ length: ahead }, () => {
      wider = oneMore(wider)
      const before = last
      last = handOut({ owners: before, weights, shards: wider, bound })
      return {
        shards: wider.length,
        planned: largestOverMean(loadsOf({ owners: last, weights, shards: wider })),
        moves: between((at) => shardAt(before, at), last),
      }
    }),
    cause:
      planned > bound * (1 + 1e-6)
        ? causeOf({ spread, buckets, weights, labels }, { count: shards.length, bound })
        : null,
  }
}

/** With the first number that is not taken. */
const oneMore = (shards: readonly number[]): readonly number[] => {
  for (let shard = 0; ; shard += 1) if (!shards.includes(shard)) return [...shards, shard]
}

/** By other labels buckets hold other targets: each begins with the shard that has most of them, so that few move. */
const whereMostIs = (
  buckets: readonly number[],
  {
    spread,
    placed,
    size,
  }: { readonly spread: readonly MeasuredTarget[]; readonly placed: readonly number[]; readonly size: number },
): readonly number[] => {
  const shares = Array.from({ length: size }, () => new Map<number, number>())
  for (const [at, { series }] of spread.entries()) {
    const share = shares[buckets[at] ?? 0]
    const shard = placed[at] ?? 0
    share?.set(shard, (share.get(shard) ?? 0) + series)
  }
  return shares.map((share) => [...share].reduce((one, other) => (other[1] > one[1] ? other : one), [0, -1])[0])
}

const NOTHING: Amount = { targets: 0, series: 0, samplesPerSecond: 0 }
const plus = (one: Amount, { series, samplesPerSecond }: MeasuredTarget): Amount => ({
  targets: one.targets + 1,
  series: one.series + series,
  samplesPerSecond: one.samplesPerSecond + samplesPerSecond,
})
const amountOf = (targets: readonly MeasuredTarget[]): Amount => targets.reduce(plus, NOTHING)

const amounts = (
  spread: readonly MeasuredTarget[],
  shards: readonly number[],
  shardAt: (at: number) => number,
): readonly Amount[] => {
  const found = new Map(shards.map((shard) => [shard, NOTHING]))
  for (const [at, target] of spread.entries()) found.set(shardAt(at), plus(found.get(shardAt(at)) ?? NOTHING, target))
  return [...found.values()]
}

interface Content {
  readonly spread: readonly MeasuredTarget[]
  readonly buckets: readonly number[]
  readonly weights: readonly number[]
  readonly labels: readonly string[]
}

const causeOf = (
  { spread, buckets, weights, labels }: Content,
  { count, bound }: { readonly count: number; readonly bound: number },
): Cause => {
  const total = weights.reduce((sum, one) => sum + one, 0)
  const least = atLeast(weights, count)
  const proven = (least.load * count) / total > bound * (1 - 1e-9)
  const pieces = new Set(proven ? least.pieces : [weights.indexOf(Math.max(...weights))])
  const inside = spread.filter((_, at) => pieces.has(buckets[at] ?? -1))
  const heaviest = inside.reduce((one, other) => (other.series > one.series ? other : one), inside[0] ?? EMPTY)
  const cause = (kind: Cause['kind'], some: readonly MeasuredTarget[]): Cause => ({
    kind,
    atLeast: (least.load * count) / total,
    share: amountOf(some).series / total,
    targets: some.length,
    heaviest: heaviest.name,
  })
  if (!proven) return cause('unknown', inside)
  if (least.pieces.length > 1)
    return { ...cause('pieces', inside), pieces: { among: least.among, most: least.pieces.length } }
  const limit = (bound * total) / count
  const groups = [...Map.groupBy(inside, ({ labels: own }) => textOf(own, labels))]
  const [text, some] = groups.reduce((one, other) =>
    amountOf(other[1]).series > amountOf(one[1]).series ? other : one,
  )
  const together = amountOf(some).series
  // Telling apart what is hashed alike helps only where one of it isn't nearly all of it.
  if (together > limit && together > heaviest.series * CLOSE) return { ...cause('values', some), text }
  return heaviest.series > limit ? cause('target', [heaviest]) : cause('bucket', inside)
}
const EMPTY: MeasuredTarget = { name: '', labels: {}, series: 0, samplesPerSecond: 0 }

/** Differences below this are none worth moving for. */
const CLOSE = 1.02

const recommendationOf = (
  candidates: readonly Candidate[],
  spreadNow: boolean,
): Pick<Plan, 'recommended' | 'reason'> => {
  const [first] = candidates
  const least = (some: readonly Candidate[]): number =>
    candidates.indexOf(some.reduce((one, other) => (other.moves.series < one.moves.series ? other : one)))
  const within = candidates.filter(({ cause }) => cause === null)
  // Where nothing is spread yet, the address is what tells targets apart that come later, too.
  if (first?.cause === null) return { recommended: 0, reason: spreadNow ? 'in-force-within' : 'within' }
  if (within.length > 0) return { recommended: least(within), reason: 'within' }
  const evenest = Math.min(...candidates.map(({ planned }) => planned))
  if (first && first.planned <= evenest * CLOSE)
    return { recommended: 0, reason: spreadNow ? 'in-force-evenest' : 'evenest' }
  return { recommended: least(candidates.filter(({ planned }) => planned <= evenest * CLOSE)), reason: 'evenest' }
}
