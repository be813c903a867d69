import { expect, test } from 'vitest'
import type { Silence } from '../../../../lib/api/alertmanager.ts'
import { missingSilences } from '../../../../lib/routing/silence.ts'
import { endedSilences } from '../../../../roles/alertmanager/bring-back-silences.ts'

const NOW = Date.parse('2026-11-22T12:00:00Z')
const silence = (id: string, more: Partial<Silence> = {}): Silence => ({
  id,
  status: { state: 'active' },
  matchers: [
    { name: 'alertname', value: 'Down', isRegex: false, isEqual: true },
    { name: 'instance', value: 'a.*', isRegex: true, isEqual: false },
  ],
  startsAt: '2026-11-22T11:00:00Z',
  endsAt: '2026-11-22T13:00:00Z',
  createdBy: 'op',
  comment: 'work',
  ...more,
})
const ids = (saved: readonly Silence[], known: readonly Silence[]) =>
  missingSilences(saved, known, NOW).map(({ id }) => id)

test('a silence that the cluster has lost is made anew, one to come as well', () => {
  expect(ids([silence('a'), silence('b', { status: { state: 'pending' }, comment: 'later' })], [])).toEqual(['a', 'b'])
})
test('one that has ended is not, whenever it ended', () => {
  const over = silence('b', { endsAt: '2026-11-22T11:30:00Z' })
  expect(ids([silence('a', { status: { state: 'expired' } }), over], [])).toEqual([])
})
test('one that is still known is not, nor one that somebody has ended since', () => {
  expect(ids([silence('a')], [silence('a')])).toEqual([])
  expect(ids([silence('a')], [silence('a', { status: { state: 'expired' } })])).toEqual([])
})
test('one that was brought back already under another id is not', () => {
  const again = silence('z', { startsAt: '2026-11-22T11:59:00Z', endsAt: '2026-11-22T13:00:00.000Z' })
  const turned = { ...again, matchers: [...again.matchers].reverse() }
  expect(ids([silence('a')], [turned])).toEqual([])
  expect(ids([silence('a', { comment: 'other work' })], [turned])).toEqual(['a'])
})
test('one that had ended by then, and that an older file brought to life, is ended', () => {
  const over = { status: { state: 'expired' } }
  const ended = endedSilences([silence('a', over), silence('b')], [silence('a'), silence('b'), silence('c')])
  expect(ended.map(({ id }) => id)).toEqual(['a'])
  expect(endedSilences([silence('a', over)], [silence('a', over)])).toEqual([])
})
