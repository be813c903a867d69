import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseRanges, rangesRegex, rangesText } from '../../../lib/sharding/ranges.ts'

const numbers = fc.uniqueArray(fc.integer({ min: 0, max: 1_200 }), { maxLength: 300 })

test.each([
  ['0-340,1020', 342],
  ['7', 1],
  ['', 0],
  [' 1 - 3 , 2-5 ', 5],
])('%j is read', (text, count) => {
  expect(parseRanges(text)).toHaveLength(count)
})

test.each(['3-1', 'a', '1-', '1,,2', '-1', '0-99999999', '1.5'])('%j is none', (text) => {
  expect(parseRanges(text)).toBeNull()
})

test('what is written is read again', () => {
  fc.assert(
    fc.property(numbers, (some) => {
      expect(parseRanges(rangesText(some))).toEqual([...some].sort((a, b) => a - b))
    }),
  )
})

test('the expression matches these numbers, and no other text', () => {
  fc.assert(
    fc.property(numbers, (some) => {
      const regex = new RegExp(`^(?:${rangesRegex(some)})$`)
      const wanted = new Set(some)
      for (let one = 0; one <= 12_100; one += 1) if (regex.test(String(one)) !== wanted.has(one)) return false
      return ['', '00', '01', 'x', '1 '].every((text) => !regex.test(text))
    }),
    { numRuns: 200 },
  )
})

test('a range is a handful of patterns', () => {
  expect(rangesRegex(Array.from({ length: 1_018 }, (_, at) => at + 3))).toBe(
    String.raw`[3-9]|[1-9]\d|[1-9]\d\d|10[01]\d|1020`,
  )
  expect(rangesRegex([0])).toBe('0')
  expect(rangesRegex(Array.from({ length: 1_024 }, (_, at) => at))).toBe(
    String.raw`\d|[1-9]\d|[1-9]\d\d|10[01]\d|102[0-3]`,
  )
})
