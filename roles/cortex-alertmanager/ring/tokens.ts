import { RING_SIZE, type Ring, type RingMember, type RingSettings, replicasFrom, ringOf } from './ring.ts'

/** How many tokens an Alertmanager of Cortex has; it is no setting (cortex `pkg/alertmanager/alertmanager_ring.go`). */
export const TOKENS = 128

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32, public domain). */
export const seeded = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / RING_SIZE
  }
}

/** Tokens as Cortex draws them: each key as likely as any other, none that is taken. */
export const drawTokens = (taken: ReadonlySet<number>, random: () => number): readonly number[] => {
  const drawn = new Set<number>()
  while (drawn.size < TOKENS) {
    const token = Math.floor(random() * RING_SIZE)
    if (!taken.has(token)) drawn.add(token)
  }
  return [...drawn].sort((a, b) => a - b)
}

/** How many places are tried for each token. */
const TRIED = 24

interface Choosing {
  readonly zone?: string
  readonly settings: RingSettings
  readonly random: () => number
  /** Of the tenants that there are: these are what is shared evenly. Without, any key is as likely as any other. */
  readonly keys?: readonly number[]
}

/**
 * Tokens for one more instance, so that all own as nearly the same as can be; those that are there keep theirs. Each token goes to whichever
 * of some places evens the shares out best, and half of the places lie where the instance that owns most would lose something.
 */
export const chooseTokens = (
  there: readonly RingMember[],
  { zone, settings, random, keys }: Choosing,
): readonly number[] => {
  const tokens: number[] = []
  const taken = new Set(there.flatMap((member) => member.tokens))
  const newcomer = { id: '', zone, tokens }
  const growing = growingRing([...there, newcomer], settings, keys ? partOfKeys(keys) : partOfAll)
  const wanted = evenShares([...there, newcomer], settings)[there.length] ?? 0
  for (let left = TOKENS; left > 0; left--) {
    // Each token brings its part of what is still missing, so that the last ones can even out what is left over.
    const share = growing.shareOf(there.length)
    const goal = share + (wanted - share) / left
    let best: { token: number; cost: number } | undefined
    for (let tried = 0; tried < TRIED; tried++) {
      const token = tried % 2 === 0 ? Math.floor(random() * RING_SIZE) : growing.keyOfLargest(random)
      if (taken.has(token)) continue
      const cost = growing.costWith(token, { of: there.length, goal, left })
      if (best === undefined || cost < best.cost) best = { token, cost }
    }
    if (best === undefined) continue
    taken.add(best.token)
    tokens.push(best.token)
    growing.add(best.token, there.length)
  }
  return tokens.sort((a, b) => a - b)
}

/** The same as a file that Cortex reads at its start (`tokens_file_path`; cortex `pkg/ring/token_file.go`). */
export const tokensFile = (tokens: readonly number[]): string => `${JSON.stringify({ tokens })}\n`

interface Growing {
  shareOf(member: number): number
  /** A key that the member with the largest share owns. */
  keyOfLargest(random: () => number): number
  /** How far shares would be from even with one more token. */
  costWith(token: number, wish: { readonly of: number; readonly goal: number; readonly left: number }): number
  add(token: number, member: number): void
}

/** What each would own if it were shared out evenly. Each of as many zones as there are replicas has one of each tenant, whatever its size. */
const evenShares = (
  members: readonly RingMember[],
  { replicationFactor, zoneAware }: RingSettings,
): readonly number[] => {
  const factor = Math.min(replicationFactor, members.length)
  const sizes = new Map<string, number>()
  for (const { zone = '' } of members) sizes.set(zone, (sizes.get(zone) ?? 0) + 1)
  const byZone = zoneAware && sizes.size > 1 && factor % sizes.size === 0
  return members.map(({ zone = '' }) =>
    byZone ? factor / sizes.size / (sizes.get(zone) ?? 1) : factor / members.length,
  )
}

