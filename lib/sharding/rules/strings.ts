import { unescaped } from '../../go-strings.ts'

/** A text of PromQL without its quotes, as Prometheus reads it (`util/strutil/quote.go`); undefined where it has none or an escape is none. */
export const unquoted = (text: string): string | undefined => {
  const quote = text[0]
  if (text.length < 2 || !text.endsWith(quote ?? '')) return undefined
  const inner = text.slice(1, -1)
  if (quote === '`') return inner
  if (quote !== '"' && quote !== "'") return undefined
  const read = unescaped(inner, quote)
  return 'text' in read ? read.text : undefined
}
