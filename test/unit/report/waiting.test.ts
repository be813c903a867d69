import { expect, test } from 'vitest'
import { waitedMs } from '../../../lib/report/waiting.ts'

const gate = (second: number, ms: number) => ({
  name: 'g',
  host: 'h',
  play: 'p',
  pass: true,
  at: new Date(second * 1_000).toISOString(),
  ms,
})

test('gates that were asked at the same time count once', () => {
  expect(waitedMs([])).toBe(0)
  expect(waitedMs([gate(0, 5_000), gate(0, 3_000), gate(2, 4_000)])).toBe(6_000)
  expect(waitedMs([gate(20, 1_000), gate(0, 5_000)])).toBe(6_000)
})
