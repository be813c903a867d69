import { complement, folded, normal, type Ranges, unicodeClass } from './ranges.ts'
import { RegexError } from './regex-error.ts'

interface Found {
  readonly ranges: Ranges
  /** Behind it. */
  readonly end: number
}

/** The class whose `[` stands before `at`. */
export const classAt = (points: readonly string[], start: number, fold: boolean): Found => {
  const negative = points[start] === '^'
  let at = start + (negative ? 1 : 0)
  const ranges: (readonly [number, number])[] = []
  for (let first = true; first || points[at] !== ']'; first = false) {
    if (points[at] === undefined) throw new RegexError('a `[` without its `]`')
    const found = namedClass(points, at) ?? (points[at] === '\\' ? escapedClass(points, at + 1, false) : undefined)
    if (found) {
      ranges.push(...found.ranges)
      at = found.end
      continue
    }
    const from = pointAt(points, at)
    at = from.end
    if (points[at] === '-' && points[at + 1] !== undefined && points[at + 1] !== ']') {
      const to = pointAt(points, at + 1)
      if (to.point < from.point) throw new RegexError('a range of characters that ends before it starts')
      ranges.push([from.point, to.point])
      at = to.end
    } else ranges.push([from.point, from.point])
  }
  const all = fold ? folded(ranges) : normal(ranges)
  return { ranges: negative ? complement(all) : all, end: at + 1 }
}

const PERL: Readonly<Record<string, Ranges>> = {
  d: [[48, 57]],
  w: [
    [48, 57],
    [65, 90],
    [95, 95],
    [97, 122],
  ],
  s: [
    [9, 10],
    [12, 13],
    [32, 32],
  ],
}

/** The class that the letter at `at`, behind a `\`, stands for; undefined where it stands for a character. */
export const escapedClass = (points: readonly string[], at: number, fold: boolean): Found | undefined => {
  const letter = points[at] ?? ''
  const perl = PERL[letter.toLowerCase()]
  if (perl) {
    const ranges = fold ? folded(perl) : perl
    return { ranges: letter === letter.toLowerCase() ? ranges : complement(ranges), end: at + 1 }
  }
  if (letter !== 'p' && letter !== 'P') return undefined
  const [all, braced, short] = /^(?:\{(\^?\w+)\}|(\w))/.exec(points.slice(at + 1, at + 60).join('')) ?? []
  const name = braced ?? short ?? ''
  const ranges = unicodeClass(name.replace('^', ''))
  if (!ranges) throw new RegexError(`no class of characters is called ${name}`)
  const wanted = fold ? folded(ranges) : ranges
  const negative = (letter === 'P') !== name.startsWith('^')
  return { ranges: negative ? complement(wanted) : wanted, end: at + 1 + (all?.length ?? 0) }
}

const SIMPLE: Readonly<Record<string, number>> = { a: 7, f: 12, t: 9, n: 10, r: 13, v: 11 }

/** The character that stands behind a `\`. */
export const escapedPoint = (points: readonly string[], at: number): { point: number; end: number } => {
  const letter = points[at] ?? ''
  const rest = points.slice(at, at + 12).join('')
  const [hexAll, long, short] = /^x(?:\{([0-9A-Fa-f]+)\}|([0-9A-Fa-f]{2}))/.exec(rest) ?? []
  if (hexAll !== undefined) return { point: Number.parseInt(long ?? short ?? '', 16), end: at + hexAll.length }
  const [octal] = /^(?:0[0-7]{0,2}|[1-7][0-7]{1,2})/.exec(rest) ?? []
  if (octal !== undefined) return { point: Number.parseInt(octal, 8), end: at + octal.length }
  const simple = SIMPLE[letter]
  if (simple !== undefined) return { point: simple, end: at + 1 }
  if (letter === '' || /[A-Za-z0-9]/.test(letter)) throw new RegexError(`\`\\${letter}\` means nothing`)
  return { point: letter.codePointAt(0) ?? 0, end: at + 1 }
}

const POSIX: Readonly<Record<string, Ranges>> = {
  alnum: [
    [48, 57],
    [65, 90],
    [97, 122],
  ],
  alpha: [
    [65, 90],
    [97, 122],
  ],
  ascii: [[0, 127]],
  blank: [
    [9, 9],
    [32, 32],
  ],
  cntrl: [
    [0, 31],
    [127, 127],
  ],
  digit: [[48, 57]],
  graph: [[33, 126]],
  lower: [[97, 122]],
  print: [[32, 126]],
  punct: [
    [33, 47],
    [58, 64],
    [91, 96],
    [123, 126],
  ],
  space: [
    [9, 13],
    [32, 32],
  ],
  upper: [[65, 90]],
  word: PERL.w ?? [],
  xdigit: [
    [48, 57],
    [65, 70],
    [97, 102],
  ],
}

const namedClass = (points: readonly string[], at: number): Found | undefined => {
  const [all, not, name = ''] = /^\[:(\^?)(\w+):\]/.exec(points.slice(at, at + 14).join('')) ?? []
  if (all === undefined) return undefined
  const ranges = POSIX[name]
  if (!ranges) throw new RegexError(`no class of characters is called ${name}`)
  return { ranges: not ? complement(ranges) : ranges, end: at + all.length }
}

const pointAt = (points: readonly string[], at: number): { point: number; end: number } => {
  const here = points[at]
  if (here === undefined) throw new RegexError('a `[` without its `]`')
  return here === '\\' ? escapedPoint(points, at + 1) : { point: here.codePointAt(0) ?? 0, end: at + 1 }
}
