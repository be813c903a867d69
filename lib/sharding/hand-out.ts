/** Buckets handed out to shards by what they weigh, so that no shard has much more than the mean and nothing moves that need not. Pure. */

/** No shard is to have more than this many times the mean of all. */
export const BOUND = 1.1

export interface Wanted {
  /** The shard of each bucket now. */
  readonly owners: readonly number[]
  /** What each bucket weighs, from 0. */
  readonly weights: readonly number[]
  /** The shards that there are to be; those of `owners` that are not among them leave. */
  readonly shards: readonly number[]
  /** From 1; default: BOUND. */
  readonly bound?: number
}

/**
 * Owners by which the heaviest shard has at most `bound` times the mean, where buckets of these weights allow it, or else is as near to it as could be
 * found. A bucket leaves its shard where that leaves or has more than the bound; where a new shard, which had nothing, would have less than
 * (2 − bound) times what is left for it; or to make room for a heavier one. None of them could stay by itself. A bucket that is over the bound
 * alone gets a shard for itself. The same input always gives the same owners.
 */
export const handOut = (wanted: Wanted): readonly number[] => {
  const hand = handOf(wanted)
  keepGiantsApart(hand)
  shed(hand)
  placeFree(hand)
  repair(hand)
  fillNew(hand)
  giveBack(hand)
  placeEmpty(hand)
  return hand.next
}

/** What each of these shards has, in their order. */
export const loadsOf = ({
  owners,
  weights,
  shards,
}: Pick<Wanted, 'owners' | 'weights' | 'shards'>): readonly number[] => {
  const loads = new Map(shards.map((shard) => [shard, 0]))
  for (const [bucket, owner] of owners.entries()) {
    const load = loads.get(owner)
    if (load !== undefined) loads.set(owner, load + (weights[bucket] ?? 0))
  }
  return [...loads.values()]
}

/** How many times the mean the heaviest has; 1 where nobody has anything. */
export const largestOverMean = (loads: readonly number[]): number => {
  const total = sum(loads)
  return total > 0 ? (Math.max(...loads) * loads.length) / total : 1
}

/**
 * What the heaviest of so many shards has at least, whatever is handed out how: the heaviest bucket, or, as one shard gets k + 1 of the k·n + 1
 * heaviest, the k + 1 lightest of those. `pieces` are the buckets that make it so.
 */
export const atLeast = (
  weights: readonly number[],
  shards: number,
): { readonly load: number; readonly pieces: readonly number[]; readonly among: number } => {
  const heaviest = weights
    .map((_, bucket) => bucket)
    .sort((one, other) => (weights[other] ?? 0) - (weights[one] ?? 0) || one - other)
  let best = { load: 0, pieces: [] as readonly number[], among: 0 }
  for (let k = 0; k * shards < heaviest.length; k += 1) {
    const pieces = heaviest.slice(k * shards - k, k * shards + 1)
    const load = sum(pieces.map((bucket) => weights[bucket] ?? 0))
    if (load > best.load * (1 + 1e-12)) best = { load, pieces, among: k * shards + 1 }
  }
  return best
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0)

interface Hand {
  readonly owners: readonly number[]
  readonly shards: readonly number[]
  readonly next: number[]
  readonly load: Map<number, number>
  readonly weight: (bucket: number) => number
  /** The bucket that has a shard for itself, by shard. */
  readonly giants: Map<number, number>
  /** What a shard may have. */
  readonly most: (shard: number) => number
  /** What a new shard is to have. */
  readonly least: () => number
  /** Shards that had nothing. */
  readonly fresh: ReadonlySet<number>
}

const FREE = -1

const handOf = ({ owners, weights, shards, bound = BOUND }: Wanted): Hand => {
  const load = new Map(shards.map((shard) => [shard, 0]))
  const weight = (bucket: number): number => weights[bucket] ?? 0
  const next = owners.map((owner) => (load.has(owner) ? owner : FREE))
  for (const [bucket, owner] of next.entries())
    if (owner !== FREE) load.set(owner, (load.get(owner) ?? 0) + weight(bucket))
  const total = sum(weights)
  // Sums of fractions differ in their last digits.
  const most = (bound * total * (1 + 1e-9)) / shards.length
  const giants = new Map<number, number>()
  return {
    owners,
    shards,
    next,
    load,
    weight,
    giants,
    most: (shard) => Math.max(most, weight(giants.get(shard) ?? FREE) * (1 + 1e-9)),
    least: () => {
      const apart = sum([...giants.values()].map(weight))
      return ((2 - bound) * (total - apart)) / Math.max(1, shards.length - giants.size)
    },
    fresh: new Set(shards.filter((shard) => load.get(shard) === 0)),
  }
}

