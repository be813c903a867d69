import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  capacityOf,
  grownByChoice,
  grownByDraw,
  spreadOf,
  type Wish,
} from '../../../../roles/cortex-alertmanager/ring/capacity.ts'
import { tenantHash } from '../../../../roles/cortex-alertmanager/ring/hash.ts'
import {
  countsOf,
  type RingMember,
  type RingSettings,
  replicasOf,
  ringOf,
  sharesOf,
} from '../../../../roles/cortex-alertmanager/ring/ring.ts'
import {
  chooseTokens,
  drawTokens,
  seeded,
  TOKENS,
  tokensFile,
} from '../../../../roles/cortex-alertmanager/ring/tokens.ts'

const SETTINGS: RingSettings = { replicationFactor: 3, zoneAware: false }
const ZONED: RingSettings = { replicationFactor: 3, zoneAware: true }
const member = (id: string, tokens: readonly number[], zone?: string): RingMember => ({ id, tokens, zone })
const ringBy = (
  instances: number,
  of: (there: readonly RingMember[], zone: string | undefined) => readonly number[],
  zones: readonly string[] = [],
): readonly RingMember[] => {
  const members: RingMember[] = []
  while (members.length < instances) {
    const zone = zones[members.length % Math.max(1, zones.length)]
    members.push(member(`am-${members.length + 1}`, of(members, zone), zone))
  }
  return members
}
const drawn = (instances: number, seed = 1): readonly RingMember[] => {
  const random = seeded(seed)
  return ringBy(instances, (there) => drawTokens(new Set(there.flatMap(({ tokens }) => tokens)), random))
}
const keys = Array.from({ length: 20_000 }, (_, at) => tenantHash(`tenant-${at + 1}`))

// From the FNV reference, draft-eastlake-fnv, appendix C.
test.each([
  ['', 0x811c9dc5],
  ['a', 0xe40c292c],
  ['foobar', 0xbf9cf968],
])('the hash of %j is that of the reference', (text, hash) => {
  expect(tenantHash(text)).toBe(hash)
})

test('a tenant of other letters is hashed by its UTF-8 bytes', () => {
  expect(tenantHash('é')).not.toBe(tenantHash('e'))
})

describe('owners of a key', () => {
  const members = [member('a', [100, 400]), member('b', [200, 500]), member('c', [300]), member('d', [600])]
  test.each([
    [0, ['a', 'b', 'c']],
    // A key that is a token belongs to the next one.
    [100, ['b', 'c', 'a']],
    [299, ['c', 'a', 'b']],
    [450, ['b', 'd', 'a']],
    [600, ['a', 'b', 'c']],
    [4_294_967_295, ['a', 'b', 'c']],
  ])('of %i are %j', (key, ids) => {
    const ring = ringOf(members, SETTINGS)
    expect(replicasOf(ring, key).map((at) => members[at]?.id)).toEqual(ids)
  })

  test('a zone has no more of them than its part', () => {
    const zoned = [member('a', [100], 'x'), member('b', [200], 'x'), member('c', [300], 'y'), member('d', [400], 'z')]
    expect(replicasOf(ringOf(zoned, ZONED), 0).map((at) => zoned[at]?.id)).toEqual(['a', 'c', 'd'])
    expect(replicasOf(ringOf(zoned, SETTINGS), 0).map((at) => zoned[at]?.id)).toEqual(['a', 'b', 'c'])
  })

  test('with two zones for three replicas one has two of them', () => {
    const zoned = [member('a', [100], 'x'), member('b', [200], 'x'), member('c', [300], 'x'), member('d', [400], 'y')]
    expect(replicasOf(ringOf(zoned, ZONED), 0).map((at) => zoned[at]?.id)).toEqual(['a', 'b', 'd'])
  })

  test('a token that two have is that of the first by its id', () => {
    const both = [member('b', [100]), member('a', [100, 200])]
    expect(replicasOf(ringOf(both, { replicationFactor: 1, zoneAware: false }), 50).map((at) => both[at]?.id)).toEqual([
      'a',
    ])
  })

  test('shares and counts add up to the replication factor', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.integer(), (instances, seed) => {
        const ring = ringOf(drawn(instances, seed), SETTINGS)
        const factor = Math.min(3, instances)
        expect(sharesOf(ring).reduce((sum, one) => sum + one, 0)).toBeCloseTo(factor, 6)
        expect(countsOf(ring, keys.slice(0, 500)).reduce((sum, one) => sum + one, 0)).toBe(factor * 500)
      }),
      { numRuns: 20 },
    )
  })
})

describe('chosen tokens', () => {
  test('let the worst instance own within 1% of the mean of tenants that are known', () => {
    const random = seeded(1)
    const members = ringBy(30, (there) => chooseTokens(there, { settings: SETTINGS, random, keys }))
    expect(spreadOf(members, keys, SETTINGS).worstAbovePercent).toBeLessThan(1)
    expect(spreadOf(drawn(30), keys, SETTINGS).worstAbovePercent).toBeGreaterThan(5)
  })

  test('even out the ring itself where no tenant is known yet', () => {
    const random = seeded(2)
    const members = ringBy(8, (there) => chooseTokens(there, { settings: SETTINGS, random }))
    const shares = sharesOf(ringOf(members, SETTINGS))
    expect(Math.max(...shares) / (3 / 8)).toBeLessThan(1.01)
  })

  test('even it out within zones too', () => {
    const random = seeded(3)
    const members = ringBy(9, (there, zone) => chooseTokens(there, { zone, settings: ZONED, random, keys }), [
      'x',
      'y',
      'z',
    ])
    expect(spreadOf(members, keys, ZONED).worstAbovePercent).toBeLessThan(5)
  })

  test('leave those alone that are there, are as many as Cortex has, and none twice', () => {
    const there = drawn(4)
    const tokens = chooseTokens(there, { settings: SETTINGS, random: seeded(4) })
    const all = [...there.flatMap((one) => one.tokens), ...tokens]
    expect([tokens.length, new Set(all).size, [...tokens].sort((a, b) => a - b)]).toEqual([TOKENS, all.length, tokens])
    expect(JSON.parse(tokensFile(tokens))).toEqual({ tokens })
  })
})

describe('capacity', () => {
  const wish: Wish = { tenants: 20_000, perInstance: 2_000, settings: SETTINGS, pollIntervalMs: 60_000, draws: 10 }

  test('20,000 tenants of 2,000 an instance need some 35 with drawn tokens, and 31 at most with chosen ones', () => {
    const found = capacityOf(wish)
    expect(found.even).toBe(30)
    expect(found.drawn.instances).toBeGreaterThan(32)
    expect(found.chosen.instances).toBeLessThanOrEqual(31)
    expect([found.drawn.worst <= 2_000, found.chosen.worst <= 2_000]).toEqual([true, true])
    expect(found.saved).toBe(found.drawn.instances - found.chosen.instances)
    expect(found.pollReadsPerSecond).toBeCloseTo(60_000 / 60, -1)
  })

  test('a ring of three that grows by three', () => {
    const there = drawn(3)
    const few = { ...wish, tenants: 2_000 }
    expect([grownByDraw(there, 3, few).mean, grownByChoice(there, 3, few).worst]).toEqual([1_000, expect.any(Number)])
    expect(grownByChoice(there, 3, few).worst).toBeLessThanOrEqual(grownByDraw(there, 3, few).worst)
  })

  test('numbers that make no sense are refused', () => {
    expect(() => capacityOf({ ...wish, tenants: 0 })).toThrow(RangeError)
  })
})
