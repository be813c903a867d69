/** A text of PromQL without its quotes, as Go reads it (`util/strutil/quote.go`); undefined where it has none or an escape is none. */
export const unquoted = (text: string): string | undefined => {
  const quote = text[0] ?? ''
  if (text.length < 2 || !`"'\``.includes(quote) || !text.endsWith(quote)) return undefined
  const inner = text.slice(1, -1)
  if (quote === '`') return inner
  let known = true
  const plain = inner.replaceAll(ESCAPE, (sign: string) => {
    const char = sign[1] ?? ''
    const simple = SIMPLE[char]
    if (simple !== undefined) return simple
    if (char === quote) return quote
    const digits = /^\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8}))$/.exec(sign)
    const point = digits ? Number.parseInt(digits[1] ?? digits[2] ?? digits[3] ?? '', 16) : Number.NaN
    // Bytes above ASCII (`\xff`, octal) need not be text: nobody writes them in a matcher.
    if (point <= (char === 'x' ? 0x7f : 0x10ffff)) return String.fromCodePoint(point)
    known = false
    return sign
  })
  return known ? plain : undefined
}

const ESCAPE = /\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|[\s\S]|$)/g
const SIMPLE: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
}
