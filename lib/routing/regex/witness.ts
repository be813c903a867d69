import type { State } from './automaton.ts'
import type { Pattern } from './pattern.ts'
import { LAST } from './ranges.ts'
import { RegexError } from './regex-error.ts'

/** That a text must match a pattern, or must not. */
export interface Demand {
  readonly pattern: Pattern
  readonly must: boolean
}

/**
 * A shortest text that meets all demands, null where there is none. Regular languages: it walks all their automata together, so
 * that the answer is certain. Throws RegexError where that would take too long.
 */
export const witness = (demands: readonly Demand[]): string | null => {
  const steps = representatives(demands)
  const start = demands.map(({ pattern }) => pattern.automaton.start)
  const met = (states: readonly State[]): boolean => states.every(({ accepts }, at) => accepts === demands[at]?.must)
  const hopeless = (states: readonly State[]): boolean =>
    states.some(({ dead }, at) => dead && demands[at]?.must === true)
  const names = new Map<State, number>()
  const nameOf = (states: readonly State[]): string =>
    states.map((state) => names.get(state) ?? named(names, state)).join()
  const seen = new Set([nameOf(start)])
  let row: { readonly text: string; readonly states: readonly State[] }[] = [{ text: '', states: start }]
  while (row.length > 0) {
    const next: typeof row = []
    for (const { text, states } of row) {
      if (met(states)) return text
      for (const step of steps) {
        const after = states.map((state) => state.after(step.point))
        const name = nameOf(after)
        if (hopeless(after) || seen.has(name)) continue
        seen.add(name)
        next.push({ text: text + step.text, states: after })
      }
      if (seen.size > MOST) throw new RegexError('cannot be told apart in reasonable time', true)
    }
    row = next
  }
  return null
}

const MOST = 20_000

const named = (names: Map<State, number>, state: State): number => {
  names.set(state, names.size)
  return names.size - 1
}

interface Step {
  readonly point: number
  readonly text: string
}

/** One character for each way that all the patterns can take one: a readable one where there is one. */
const representatives = (demands: readonly Demand[]): readonly Step[] => {
  const borders = new Set(demands.flatMap(({ pattern }) => [...pattern.automaton.borders]))
  const sorted = [...borders.add(0)].filter((point) => point <= LAST).sort((a, b) => a - b)
  const points = sorted.map((from, at) => niceIn(from, (sorted[at + 1] ?? LAST + 1) - 1))
  return points
    .filter((point) => point !== undefined)
    .map((point) => ({ point, text: String.fromCodePoint(point) }))
    .sort((a, b) => rank(a.point) - rank(b.point) || a.point - b.point)
}

const NICE: readonly (readonly [number, number])[] = [
  [97, 122],
  [48, 57],
  [65, 90],
  [33, 126],
]

const niceIn = (from: number, to: number): number | undefined => {
  for (const [first, last] of NICE) if (from <= last && to >= first) return Math.max(from, first)
  const point = from >= 0xd800 && from <= 0xdfff ? 0xe000 : Math.max(from, 1)
  return point <= to ? point : from <= 0 && to >= 1 ? 1 : undefined
}

const rank = (point: number): number => {
  const at = NICE.findIndex(([first, last]) => point >= first && point <= last)
  return at < 0 ? NICE.length : at
}
