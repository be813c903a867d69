import type { Expression } from './parse.ts'
import type { Ranges } from './ranges.ts'
import { RegexError } from './regex-error.ts'

interface Node {
  /** Where a character leads. */
  readonly moves: { readonly ranges: Ranges; readonly to: number }[]
  /** Where nothing leads: always, or only at the text's begin or end. */
  readonly free: { readonly when: 'always' | 'begin' | 'end'; readonly to: number }[]
}
/** A set of nodes that reading some text can lead to. */
export interface State {
  /** Whether the text may end here. */
  readonly accepts: boolean
  /** Nothing that follows can be accepted. */
  readonly dead: boolean
  after(point: number): State
}
export interface Automaton {
  readonly start: State
  /** Code points at which the answer to a character may change, in no order. */
  readonly borders: ReadonlySet<number>
}

const MOST_NODES = 100_000

/** The automaton that reads a whole text. Its states are made as they are reached. Throws RegexError where it would be too large. */
export const automatonOf = (expression: Expression): Automaton => {
  const nodes: Node[] = []
  const last = 1
  const add = (): number => {
    if (nodes.length > MOST_NODES) throw new RegexError('too large to be followed here', true)
    return nodes.push({ moves: [], free: [] }) - 1
  }
  const node = (at: number): Node => nodes[at] as Node
  const link = (from: number, to: number): void => void node(from).free.push({ when: 'always', to })
  const build = (part: Expression, from: number, to: number): void => {
    if (part.is === 'set') node(from).moves.push({ ranges: part.ranges, to })
    else if (part.is === 'begin' || part.is === 'end') node(from).free.push({ when: part.is, to })
    else if (part.is === 'any') for (const one of part.parts) build(one, from, to)
    else if (part.is === 'all') {
      let at = from
      for (const one of part.parts) {
        const next = add()
        build(one, at, next)
        at = next
      }
      link(at, to)
    } else repeat(part, from, to)
  }
  const repeat = (part: Expression & { is: 'repeat' }, from: number, to: number): void => {
    let at = from
    for (let count = 0; count < part.least; count++) {
      const next = add()
      build(part.what, at, next)
      at = next
    }
    if (part.most === Number.POSITIVE_INFINITY) {
      const [head, tail] = [add(), add()]
      link(at, head)
      build(part.what, head, tail)
      link(tail, head)
      link(head, to)
      return
    }
    for (let count = part.least; count < part.most; count++) {
      const next = add()
      link(at, to)
      build(part.what, at, next)
      at = next
    }
    link(at, to)
  }
  add()
  add()
  build(expression, 0, last)
  return { start: statesOf(nodes, last)([0], true), borders: bordersOf(nodes) }
}

const bordersOf = (nodes: readonly Node[]): ReadonlySet<number> =>
  new Set(nodes.flatMap(({ moves }) => moves.flatMap(({ ranges }) => ranges.flatMap(([from, to]) => [from, to + 1]))))

/** States by their nodes, each made once. */
const statesOf = (nodes: readonly Node[], last: number) => {
  const known = new Map<string, State>()
  const closure = (kernel: readonly number[], atStart: boolean, atEnd: boolean): ReadonlySet<number> => {
    const reached = new Set(kernel)
    for (const at of reached)
      for (const { when, to } of nodes[at]?.free ?? [])
        if (when === 'always' || (when === 'begin' ? atStart : atEnd)) reached.add(to)
    return reached
  }
  const stateOf = (kernel: readonly number[], atStart: boolean): State => {
    const key = `${atStart ? '^' : ''}${kernel.join()}`
    const found = known.get(key)
    if (found) return found
    const moves = [...closure(kernel, atStart, false)].flatMap((at) => nodes[at]?.moves ?? [])
    const next = new Map<number, State>()
    const state: State = {
      accepts: closure(kernel, atStart, true).has(last),
      dead: kernel.length === 0,
      after(point) {
        const seen = next.get(point)
        if (seen) return seen
        const to = new Set(moves.filter(({ ranges }) => holds(ranges, point)).map((move) => move.to))
        const made = stateOf(
          [...to].sort((a, b) => a - b),
          false,
        )
        next.set(point, made)
        return made
      },
    }
    known.set(key, state)
    return state
  }
  return stateOf
}

const holds = (ranges: Ranges, point: number): boolean => {
  let [low, high] = [0, ranges.length - 1]
  while (low <= high) {
    const middle = (low + high) >> 1
    const [first, last] = ranges[middle] ?? [0, 0]
    if (point < first) high = middle - 1
    else if (point > last) low = middle + 1
    else return true
  }
  return false
}
