import type { Inventory } from '../model.ts'
import { Sealed, Secret } from '../secret.ts'

/** Shorter values would blot out ordinary words; they are secrets in name only. */
const SHORTEST = 4

/** A function that takes every secret of the inventory out of a text: the last line of defence for what other programs print. */
export const redactor = (inventory: Inventory): ((text: string) => string) => {
  const values = [...secretsIn([inventory.hosts.map(({ vars, link }) => [vars, link])])]
  const spellings = new Set(
    values
      .filter((value) => value.length >= SHORTEST)
      .flatMap((value) => [
        value,
        JSON.stringify(value).slice(1, -1),
        Buffer.from(value).toString('base64'),
        encodeURIComponent(value),
      ]),
  )
  const longestFirst = [...spellings].sort((one, other) => other.length - one.length)
  if (longestFirst.length === 0) return (text) => text
  return (text) => longestFirst.reduce((left, value) => left.replaceAll(value, '[secret]'), text)
}

function* secretsIn(value: unknown, seen = new Set<unknown>()): Generator<string> {
  if (value instanceof Secret || value instanceof Sealed) yield value.reveal()
  else if (typeof value === 'object' && value !== null && !seen.has(value)) {
    seen.add(value)
    for (const inner of Object.values(value)) yield* secretsIn(inner, seen)
  }
}
