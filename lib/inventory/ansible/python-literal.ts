/** What Python has and JSON doesn't isn't told apart: a tuple and a set are lists. */
export type Literal = string | number | boolean | null | readonly Literal[] | ReadonlyMap<Literal, Literal>

/**
 * The value of a text as an INI inventory types it: a Python literal, else the text itself. `True`, `0x1F`, `1_000`, `'a'`, `[1, 'b']` and `{'a': None}` are literals;
 * `true`, `01`, `1+1` and `a` are texts. A whole number too large to be kept exactly stays text. Source: ansible-core, plugins/inventory/ini.py (_parse_value), and
 * CPython's ast.literal_eval.
 */
export const typedText = (text: string): Literal => {
  try {
    const parser = { text: text.replace(/^[ \t]+/, ''), at: 0 }
    const value = expression(parser)
    skip(parser)
    return parser.at === parser.text.length ? value : text
  } catch (error) {
    if (error instanceof NoLiteral) return text
    throw error
  }
}

class NoLiteral extends Error {}

interface Parser {
  readonly text: string
  at: number
}

/** At the top, `1, 2` is a tuple. */
const expression = (parser: Parser): Literal => {
  const first = value(parser)
  if (!take(parser, /,/y)) return first
  const items = [first]
  skip(parser)
  while (parser.at < parser.text.length) {
    items.push(value(parser))
    if (!take(parser, /,/y)) break
    skip(parser)
  }
  return items
}

const value = (parser: Parser): Literal => {
  skip(parser)
  const word = take(parser, /(?:None|True|False)\b/y)
  if (word) return { None: null, True: true, False: false }[word] ?? null
  if (take(parser, /\.\.\./y)) return '...'
  const sign = take(parser, /[-+][ \t]*/y)
  const number = take(parser, NUMBER)
  if (number !== undefined) return numberOf(number, sign ?? '')
  if (sign !== undefined) throw new NoLiteral()
  if (take(parser, /\[/y)) return items(parser, /\]/y)
  if (take(parser, /\(/y)) return parenthesised(parser)
  if (take(parser, /\{/y)) return braces(parser)
  if (take(parser, /set\(\s*\)/y)) return []
  return strings(parser)
}

const NUMBER =
  /(?:0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|(?:\d(?:_?\d)*)?\.\d(?:_?\d)*(?:[eE][-+]?\d(?:_?\d)*)?|\d(?:_?\d)*\.?(?:[eE][-+]?\d(?:_?\d)*)?)(?![\w.])/y

const numberOf = (written: string, sign: string): number | string => {
  const digits = written.replaceAll('_', '')
  if (/^0\d/.test(digits) && /^\d+$/.test(digits) && /[1-9]/.test(digits)) throw new NoLiteral()
  const negative = sign.startsWith('-')
  const number = Number(digits)
  // Text, as no number here is that whole number.
  if (/^\d+$/.test(digits) && !Number.isSafeInteger(number)) return negative ? `-${digits}` : digits
  return negative ? -number : number
}

const items = (parser: Parser, end: RegExp): readonly Literal[] => {
  const found: Literal[] = []
  for (;;) {
    skip(parser)
    if (take(parser, end)) return found
    found.push(value(parser))
    skip(parser)
    if (take(parser, /,/y)) continue
    if (take(parser, end)) return found
    throw new NoLiteral()
  }
}

/** `(1)` is 1, `(1,)` and `()` are tuples. */
const parenthesised = (parser: Parser): Literal => {
  const start = parser.at
  const found = items(parser, /\)/y)
  const inside = parser.text.slice(start, parser.at - 1)
  return found.length === 1 && !/,\s*$/.test(inside) ? (found[0] as Literal) : found
}

const braces = (parser: Parser): Literal => {
  skip(parser)
  if (take(parser, /\}/y)) return new Map()
  const first = value(parser)
  skip(parser)
  if (!take(parser, /:/y)) {
    if (take(parser, /\}/y)) return [first]
    if (take(parser, /,/y)) return [first, ...items(parser, /\}/y)]
    throw new NoLiteral()
  }
  const map = new Map<Literal, Literal>([[first, value(parser)]])
  // To Python, True is the key 1, and False the key 0.
  const known = (key: Literal): Literal =>
    [...map.keys()].find((one) => one === key || (isOne(one) && isOne(key) && Number(one) === Number(key))) ?? key
  for (;;) {
    skip(parser)
    if (take(parser, /\}/y)) return map
    if (!take(parser, /,/y)) throw new NoLiteral()
    skip(parser)
    if (take(parser, /\}/y)) return map
    const key = value(parser)
    skip(parser)
    if (!take(parser, /:/y)) throw new NoLiteral()
    map.set(known(key), value(parser))
  }
}

const isOne = (key: Literal): boolean => typeof key === 'boolean' || typeof key === 'number'

/** One string, or several side by side. */
const strings = (parser: Parser): string => {
  let text: string | undefined
  for (;;) {
    skip(parser)
    const found = take(parser, STRING)
    if (found === undefined) break
    text = (text ?? '') + unquoted(found)
  }
  if (text === undefined) throw new NoLiteral()
  return text
}

const STRING =
  /(?:[rR][bB]?|[bB][rR]?|[uU])?(?:'''(?:\\.|[^\\])*?'''|"""(?:\\.|[^\\])*?"""|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")/sy

const unquoted = (written: string): string => {
  const [, prefix = '', quote = ''] = /^(\w*)('''|"""|'|")/.exec(written) ?? []
  const inner = written.slice(prefix.length + quote.length, -quote.length)
  return /r/i.test(prefix) ? inner : inner.replace(ESCAPE, (_, code: string) => unescaped(code))
}

const ESCAPE = /\\(\n|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{1,3}|[\s\S])/g
const NAMED: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
  '\n': '',
}

const unescaped = (code: string): string => {
  if (/^[xuU][0-9a-fA-F]{2,}$/.test(code)) return String.fromCodePoint(Number.parseInt(code.slice(1), 16))
  if (/^[0-7]/.test(code)) return String.fromCharCode(Number.parseInt(code, 8))
  if (/^[xuUN]$/.test(code)) throw new NoLiteral()
  return NAMED[code] ?? (/['"\\]/.test(code) ? code : `\\${code}`)
}

const skip = (parser: Parser): void => {
  take(parser, /(?:\s|#.*)+/y)
}

const take = (parser: Parser, pattern: RegExp): string | undefined => {
  pattern.lastIndex = parser.at
  const found = pattern.exec(parser.text)?.[0]
  if (found !== undefined) parser.at += found.length
  return found
}