/** A ring whose shares are kept while it grows: a token changes only what lies shortly before it. */
const growingRing = (members: readonly RingMember[], settings: RingSettings, part: Part): Growing => {
  let ring = ringOf(members, settings)
  const arc = ({ tokens }: Ring, at: number): number => {
    if (tokens.length === 1) return 1
    return part(tokens[(at + tokens.length - 1) % tokens.length] ?? 0, tokens[at] ?? 0)
  }
  let shares = members.map(() => 0)
  for (let at = 0; at < ring.tokens.length; at++)
    for (const owner of replicasFrom(ring, at)) shares[owner] = (shares[owner] ?? 0) + arc(ring, at)
  const even = evenShares(members, settings)
  const changes = (token: number, member: number): ReadonlyMap<number, number> => {
    const wider = withToken(ring, token, member)
    const at = wider.tokens.indexOf(token)
    const difference = new Map<number, number>()
    const count = (owners: readonly number[], change: number): void => {
      for (const owner of owners) difference.set(owner, (difference.get(owner) ?? 0) + change)
    }
    // Backwards from the token, as long as owners change. What lies before the token was part of the arc that it now divides.
    const length = wider.tokens.length
    for (let back = 0; back < length; back++) {
      const here = (at - back + length) % length
      const owners = replicasFrom(wider, here)
      const before = replicasFrom(ring, here > at ? here - 1 : here % Math.max(1, ring.tokens.length))
      if (back > 0 && owners.join() === before.join()) break
      const change = arc(wider, here)
      count(before, -change)
      count(owners, change)
    }
    return difference
  }
  return {
    shareOf: (member) => shares[member] ?? 0,
    keyOfLargest(random) {
      const largest = shares.indexOf(Math.max(...shares))
      const own = members[largest]?.tokens ?? []
      const token = own[Math.floor(random() * own.length)] ?? 0
      const at = ring.tokens.indexOf(token)
      const width = at < 0 ? 0 : partOfAll(ring.tokens.at(at - 1) ?? 0, token)
      return Math.floor((((token - random() * width * RING_SIZE) % RING_SIZE) + RING_SIZE) % RING_SIZE)
    },
    costWith(token, { of, goal }) {
      const difference = changes(token, of)
      let cost = 0
      for (const [member, change] of difference) {
        const wanted = member === of ? goal : (even[member] ?? 0)
        const [now, then] = [(shares[member] ?? 0) - wanted, (shares[member] ?? 0) + change - wanted]
        cost += then * then - now * now
      }
      return cost
    },
    add(token, member) {
      const difference = changes(token, member)
      shares = shares.map((share, at) => share + (difference.get(at) ?? 0))
      ring = withToken(ring, token, member)
    },
  }
}

const withToken = (ring: Ring, token: number, member: number): Ring => {
  const at = ring.tokens.findIndex((one) => one > token)
  const place = at < 0 ? ring.tokens.length : at
  const tokens = new Uint32Array(ring.tokens.length + 1)
  tokens.set(ring.tokens.subarray(0, place))
  tokens[place] = token
  tokens.set(ring.tokens.subarray(place), place + 1)
  const owners = new Uint16Array(tokens.length)
  owners.set(ring.owners.subarray(0, place))
  owners[place] = member
  owners.set(ring.owners.subarray(place), place + 1)
  return { ...ring, tokens, owners }
}

/** The part of all that lies above one token and not above the next, which may be around the end of the ring. */
type Part = (after: number, upTo: number) => number

const partOfAll: Part = (after, upTo) => (upTo > after ? upTo - after : upTo - after + RING_SIZE) / RING_SIZE

/** A key that is a token belongs to the next one: `searchToken` looks for a token above it. */
const partOfKeys = (keys: readonly number[]): Part => {
  const sorted = Uint32Array.from(keys).sort()
  const below = (token: number): number => {
    let [low, high] = [0, sorted.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((sorted[middle] ?? 0) < token) low = middle + 1
      else high = middle
    }
    return low
  }
  const all = Math.max(1, sorted.length)
  return (after, upTo) => (below(upTo) - below(after) + (upTo > after ? 0 : sorted.length)) / all
}
