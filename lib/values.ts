/** What `JSON.stringify` would make of a value, with each text in it changed; the names of fields stay. Keys that are no plain names are texts. */
export const mapStrings = <T>(value: T, change: (text: string) => string): T => map(value, change, '') as T

/** A text changed as `mapStrings` changes values: one that is JSON stays JSON. */
export const mapText = (text: string, change: (text: string) => string): string => {
  const changed = change(text)
  if (changed === text) return text
  try {
    return `${JSON.stringify(mapStrings(JSON.parse(text), change), null, 2)}\n`
  } catch {
    return changed
  }
}

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
const WORDS: ReadonlySet<string> = new Set(['vestal', 'event', 'status', 'state', 'action', 'level', 'severity'])

const hasToJson = (value: object): value is { toJSON(): unknown } =>
  typeof (value as { toJSON?: unknown }).toJSON === 'function'