const loadOf = ({ load }: Hand, shard: number): number => load.get(shard) ?? 0

const give = (hand: Hand, bucket: number, shard: number): void => {
  const { next, load, weight } = hand
  const before = next[bucket] ?? FREE
  if (before !== FREE) load.set(before, loadOf(hand, before) - weight(bucket))
  if (shard !== FREE) load.set(shard, loadOf(hand, shard) + weight(bucket))
  next[bucket] = shard
}

/** The buckets of a shard that weigh anything, heaviest first. */
const bucketsOf = ({ next, weight }: Hand, shard: number): readonly number[] =>
  next
    .flatMap((owner, bucket) => (owner === shard && weight(bucket) > 0 ? [bucket] : []))
    .sort((one, other) => weight(other) - weight(one) || one - other)

const lightest = (hand: Hand, shards: readonly number[] = hand.shards): number =>
  shards.reduce((one, other) => (loadOf(hand, other) < loadOf(hand, one) ? other : one))

/** The shards that have more than they may. */
const over = (hand: Hand): readonly number[] =>
  hand.shards
    .filter((shard) => loadOf(hand, shard) > hand.most(shard))
    .sort((one, other) => loadOf(hand, other) - loadOf(hand, one) || one - other)

const keepGiantsApart = (hand: Hand): void => {
  const { giants, next, weight, most } = hand
  const limit = most(FREE)
  const all = next
    .map((_, bucket) => bucket)
    .filter((bucket) => weight(bucket) > limit)
    .sort((one, other) => weight(other) - weight(one) || one - other)
  const homeless = all.filter((bucket) => {
    const owner = next[bucket] ?? FREE
    if (owner === FREE || giants.has(owner)) return true
    giants.set(owner, bucket)
    return false
  })
  for (const bucket of homeless) {
    const home = lightest(
      hand,
      hand.shards.filter((shard) => !giants.has(shard)),
    )
    give(hand, bucket, home)
    giants.set(home, bucket)
  }
}

/** Shards that have too much let go of as little as brings them to what they may have. */
const shed = (hand: Hand): void => {
  const { giants, weight, most } = hand
  for (const shard of over(hand)) {
    const left: number[] = []
    for (const bucket of bucketsOf(hand, shard)) {
      if (giants.get(shard) === bucket) continue
      if (weight(bucket) <= loadOf(hand, shard) - most(shard)) give(hand, bucket, FREE)
      else left.push(bucket)
    }
    const last = left.findLast((bucket) => weight(bucket) >= loadOf(hand, shard) - most(shard))
    if (last !== undefined && loadOf(hand, shard) > most(shard)) give(hand, last, FREE)
  }
}

/** Heaviest first, each to the shard that has least. */
const placeFree = (hand: Hand): void => {
  for (const bucket of bucketsOf(hand, FREE)) give(hand, bucket, lightest(hand))
}

/** Where a heavy bucket found no room, lighter ones make it, or change places with it. */
const repair = (hand: Hand): void => {
  for (let left = 2 * hand.next.length; left > 0; left -= 1)
    if (!over(hand).some((shard) => relieve(hand, shard))) return
}

const relieve = (hand: Hand, shard: number): boolean => {
  const { shards, weight, most, giants, owners } = hand
  const mine = bucketsOf(hand, shard).filter((bucket) => giants.get(shard) !== bucket)
  const excess = loadOf(hand, shard) - most(shard)
  const others = shards.filter((one) => one !== shard)
  if (others.length === 0) return false
  const room = Math.max(...others.map((one) => most(one) - loadOf(hand, one)))
  // What has moved already, then what is just enough, then the most that fits.
  const fits = mine.filter((bucket) => weight(bucket) <= room)
  const enough = fits.filter((bucket) => weight(bucket) >= excess)
  const one = enough.findLast((bucket) => owners[bucket] !== shard) ?? enough.at(-1) ?? fits[0]
  if (one !== undefined) {
    const to = others.filter((other) => loadOf(hand, other) + weight(one) <= most(other))
    give(hand, one, lightest(hand, to))
    return true
  }
  const swap = bestSwap(hand, { shard, mine, others })
  if (!swap) return false
  give(hand, swap.heavy, swap.to)
  give(hand, swap.light, shard)
  return true
}

