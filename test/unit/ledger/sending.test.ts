import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Note } from '../../../lib/ledger/events.ts'
import { sendCanaries } from '../../../lib/ledger/sending.ts'

beforeEach(() => void vi.useFakeTimers({ now: 0 }))
afterEach(() => void vi.useRealTimers())

/** Sends one a second, of 3 and 5 seconds; `accept` says that a machine has what was written. */
const sending = (first = 1) => {
  const told: string[] = []
  const note: Note = (event) =>
    void ('canary' in event && told.push(`${Date.now() / 1_000} ${event.what} ${event.canary}`))
  const writes: { readonly text: string; readonly accept: () => void }[] = []
  const write = (text: string, accept: () => void): void => void writes.push({ text, accept })
  const sender = sendCanaries({ run: 'r', shard: null, lifetimes: [3_000, 5_000], everyMs: 1_000, first, write, note })
  const alive = () => [...(writes.at(-1)?.text.matchAll(/canary="(c\d+)"/g) ?? [])].map(([, name]) => name)
  return { told, writes, sender, alive }
}

test('a canary counts as sent when a machine has it, and as ended when it is taken away', () => {
  const { told, writes, alive } = sending()
  expect(told).toEqual([])
  vi.advanceTimersByTime(500)
  writes[0]?.accept()
  expect(told).toEqual(['0.5 sent c0000'])
  vi.advanceTimersByTime(2_500)
  expect(told).toEqual(['0.5 sent c0000', '3 ended c0000'])
  expect(alive()).toEqual(['c0001', 'c0002', 'c0003'])
})

test('the first are sent together, and each that comes after alone', () => {
  const { told, writes, alive } = sending(3)
  writes[0]?.accept()
  expect(told).toEqual(['0 sent c0000', '0 sent c0001', '0 sent c0002'])
  vi.advanceTimersByTime(1_000)
  expect(alive()).toEqual(['c0000', 'c0001', 'c0002', 'c0003'])
  vi.advanceTimersByTime(2_000)
  expect(alive()).toEqual(['c0001', 'c0003', 'c0004', 'c0005'])
})

test('one that no machine ever had is not counted', () => {
  const { told, writes } = sending()
  vi.advanceTimersByTime(6_000)
  writes[0]?.accept()
  expect(told).toEqual([])
})

test('when no more are sent, those under way last as long as they should', () => {
  const { writes, sender, alive } = sending()
  vi.advanceTimersByTime(1_000)
  sender.noMore()
  vi.advanceTimersByTime(1_000)
  expect(alive()).toEqual(['c0000', 'c0001'])
  vi.advanceTimersByTime(1_000)
  expect(alive()).toEqual(['c0001'])
  const before = writes.length
  vi.advanceTimersByTime(2_000)
  expect(writes.length).toBe(before)
})

test('all can be ended at once', () => {
  const { told, writes, sender, alive } = sending()
  vi.advanceTimersByTime(1_000)
  for (const { accept } of writes) accept()
  sender.endAll()
  expect(alive()).toEqual([])
  expect(told).toEqual(['1 sent c0000', '1 sent c0001', '1 ended c0000', '1 ended c0001'])
  vi.advanceTimersByTime(10_000)
  expect(alive()).toEqual([])
})
