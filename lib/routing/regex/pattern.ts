import { type Automaton, automatonOf, type State } from './automaton.ts'
import { type Expression, parseRegex } from './parse.ts'

/** A regular expression that a whole text must match. */
export interface Pattern {
  readonly text: string
  test(value: string): boolean
  readonly automaton: Automaton
  /** Every text that matches starts with one of these. */
  readonly prefixes: readonly string[]
}

const known = new Map<string, Pattern>()
/** More than a fleet's rules and routes have; then all are made anew. */
const MOST_KNOWN = 200_000

/** Reads a regular expression of RE2. `dotAll`: whether `.` is a line's end too, as in Prometheus from 3.0 on. Throws RegexError. */
export const patternOf = (text: string, { dotAll = false } = {}): Pattern => {
  const key = `${dotAll}${text}`
  const found = known.get(key)
  if (found) return found
  if (known.size > MOST_KNOWN) known.clear()
  const made = isPlain(text) ? plain(text) : compiled(text, dotAll)
  known.set(key, made)
  return made
}

/** A pattern that only this text matches. */
export const plain = (text: string): Pattern => {
  let automaton: Automaton | undefined
  return {
    text,
    test: (value) => value === text,
    prefixes: [text],
    get automaton() {
      automaton ??= automatonOf({ is: 'all', parts: [...text].map(pointOf) })
      return automaton
    },
  }
}

const isPlain = (text: string): boolean => /^[^\\.+*?()|[\]{}^$]*$/.test(text)

const pointOf = (character: string): Expression => {
  const point = character.codePointAt(0) ?? 0
  return { is: 'set', ranges: [[point, point]] }
}

const compiled = (text: string, dotAll: boolean): Pattern => {
  const expression = parseRegex(text, { dotAll })
  let automaton: Automaton | undefined
  let prefixes: readonly string[] | undefined
  const pattern = {
    text,
    get automaton() {
      automaton ??= automatonOf(expression)
      return automaton
    },
    get prefixes() {
      prefixes ??= prefixesOf(expression).map(({ text: prefix }) => prefix)
      return prefixes
    },
    test(value: string) {
      let state: State = pattern.automaton.start
      for (const character of value) {
        if (state.dead) return false
        state = state.after(character.codePointAt(0) ?? 0)
      }
      return state.accepts
    },
  }
  return pattern
}

interface Prefix {
  readonly text: string
  /** The text is the whole of what matches. */
  readonly whole: boolean
}
const MOST_PREFIXES = 200
const ANY: readonly Prefix[] = [{ text: '', whole: false }]

const prefixesOf = (expression: Expression): readonly Prefix[] => {
  switch (expression.is) {
    case 'set': {
      const [range, ...others] = expression.ranges
      const single = range && others.length === 0 && range[0] === range[1]
      return single ? [{ text: String.fromCodePoint(range[0]), whole: true }] : ANY
    }
    case 'any': {
      const all = expression.parts.flatMap(prefixesOf)
      return all.length > MOST_PREFIXES ? ANY : all
    }
    case 'all':
      return expression.parts.reduce<readonly Prefix[]>(appended, [{ text: '', whole: true }])
    case 'repeat':
      return ANY
    default:
      return [{ text: '', whole: true }]
  }
}

const appended = (before: readonly Prefix[], part: Expression): readonly Prefix[] => {
  if (before.every(({ whole }) => !whole)) return before
  const next = prefixesOf(part)
  const all = before.flatMap((one) =>
    one.whole ? next.map(({ text, whole }) => ({ text: one.text + text, whole })) : [one],
  )
  return all.length > MOST_PREFIXES ? before.map(({ text }) => ({ text, whole: false })) : all
}
