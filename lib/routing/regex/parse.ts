/**
 * Regular expressions as Prometheus and Alertmanager read them: RE2's syntax (github.com/google/re2/wiki/Syntax), matched from
 * the first to the last character.
 */
import { classAt, escapedClass, escapedPoint } from './classes.ts'
import { complement, folded, type Ranges } from './ranges.ts'
import { RegexError } from './regex-error.ts'

export type Expression =
  | { readonly is: 'set'; readonly ranges: Ranges }
  | { readonly is: 'all'; readonly parts: readonly Expression[] }
  | { readonly is: 'any'; readonly parts: readonly Expression[] }
  | { readonly is: 'repeat'; readonly what: Expression; readonly least: number; readonly most: number }
  | { readonly is: 'begin' }
  | { readonly is: 'end' }

interface Flags {
  readonly fold: boolean
  readonly dotAll: boolean
}
interface Reader {
  readonly points: readonly string[]
  at: number
  flags: Flags
}

/** Throws RegexError. `dotAll`: whether `.` stands for a line's end too. */
export const parseRegex = (text: string, { dotAll = false } = {}): Expression => {
  const reader: Reader = { points: [...text], at: 0, flags: { fold: false, dotAll } }
  const expression = alternatives(reader)
  if (reader.at < reader.points.length) throw new RegexError('a `)` without its `(`')
  return expression
}

const alternatives = (reader: Reader): Expression => {
  const parts = [sequence(reader)]
  while (peek(reader) === '|') {
    reader.at++
    parts.push(sequence(reader))
  }
  return parts.length === 1 && parts[0] ? parts[0] : { is: 'any', parts }
}

const sequence = (reader: Reader): Expression => {
  const parts: Expression[] = []
  for (let next = peek(reader); next !== undefined && next !== '|' && next !== ')'; next = peek(reader)) {
    if ('*+?'.includes(next)) throw new RegexError(`nothing stands before \`${next}\``)
    parts.push(...repeated(reader, atom(reader)))
  }
  return parts.length === 1 && parts[0] ? parts[0] : { is: 'all', parts }
}

const MOST = 1000

const repeated = (reader: Reader, atoms: readonly Expression[]): readonly Expression[] => {
  let result = atoms
  let times = 0
  for (let count = counted(reader); count; count = counted(reader)) {
    if (++times > 1) throw new RegexError('a repetition of a repetition')
    const last = result.at(-1)
    if (!last) throw new RegexError('nothing stands before a repetition')
    result = [...result.slice(0, -1), { is: 'repeat', what: last, ...count }]
    if (peek(reader) === '?') reader.at++
  }
  return result
}

const counted = (reader: Reader): { least: number; most: number } | undefined => {
  const next = peek(reader)
  const simple = next === '*' ? [0, Infinity] : next === '+' ? [1, Infinity] : next === '?' ? [0, 1] : undefined
  if (simple) {
    reader.at++
    return { least: simple[0] ?? 0, most: simple[1] ?? 0 }
  }
  const [all, from, comma, to] =
    /^\{(\d+)(,)?(\d+)?\}/.exec(reader.points.slice(reader.at, reader.at + 12).join('')) ?? []
  if (all === undefined) return undefined
  reader.at += all.length
  const least = Number(from)
  const most = to !== undefined ? Number(to) : comma ? Infinity : least
  if (least > MOST || (most !== Infinity && most > MOST) || least > most) throw new RegexError(`bad repetition ${all}`)
  return { least, most }
}

/** One thing that can be repeated; none for flags and comments that match nothing. */
const atom = (reader: Reader): readonly Expression[] => {
  const next = reader.points[reader.at++] ?? ''
  switch (next) {
    case '(':
      return group(reader)
    case '[': {
      const { ranges, end } = classAt(reader.points, reader.at, reader.flags.fold)
      reader.at = end
      return [{ is: 'set', ranges }]
    }
    case '.':
      return [{ is: 'set', ranges: reader.flags.dotAll ? complement([]) : complement([[10, 10]]) }]
    case '^':
      return [{ is: 'begin' }]
    case '$':
      return [{ is: 'end' }]
    case '\\':
      return escaped(reader)
    default:
      return [literal(reader, next.codePointAt(0) ?? 0)]
  }
}

const literal = ({ flags }: Reader, point: number): Expression => {
  const ranges: Ranges = [[point, point]]
  return { is: 'set', ranges: flags.fold ? folded(ranges) : ranges }
}

const group = (reader: Reader): readonly Expression[] => {
  const before = reader.flags
  if (peek(reader) === '?') {
    const rest = reader.points.slice(reader.at, reader.at + 200).join('')
    const [named] = /^\?P?<\w+>/.exec(rest) ?? []
    const [set, on = '', off = '', end] = /^\?([imsU]*)(?:-([imsU]+))?([:)])/.exec(rest) ?? []
    if (named === undefined && set === undefined) throw new RegexError(`\`(${rest.slice(0, 3)}\` is no group of RE2`)
    reader.at += (named ?? set ?? '').length
    if (set !== undefined) reader.flags = changed(before, on, off)
    if (end === ')') return []
  }
  const inside = alternatives(reader)
  if (peek(reader) !== ')') throw new RegexError('a `(` without its `)`')
  reader.at++
  reader.flags = before
  return [inside]
}

const changed = (flags: Flags, on: string, off: string): Flags => {
  if (on.includes('m')) throw new RegexError('the flag m is not followed here', true)
  const set = (flag: string, was: boolean): boolean => !off.includes(flag) && (was || on.includes(flag))
  return { fold: set('i', flags.fold), dotAll: set('s', flags.dotAll) }
}

const escaped = (reader: Reader): readonly Expression[] => {
  const { points, flags } = reader
  const next = points[reader.at]
  if (next === undefined) throw new RegexError('a `\\` at the end')
  if (next === 'A' || next === 'z') {
    reader.at++
    return [{ is: next === 'A' ? 'begin' : 'end' }]
  }
  if (next === 'b' || next === 'B') throw new RegexError(`\`\\${next}\` is not followed here`, true)
  if (next === 'Q') {
    const end = points.findIndex((point, at) => at > reader.at && point === '\\' && points[at + 1] === 'E')
    const quoted = points.slice(reader.at + 1, end < 0 ? undefined : end)
    reader.at = end < 0 ? points.length : end + 2
    return quoted.map((point) => literal(reader, point.codePointAt(0) ?? 0))
  }
  const found = escapedClass(points, reader.at, flags.fold)
  if (found) {
    reader.at = found.end
    return [{ is: 'set', ranges: found.ranges }]
  }
  const { point, end } = escapedPoint(points, reader.at)
  reader.at = end
  return [literal(reader, point)]
}

const peek = ({ points, at }: Reader): string | undefined => points[at]
