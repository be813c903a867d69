/** Sets of whole numbers as people write them: `0-340,1020`. */

/** The text for a set of numbers, given in any order; '' for none. */
export const rangesText = (numbers: Iterable<number>): string =>
  rangesOf(numbers)
    .map(({ from, to }) => (from === to ? String(from) : `${from}-${to}`))
    .join(',')

/** The numbers of a text, in order and each once; null for a text that is none: `3-1`, `a`, `1-`. '' is no numbers. */
export const parseRanges = (text: string): readonly number[] | null => {
  if (text.trim() === '') return []
  const found = new Set<number>()
  for (const part of text.split(',')) {
    const [, first, last = first] = /^\s*(\d{1,7})(?:\s*-\s*(\d{1,7}))?\s*$/.exec(part) ?? []
    if (first === undefined || Number(last) < Number(first)) return null
    if (Number(last) - Number(first) > MOST) return null
    for (let one = Number(first); one <= Number(last); one += 1) found.add(one)
  }
  return [...found].sort((a, b) => a - b)
}

/** No table has more buckets than these. */
export const MOST = 65_536

/**
 * A regular expression, to be anchored at both ends by who uses it, that matches exactly the decimal texts of these numbers. Made of ranges of
 * digits, so that a thousand numbers are a few hundred letters. '' would match the empty text, so none gives one that matches nothing.
 */
export const rangesRegex = (numbers: Iterable<number>): string => {
  const parts = rangesOf(numbers).flatMap(({ from, to }) => patternsOf(from, to))
  return parts.length === 0 ? NOTHING : parts.join('|')
}

/** No text is both a digit and none. */
const NOTHING = '[^\\s\\S]'

interface Range {
  readonly from: number
  readonly to: number
}

const rangesOf = (numbers: Iterable<number>): readonly Range[] => {
  const ranges: { from: number; to: number }[] = []
  for (const one of [...new Set(numbers)].sort((a, b) => a - b)) {
    const last = ranges.at(-1)
    if (last && one === last.to + 1) last.to = one
    else ranges.push({ from: one, to: one })
  }
  return ranges
}

/** One pattern for each part of a range that is a prefix, a range of one digit, and any digits: 3-1020 is `[3-9]`, `[1-9]\d`, `[1-9]\d\d`, `10[01]\d`, `1020`. */
const patternsOf = (from: number, to: number): readonly string[] => {
  const patterns: string[] = []
  for (let low = from; low <= to; ) {
    // The largest block of 10^k numbers that begins at `low`, then as many of it as fit below the next power.
    let size = 1
    while (low % (size * 10) === 0 && low >= size * 10 && low + size * 10 - 1 <= to) size *= 10
    const digit = Math.floor(low / size) % 10
    const last = Math.min(9, digit + Math.floor((to - low + 1) / size) - 1)
    const prefix = Math.floor(low / size / 10)
    patterns.push(`${prefix === 0 ? '' : prefix}${digits(digit, last)}${'\\d'.repeat(String(size).length - 1)}`)
    low += (last - digit + 1) * size
  }
  return patterns
}

const digits = (from: number, to: number): string => {
  if (from === to) return String(from)
  if (from === 0 && to === 9) return '\\d'
  return to === from + 1 ? `[${from}${to}]` : `[${from}-${to}]`
}
