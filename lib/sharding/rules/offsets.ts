import type { Scalar } from 'yaml'

/**
 * Says for an offset in a scalar's value where that stands in the file. YAML adds, drops and folds nothing but white space, so that the
 * characters of both are told one by one; within white space it is the character behind it.
 */
export const offsetsIn = ({ range, type, value }: Scalar, source: string): ((offset: number) => number) => {
  const [start, end] = range ?? [0, 0]
  const text = String(value)
  const from = type?.startsWith('BLOCK') ? source.indexOf('\n', start) : type?.startsWith('QUOTE') ? start + 1 : start
  const inSource = [...source.slice(from, end).matchAll(STYLES[type ?? ''] ?? PLAIN)]
    .filter(([character]) => !WHITE_ESCAPE.test(character))
    .map(({ index }) => from + index)
  // How many characters, white space apart, stand before each offset; made when first asked.
  let before: number[] | undefined
  return (offset) => {
    before ??= counts(text)
    return inSource[before[Math.min(offset, text.length)] ?? 0] ?? inSource.at(-1) ?? start
  }
}

const PLAIN = /\S/g
const STYLES: Readonly<Record<string, RegExp>> = {
  QUOTE_SINGLE: /''|\S/g,
  QUOTE_DOUBLE: /\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|[\s\S])|[^\s\\]/g,
}
const WHITE_ESCAPE = /^\\[\sntrvfNLP_]$/

const counts = (text: string): number[] => {
  const all = [0]
  for (let at = 0; at < text.length; at++) all.push((all[at] ?? 0) + (/\s/.test(text[at] ?? '') ? 0 : 1))
  return all
}
