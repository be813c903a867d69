/** Fleets that are made up, and the ways in which tools hand their targets out to shards. */
import { handOut } from '../../lib/sharding/hand-out.ts'
import { hashOf } from '../../lib/sharding/hash.ts'
import type { MeasuredTarget } from '../../lib/sharding/plan.ts'
import { BUCKETS } from '../../lib/sharding/table.ts'

/** Random numbers from 0 to below 1, the same for the same seed. */
export const randomBy = (seed: number) => {
  let state = seed
  return (): number => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

export const FLEETS = ['even', 'tail', 'heavy', 'namespaces'] as const
export type FleetKind = (typeof FLEETS)[number]
export const ABOUT: Readonly<Record<FleetKind, string>> = {
  even: 'every target alike, hashed by address',
  tail: 'a Pareto tail (1.2; the heaviest some 1,000 times the lightest), hashed by address',
  heavy: 'the same, one target with 30% of all series and ten with 3% each, hashed by address',
  namespaces: 'the same tail in 2,000 namespaces of very different size, hashed by namespace',
}

/** So many targets of a fleet. */
export const targetsOf = (
  kind: FleetKind,
  { count, seed }: { readonly count: number; readonly seed: number },
): readonly MeasuredTarget[] => {
  const draw = randomBy(seed)
  const tail = (): number => Math.ceil(100 * Math.min(1_000, (1 - draw()) ** (-1 / 1.2)))
  const series = Array.from({ length: count }, () => (kind === 'even' ? 500 : tail()))
  const rest = series.reduce((sum, one) => sum + one, 0)
  // Of all, 40% is the others'.
  if (kind === 'heavy')
    for (let at = 0; at <= 10; at += 1) series[at] = Math.round((rest / 0.4) * (at === 0 ? 0.3 : 0.03))
  return series.map((own, at) => {
    const address = `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}:9100`
    const namespace = `ns-${Math.floor(2_000 * draw() ** 3)}`
    return {
      name: `app http://${address}/metrics`,
      labels: { __address__: address, __scheme__: 'http', instance: address, job: `job-${at % 40}`, namespace },
      series: own,
      samplesPerSecond: own / 15,
    }
  })
}
/** What a fleet's targets are hashed by. */
export const hashedBy = (kind: FleetKind): string => (kind === 'namespaces' ? 'namespace' : '__address__')

export const WAYS = ['table', 'hashmod', 'rendezvous', 'bounded'] as const
export type Way = (typeof WAYS)[number]

/** The shard of each target, for one shard, then for two, and so on. */
export type Spread = (shards: number) => Int32Array

/** A way to hand targets out, for so many shards as it is asked for in order from 1 on. */
export const spreadBy = (way: Way, targets: readonly MeasuredTarget[], label: string): Spread => {
  const hashes = hashesOf(targets, label)
  switch (way) {
    case 'table':
      return byTable(hashes, targets)
    case 'hashmod':
      return (shards) => Int32Array.from(hashes, (hash) => Number(hash % BigInt(shards)))
    case 'rendezvous':
      return byRendezvous(hashes)
    case 'bounded':
      return byBoundedLoad(hashes)
  }
}

const hashesOf = (targets: readonly MeasuredTarget[], label: string): readonly bigint[] => {
  const known = new Map<string, bigint>()
  return targets.map(({ labels }) => {
    const text = labels[label] ?? ''
    const hash = known.get(text) ?? hashOf(text)
    known.set(text, hash)
    return hash
  })
}

const byTable = (hashes: readonly bigint[], targets: readonly MeasuredTarget[]): Spread => {
  const buckets = Int32Array.from(hashes, (hash) => Number(hash % BigInt(BUCKETS)))
  const weights = new Array<number>(BUCKETS).fill(0)
  for (const [at, { series }] of targets.entries())
    weights[buckets[at] ?? 0] = (weights[buckets[at] ?? 0] ?? 0) + series
  let owners: readonly number[] = new Array<number>(BUCKETS).fill(0)
  return (count) => {
    owners = handOut({ owners, weights, shards: Array.from({ length: count }, (_, shard) => shard) })
    return buckets.map((bucket) => owners[bucket] ?? 0)
  }
}

/** The shard with the highest of the hashes of target and shard. */
const byRendezvous = (hashes: readonly bigint[]): Spread => {
  const low = Uint32Array.from(hashes, (hash) => Number(hash & 0xffff_ffffn))
  const best = new Float64Array(hashes.length).fill(-1)
  const owners = new Int32Array(hashes.length)
  let done = 0
  return (count) => {
    for (; done < count; done += 1)
      for (let at = 0; at < low.length; at += 1) {
        const score = mixed((low[at] ?? 0) ^ mixed(done + 1))
        if (score > (best[at] ?? 0)) {
          best[at] = score
          owners[at] = done
        }
      }
    return owners.slice()
  }
}

/** A number's bits well mixed (the finish of MurmurHash3). */
const mixed = (number: number): number => {
  let one = number | 0
  one = Math.imul(one ^ (one >>> 16), 0x85ebca6b)
  one = Math.imul(one ^ (one >>> 13), 0xc2b2ae35)
  return (one ^ (one >>> 16)) >>> 0
}

const PARTITIONS = 1_061
const POINTS = 5
const LOAD = 1.1
/**
 * Consistent hashing where each of 1,061 partitions goes to the next shard on the ring that has fewer than 1.1 times as many as the mean: what the target
 * allocator of OpenTelemetry does, which knows no load of a target.
 */
const byBoundedLoad = (hashes: readonly bigint[]): Spread => {
  const partitions = Int32Array.from(hashes, (hash) => Number(hash % BigInt(PARTITIONS)))
  return (count) => {
    const ring = Array.from({ length: count * POINTS }, (_, point) => ({
      shard: Math.floor(point / POINTS),
      at: hashOf(`shard-${Math.floor(point / POINTS)} ${point % POINTS}`),
    })).sort((one, other) => (one.at < other.at ? -1 : 1))
    const most = Math.ceil((PARTITIONS / count) * LOAD)
    const has = new Int32Array(count)
    const owners = Int32Array.from({ length: PARTITIONS }, (_, partition) => {
      const hash = hashOf(`partition ${partition}`)
      let at = ring.findIndex((point) => point.at >= hash)
      if (at < 0) at = 0
      while ((has[ring[at % ring.length]?.shard ?? 0] ?? 0) >= most) at += 1
      const shard = ring[at % ring.length]?.shard ?? 0
      has[shard] = (has[shard] ?? 0) + 1
      return shard
    })
    return partitions.map((partition) => owners[partition] ?? 0)
  }
}
