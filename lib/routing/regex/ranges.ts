/** Sets of Unicode code points as sorted, disjoint ranges. */
export type Ranges = readonly (readonly [first: number, last: number])[]

export const LAST = 0x10ffff

export const normal = (ranges: Ranges): Ranges => {
  const sorted = ranges.toSorted(([a], [b]) => a - b)
  const merged: [number, number][] = []
  for (const [first, last] of sorted) {
    const before = merged.at(-1)
    if (before && first <= before[1] + 1) before[1] = Math.max(before[1], last)
    else merged.push([first, last])
  }
  return merged
}

/** Every code point that is not in the set. */
export const complement = (ranges: Ranges): Ranges => {
  const rest: [number, number][] = []
  let from = 0
  for (const [first, last] of normal(ranges)) {
    if (first > from) rest.push([from, first - 1])
    from = last + 1
  }
  if (from <= LAST) rest.push([from, LAST])
  return rest
}

/** With the other cases of each letter, as Go's simple folding has them (`k` and the Kelvin sign, `s` and the long s). */
export const folded = (ranges: Ranges): Ranges => normal([...ranges, ...ranges.flatMap(foldsOf)])

/** Code points from here on have no cases, save some that stand below the second. */
const CASELESS = 0x1e944

const foldsOf = ([first, last]: readonly [number, number]): Ranges => {
  const found: [number, number][] = []
  for (let at = first; at <= Math.min(last, CASELESS); at++) for (const one of foldsOfPoint(at)) found.push([one, one])
  return found
}

const foldsOfPoint = (point: number): readonly number[] => {
  const text = String.fromCodePoint(point)
  const cases = [text.toLowerCase(), text.toUpperCase(), text.toUpperCase().toLowerCase()]
  const special = SPECIAL.find((group) => group.includes(point)) ?? []
  return [...cases.filter((one) => [...one].length === 1).map((one) => one.codePointAt(0) ?? point), ...special]
}

const SPECIAL: readonly (readonly number[])[] = [
  [0x4b, 0x6b, 0x212a],
  [0x53, 0x73, 0x17f],
  [0xc5, 0xe5, 0x212b],
]

const known = new Map<string, Ranges>()

/** The code points of a Unicode class such as `L` or `Greek`; undefined where there is none of that name. */
export const unicodeClass = (name: string): Ranges | undefined => {
  if (known.has(name)) return known.get(name)
  const test = unicodeTest(name)
  if (!test) return undefined
  const found: [number, number][] = []
  for (let at = 0; at <= LAST; at++) {
    if (!test(String.fromCodePoint(at))) continue
    const before = found.at(-1)
    if (before?.[1] === at - 1) before[1] = at
    else found.push([at, at])
  }
  known.set(name, found)
  return found
}

const unicodeTest = (name: string): ((text: string) => boolean) | undefined => {
  if (!/^\w+$/.test(name)) return undefined
  for (const form of [name, `Script=${name}`]) {
    try {
      const expression = new RegExp(`^\\p{${form}}$`, 'u')
      return (text) => expression.test(text)
    } catch {
      // Not a name of this sort.
    }
  }
  return undefined
}
