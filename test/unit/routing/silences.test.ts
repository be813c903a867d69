import { expect, test } from 'vitest'
import { compareSilences, heldSilences, silenceOf, wishOf, written } from '../../../lib/routing/silence.ts'

const now = new Date('2026-01-05T10:00:00Z')
const file = { matchers: ['job="x"', 'a!~"b.*"'], endsAt: '2026-01-05T12:00:00Z', createdBy: 'me', comment: 'why' }
const held = (state: string) => ({ ...wishOf(silenceOf(file), now), id: 'id', status: { state } })

test('a silence that Alertmanager has is not created again, whatever its start; one that has ended there is', () => {
  const compare = (state: string) => {
    const { missing, extra, same } = compareSilences([silenceOf(file)], heldSilences([held(state)]), now)
    return [missing.length, extra.length, same]
  }
  expect(compare('active')).toEqual([0, 0, 1])
  expect(compare('pending')).toEqual([0, 0, 1])
  expect(compare('expired')).toEqual([1, 0, 0])
})

test('one that is over is not created, and one in no file is told of', () => {
  const over = silenceOf({ ...file, endsAt: '2026-01-05T09:00:00Z' })
  const { missing, extra } = compareSilences([over, over], heldSilences([held('active')]), now)
  expect([missing.length, extra.length]).toEqual([0, 1])
})

test('what is exported is what was imported', () => {
  const [back] = heldSilences([held('active')])
  expect(back && written(back)).toEqual({ ...file, startsAt: now.toISOString() })
})
