/** One instance of a ring and what it owns by. */
export interface RingMember {
  readonly id: string
  /** Whole numbers below 2^32. */
  readonly tokens: readonly number[]
  /** '' where it has none. */
  readonly zone?: string
}
export interface RingSettings {
  readonly replicationFactor: number
  /** Whether replicas of a tenant are spread over zones. */
  readonly zoneAware: boolean
}

/** A ring as Cortex reads it: all tokens in order, each with its instance. */
export interface Ring {
  readonly members: readonly RingMember[]
  readonly settings: RingSettings
  readonly tokens: Uint32Array
  /** The index in `members` of each token's instance. */
  readonly owners: Uint16Array
  readonly zones: number
}

/** How many keys a ring has. */
export const RING_SIZE = 2 ** 32

/** Of a token that two instances have, the one that comes first by its id keeps it, as Cortex resolves it (`ring/model.go`, `resolveConflicts`). */
export const ringOf = (members: readonly RingMember[], settings: RingSettings): Ring => {
  const byToken = new Map<number, number>()
  const order = members.map((_, at) => at).sort((a, b) => ((members[a]?.id ?? '') < (members[b]?.id ?? '') ? -1 : 1))
  for (const at of order) for (const token of members[at]?.tokens ?? []) if (!byToken.has(token)) byToken.set(token, at)
  const tokens = Uint32Array.from(byToken.keys()).sort()
  const owners = Uint16Array.from(tokens, (token) => byToken.get(token) ?? 0)
  const zones = settings.zoneAware ? Math.max(1, new Set(members.map(({ zone = '' }) => zone)).size) : 1
  return { members, settings, tokens, owners, zones }
}

/**
 * The instances that own a key, by their indices, the first to notify first: those of the next tokens above it, each once, no more of a zone
 * than its part (cortex `pkg/ring/ring.go`, `Get`, where all instances are ACTIVE or the replica set is not extended).
 */
export const replicasOf = (ring: Ring, key: number): readonly number[] => replicasFrom(ring, tokenAbove(ring, key))

/** The index of the first token above a key; after the last comes the first again. */
export const tokenAbove = ({ tokens }: Ring, key: number): number => {
  let [low, high] = [0, tokens.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((tokens[middle] ?? 0) > key) high = middle
    else low = middle + 1
  }
  return low === tokens.length ? 0 : low
}

/** The owners of the keys just below a token. */
export const replicasFrom = (ring: Ring, start: number): readonly number[] => {
  const { members, owners, settings, zones } = ring
  const { replicationFactor, zoneAware } = settings
  const chosen: number[] = []
  const inZone = new Map<string, number>()
  const least = Math.floor(replicationFactor / zones)
  let extra = replicationFactor % zones
  for (let step = 0; step < owners.length && chosen.length < replicationFactor; step++) {
    const at = owners[(start + step) % owners.length] ?? 0
    if (chosen.includes(at)) continue
    const zone = zoneAware ? (members[at]?.zone ?? '') : ''
    if (zone !== '') {
      const there = inZone.get(zone) ?? 0
      if (there >= least + (extra > 0 ? 1 : 0)) continue
      if (there > 0 && there >= least) extra--
      inZone.set(zone, there + 1)
    }
    chosen.push(at)
  }
  return chosen
}

/** How much of the ring's keys each instance owns, as parts of all; they add up to the replication factor. */
export const sharesOf = (ring: Ring): readonly number[] => {
  const shares = ring.members.map(() => 0)
  const { tokens } = ring
  for (let at = 0; at < tokens.length; at++) {
    const before = at === 0 ? (tokens.at(-1) ?? 0) - RING_SIZE : (tokens[at - 1] ?? 0)
    const part = ((tokens[at] ?? 0) - before) / RING_SIZE
    for (const owner of replicasFrom(ring, at)) shares[owner] = (shares[owner] ?? 0) + part
  }
  return shares
}

/** How many of these keys each instance owns. */
export const countsOf = (ring: Ring, keys: Iterable<number>): readonly number[] => {
  const counts = ring.members.map(() => 0)
  const known = new Map<number, readonly number[]>()
  for (const key of keys) {
    const start = tokenAbove(ring, key)
    const owners = known.get(start) ?? replicasFrom(ring, start)
    known.set(start, owners)
    for (const owner of owners) counts[owner] = (counts[owner] ?? 0) + 1
  }
  return counts
}
