/** What `JSON.stringify` would make of a value, with each text in it changed; the names of fields stay. Keys that are no plain names are texts. */
export const mapStrings = <T>(value: T, change: (text: string) => string): T => map(value, change, '') as T

const map = (value: unknown, change: (text: string) => string, under: string): unknown => {
  if (typeof value === 'string')
    return WORDS.has(under) && /^[a-z]+([ -][a-z]+)*(\/\d)?$/.test(value) ? value : change(value)
  if (typeof value !== 'object' || value === null) return value
  if (hasToJson(value)) return map(value.toJSON(), change, under)
  if (Array.isArray(value)) return value.map((one) => map(one, change, under))
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [/^\w+$/.test(key) ? key : change(key), map(one, change, key)]),
  )
}

/** Fields whose values are words of ours, which programs go by: no secret is read from them. */
const WORDS: ReadonlySet<string> = new Set(['vestal', 'event', 'status', 'state', 'action', 'level'])

const hasToJson = (value: object): value is { toJSON(): unknown } =>
  typeof (value as { toJSON?: unknown }).toJSON === 'function'
