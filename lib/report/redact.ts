import { hiddenOf } from '../inventory/hidden.ts'
import type { Inventory } from '../model.ts'
import { Sealed, Secret } from '../secret.ts'

/** Shorter values would blot out ordinary words; they are secrets in name only. */
const SHORTEST = 4

/** A function that takes every secret of the inventory out of a text: the last line of defence for what other programs print. */
export const redactor = (inventory: Inventory): ((text: string) => string) => {
  const own = inventory.hosts.map(({ vars, link }) => [vars, link])
  let beside = hiddenOf(inventory)
  let spellings = spellingsOf([own, beside])
  return (text) => {
    const now = hiddenOf(inventory)
    if (now !== beside) {
      beside = now
      spellings = spellingsOf([own, beside])
    }
    return spellings.reduce((left, value) => left.replaceAll(value, '[secret]'), text)
  }
}

/** Every way in which a secret may be written, longest first. */
const spellingsOf = (value: unknown): readonly string[] => {
  const spellings = new Set(
    [...secretsIn(value)]
      .filter((one) => one.length >= SHORTEST)
      .flatMap((one) => [
        one,
        JSON.stringify(one).slice(1, -1),
        Buffer.from(one).toString('base64'),
        encodeURIComponent(one),
      ]),
  )
  return [...spellings].sort((one, other) => other.length - one.length)
}

function* secretsIn(value: unknown, seen = new Set<unknown>()): Generator<string> {
  if (value instanceof Secret || value instanceof Sealed) yield value.reveal()
  else if (typeof value === 'object' && value !== null && !seen.has(value)) {
    seen.add(value)
    for (const inner of Object.values(value)) yield* secretsIn(inner, seen)
  }
}