/** Two buckets that, had they each other's place, would leave the heavier of their shards with least. */
const bestSwap = (
  hand: Hand,
  {
    shard,
    mine,
    others,
  }: { readonly shard: number; readonly mine: readonly number[]; readonly others: readonly number[] },
): { readonly heavy: number; readonly light: number; readonly to: number } | undefined => {
  const { weight, most, giants } = hand
  let best: { readonly heavy: number; readonly light: number; readonly to: number } | undefined
  let lowest = loadOf(hand, shard) * (1 - 1e-9)
  for (const to of others)
    for (const light of bucketsOf(hand, to)) {
      if (giants.get(to) === light) continue
      for (const heavy of mine) {
        const more = weight(heavy) - weight(light)
        if (more <= 0) break
        if (loadOf(hand, to) + more > most(to)) continue
        const after = Math.max(loadOf(hand, shard) - more, loadOf(hand, to) + more)
        if (after < lowest) {
          best = { heavy, light, to }
          lowest = after
        }
      }
    }
  return best
}

/** New shards get their part from those that have most. */
const fillNew = (hand: Hand): void => {
  const { fresh, giants, shards, weight } = hand
  for (const shard of fresh)
    while (loadOf(hand, shard) < hand.least()) {
      const missing = hand.least() - loadOf(hand, shard)
      const from = shards
        .filter((one) => one !== shard && !giants.has(one) && loadOf(hand, one) > loadOf(hand, shard))
        .sort((one, other) => loadOf(hand, other) - loadOf(hand, one) || one - other)
      const found = from.map((one) => {
        const better = bucketsOf(hand, one).filter((bucket) => weight(bucket) < loadOf(hand, one) - loadOf(hand, shard))
        return better.find((bucket) => weight(bucket) <= missing) ?? better.at(-1)
      })
      const bucket = found.find((one) => one !== undefined)
      if (bucket === undefined) break
      give(hand, bucket, shard)
    }
}

/** What can be where it was without anybody having too much, or a new shard too little, is left there. */
const giveBack = (hand: Hand): void => {
  const { owners, next, load, weight, most, fresh, giants } = hand
  const moved = owners
    .map((_, bucket) => bucket)
    .filter((bucket) => weight(bucket) > 0)
    .sort((one, other) => weight(other) - weight(one) || one - other)
  const stays = (bucket: number): boolean => {
    const [from, to] = [owners[bucket] ?? FREE, next[bucket] ?? FREE]
    if (from === to || !load.has(from) || giants.get(to) === bucket) return false
    if (fresh.has(to) && loadOf(hand, to) - weight(bucket) < hand.least()) return false
    return loadOf(hand, from) + weight(bucket) <= most(from)
  }
  for (let bucket = moved.find(stays); bucket !== undefined; bucket = moved.find(stays))
    give(hand, bucket, owners[bucket] ?? FREE)
}

/** Buckets without targets cost nothing to move: shards that had nothing get their part, since targets may come to any of them. */
const placeEmpty = (hand: Hand): void => {
  const { next, shards, weight, fresh } = hand
  const counts = new Map(shards.map((shard) => [shard, next.filter((owner) => owner === shard).length]))
  const count = (shard: number): number => counts.get(shard) ?? 0
  const fewest = (some: readonly number[]): number =>
    some.reduce((one, other) => (count(other) < count(one) ? other : one))
  const part = Math.floor(next.length / shards.length)
  for (const [bucket, owner] of next.entries()) {
    if (weight(bucket) > 0) continue
    const poor = [...fresh].filter((shard) => count(shard) < part)
    const to = owner === FREE ? fewest(shards) : poor.length > 0 && count(owner) > part ? fewest(poor) : owner
    if (to === owner) continue
    counts.set(to, count(to) + 1).set(owner, count(owner) - 1)
    next[bucket] = to
  }
}
