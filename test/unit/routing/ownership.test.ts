import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Matcher, meetsAll } from '../../../lib/routing/matcher.ts'
import { common } from '../../../lib/routing/overlaps.ts'
import { ownershipSteps, withOwner } from '../../../lib/routing/ownership.ts'
import type { Team } from '../../../lib/routing/team.ts'

const matcher = fc.record({
  name: fc.constantFrom('namespace', 'cluster', 'job'),
  operator: fc.constantFrom('=', '!=', '=~', '!~'),
  value: fc.constantFrom('', 'a', 'b', 'a|b', 'a.*', '[^a]+', '(?i)AB?', 'ab', '.{2}'),
}) as fc.Arbitrary<Matcher>
const claim = fc.array(matcher, { minLength: 1, maxLength: 4 }).map((matchers) => ({ matchers, where: () => '' }))
const alert = fc.dictionary(
  fc.constantFrom('namespace', 'cluster', 'job', 'team'),
  fc.constantFrom('a', 'b', 'ab', 'AB', 'A', 'x'),
)
const teamOf = (claims: Team['claims']): Team => ({
  name: 'mine',
  isDefault: false,
  claims,
  receivers: {},
  notify: [],
  times: {},
  mute: [],
  grouping: {},
  where: () => '',
})

test('an alert gets a team at the source exactly when it meets one of its claims, and keeps one that it has', () => {
  fc.assert(
    fc.property(fc.array(claim, { maxLength: 4 }), alert, (claims, labels) => {
      const owned = claims.some(({ matchers }) => meetsAll(labels, matchers))
      const wanted = labels.team ?? (owned ? 'mine' : undefined)
      expect(withOwner(labels, ownershipSteps([teamOf(claims)], 'team'))).toEqual({
        ...labels,
        ...(wanted !== undefined && { team: wanted }),
      })
    }),
    { numRuns: 2000 },
  )
})

test('the alert that is shown for two claims meets both, and where none is shown none meets both', () => {
  fc.assert(
    fc.property(claim, claim, alert, (one, other, labels) => {
      const found = common(one, other)
      if (found && 'alert' in found)
        expect([meetsAll(found.alert, one.matchers), meetsAll(found.alert, other.matchers)]).toEqual([true, true])
      else expect(meetsAll(labels, [...one.matchers, ...other.matchers])).toBe(false)
    }),
    { numRuns: 2000 },
  )
})
