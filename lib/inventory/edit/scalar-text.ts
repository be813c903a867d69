import { isMap, isScalar, type Node, type Pair } from 'yaml'
import { collectMistakes } from '../mistakes.ts'
import { parseSource } from '../yaml/source.ts'

/** A value as YAML on one line, which reads back the same wherever it stands; a scalar like `old`, if that has quotes. */
export const shownValue = (value: unknown, old?: Node): string => {
  if (Array.isArray(value)) return `[${value.map((item) => shownValue(item)).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([key, one]) => `${shownValue(key)}: ${shownValue(one)}`)
    return entries.length > 0 ? `{ ${entries.join(', ')} }` : '{}'
  }
  if (typeof value !== 'string') return String(value)
  const style = isScalar(old) ? old.type : undefined
  if (style === 'QUOTE_DOUBLE') return JSON.stringify(value)
  if (style === 'QUOTE_SINGLE' && /^[^'\n\r\t]*$/.test(value)) return `'${value}'`
  return isPlain(value) ? value : JSON.stringify(value)
}

/** Whether it needs no quotes: as a key and as a value, inside braces too. */
const isPlain = (text: string): boolean => {
  if (!/^[\w/.@+-][\w/.@+:=-]*$/.test(text) || text.endsWith(':')) return false
  const source = parseSource({ file: '', text: `{ ${text}: ${text} }` }, collectMistakes())
  if (!isMap(source?.root) || source.root.items.length !== 1) return false
  const { key, value } = source.root.items[0] as Pair
  return [key, value].every((node) => isScalar(node) && node.value === text)
}
