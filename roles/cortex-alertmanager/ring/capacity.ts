import { tenantHash } from './hash.ts'
import { countsOf, type RingMember, type RingSettings, ringOf } from './ring.ts'
import { chooseTokens, drawTokens, seeded } from './tokens.ts'

/** How tenants are spread over the instances of a ring. */
export interface Spread {
  readonly instances: number
  readonly mean: number
  readonly worst: number
  readonly least: number
  /** How far the worst is above the mean, in hundredths of it. */
  readonly worstAbovePercent: number
}
export interface Wish {
  readonly tenants: number
  /** How many tenants one instance is to own at most. */
  readonly perInstance: number
  readonly settings: RingSettings
  /** The zones that instances are put into by turns; none without. */
  readonly zones?: readonly string[]
  readonly pollIntervalMs: number
  /** The names of the tenants, where they are known; others are made up. */
  readonly names?: readonly string[]
  /** How many rings are drawn to see how uneven they come out. */
  readonly draws?: number
}
export interface Capacity {
  readonly tenants: number
  readonly perInstance: number
  readonly replicationFactor: number
  /** How many instances would do if all owned the same. */
  readonly even: number
  /** With tokens as Cortex draws them: enough in nine rings of ten. */
  readonly drawn: Spread
  /** With chosen tokens. */
  readonly chosen: Spread
  readonly saved: number
  /** Of the instance that owns most, with drawn tokens. */
  readonly memory: { readonly idleBytes: number; readonly firingBytes: number; readonly rssBytes: number }
  readonly restartSeconds: number
  /** Reads of the object store, a second, of all instances. */
  readonly pollReadsPerSecond: number
}

/**
 * What an instance of Cortex 1.21.1 was measured to need, idle, and with ten alerts firing in each tenant (2,000 tenants on 2 cores). The
 * resident size is what processes of a ring of 30 came to while it grew; one that starts with all its tenants takes 1.4 MB for each.
 */
const MEASURED = { idleBytes: 0.98e6, firingBytes: 1.24e6, rssBytes: 2.3e6, restartSeconds: 6.5 / 2_000 } as const

/** How many instances some tenants need, and what to expect of them. Throws RangeError for numbers that make no sense. */
export const capacityOf = (wish: Wish): Capacity => {
  const { tenants, perInstance, settings, pollIntervalMs } = wish
  const { replicationFactor } = settings
  if (!(tenants > 0 && perInstance > 0 && replicationFactor > 0)) throw new RangeError('numbers above 0 are expected')
  const keys = keysOf(wish)
  const even = Math.max(replicationFactor, Math.ceil((replicationFactor * tenants) / perInstance))
  const drawn = fewest(even, perInstance, (instances) => usualSpread(keys, instances, wish))
  const chosen = fewest(even, perInstance, (instances) => spreadOf(chosenRing(instances, wish, keys), keys, settings))
  return {
    tenants,
    perInstance,
    replicationFactor,
    even,
    drawn,
    chosen,
    saved: drawn.instances - chosen.instances,
    memory: {
      idleBytes: Math.round(drawn.worst * MEASURED.idleBytes),
      firingBytes: Math.round(drawn.worst * MEASURED.firingBytes),
      rssBytes: Math.round(drawn.worst * MEASURED.rssBytes),
    },
    restartSeconds: Math.round(drawn.worst * MEASURED.restartSeconds * 10) / 10,
    pollReadsPerSecond: Math.round((replicationFactor * tenants + drawn.instances) / (pollIntervalMs / 10_000)) / 10,
  }
}

/** How these keys are spread over a ring. */
export const spreadOf = (members: readonly RingMember[], keys: readonly number[], settings: RingSettings): Spread => {
  const counts = countsOf(ringOf(members, settings), keys)
  const mean = counts.reduce((sum, one) => sum + one, 0) / Math.max(1, counts.length)
  const worst = Math.max(0, ...counts)
  return {
    instances: members.length,
    mean: Math.round(mean * 10) / 10,
    worst,
    least: counts.length === 0 ? 0 : Math.min(...counts),
    worstAbovePercent: mean === 0 ? 0 : Math.round((worst / mean - 1) * 1_000) / 10,
  }
}

/** A ring with more instances, whose tokens Cortex would draw; of several draws the one in the middle by its worst instance. */
export const grownByDraw = (there: readonly RingMember[], more: number, wish: Wish): Spread =>
  middleOf(draws(wish).map((random) => spreadOf(drawnRing(there, more, wish, random), keysOf(wish), wish.settings)))

/** The same with tokens that are chosen. */
export const grownByChoice = (there: readonly RingMember[], more: number, wish: Wish): Spread => {
  const keys = keysOf(wish)
  return spreadOf(chosenRing(there.length + more, wish, keys, there), keys, wish.settings)
}

/** The tenants' places on the ring. */
export const keysOf = ({ tenants, names }: Pick<Wish, 'tenants' | 'names'>): readonly number[] =>
  names ? names.map(tenantHash) : Array.from({ length: tenants }, (_, at) => tenantHash(`tenant-${at + 1}`))

const fewest = (from: number, perInstance: number, of: (instances: number) => Spread): Spread => {
  for (let instances = from; ; instances++) {
    const spread = of(instances)
    if (spread.worst <= perInstance) return spread
    // Twice the even number holds whatever tokens are drawn, but for a handful of tenants.
    if (instances >= from * 2 + 3) return spread
  }
}

/** The spread that nine rings of ten don't exceed. */
const usualSpread = (keys: readonly number[], instances: number, wish: Wish): Spread => {
  const spreads = draws(wish)
    .map((random) => spreadOf(drawnRing([], instances, wish, random), keys, wish.settings))
    .sort((one, other) => one.worst - other.worst)
  return spreads[Math.ceil(spreads.length * 0.9) - 1] ?? spreadOf([], keys, wish.settings)
}

const middleOf = (spreads: readonly Spread[]): Spread => {
  const sorted = [...spreads].sort((one, other) => one.worst - other.worst)
  const middle = sorted[Math.floor(sorted.length / 2)]
  if (!middle) throw new RangeError('no ring was drawn')
  return middle
}

const draws = ({ draws = 20 }: Wish): readonly (() => number)[] =>
  Array.from({ length: draws }, (_, at) => seeded(at + 1))

const zoneOf = ({ zones = [] }: Wish, at: number): string | undefined => zones[at % Math.max(1, zones.length)]

const drawnRing = (
  there: readonly RingMember[],
  more: number,
  wish: Wish,
  random: () => number,
): readonly RingMember[] => {
  const members = [...there]
  const taken = new Set(there.flatMap(({ tokens }) => tokens))
  for (let at = 0; at < more; at++) {
    const tokens = drawTokens(taken, random)
    for (const token of tokens) taken.add(token)
    members.push({ id: `new-${at + 1}`, tokens, zone: zoneOf(wish, members.length) })
  }
  return members
}

const chosenRing = (
  instances: number,
  wish: Wish,
  keys: readonly number[],
  there: readonly RingMember[] = [],
): readonly RingMember[] => {
  const members = [...there]
  const random = seeded(1)
  while (members.length < instances) {
    const zone = zoneOf(wish, members.length)
    const tokens = chooseTokens(members, { zone, settings: wish.settings, random, keys })
    members.push({ id: `new-${members.length + 1}`, tokens, zone })
  }
  return members
}
