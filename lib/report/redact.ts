import { hiddenOf } from '../inventory/hidden.ts'
import type { Inventory } from '../model.ts'
import { Sealed, Secret } from '../secret.ts'

/** Shorter values would blot out ordinary words; they are secrets in name only. */
const SHORTEST = 4
/** Shorter parts of base64 stand in other words, too. */
const LONG_ENOUGH = 6

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
  const secrets = new Set([...secretsIn(value)].flatMap((one) => [one, ...linesOf(one)]))
  const spellings = new Set([...secrets].filter((one) => one.length >= SHORTEST).flatMap(spelled))
  return [...spellings].sort((one, other) => other.length - one.length)
}

/** Of a key or a list, each line is as secret as the whole; that a key begins is not. */
const linesOf = (secret: string): readonly string[] =>
  secret
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => !/^-----.*-----$/.test(line))

/** As it is; in JSON as JavaScript and Go write it; in quotes of YAML and of shells; in a URL as JavaScript, Go and forms write it; in base64. */
const spelled = (secret: string): readonly string[] => {
  const json = JSON.stringify(secret).slice(1, -1)
  const inUrl = encodeURIComponent(secret)
  const strict = inUrl.replaceAll(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)
  const urls = [inUrl, strict, strict.replaceAll('%20', '+'), new URLSearchParams([['', secret]]).toString().slice(1)]
  return [
    secret,
    json,
    json.replaceAll(/[<>&\u2028\u2029]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`),
    secret.replaceAll("'", "''"),
    secret.replaceAll("'", `'\\''`),
    ...urls,
    ...urls.map((url) => url.replaceAll(/%../g, (hex) => hex.toLowerCase())),
    ...inBase64(Buffer.from(secret)),
  ]
}

/**
 * Alone, and inside other text (such as `user:password`), where it may begin at any of the three places of a group; the characters that it
 * shares with a neighbour are left out.
 */
const inBase64 = (secret: Buffer): readonly string[] => {
  const inside = [0, 1, 2].flatMap((before) => {
    const text = Buffer.concat([Buffer.alloc(before), secret])
      .toString('base64')
      .replaceAll('=', '')
    const own = text.slice(before === 0 ? 0 : before + 1)
    return (before + secret.length) % 3 === 0 ? [own] : [own, own.slice(0, -1)]
  })
  return [secret.toString('base64'), ...inside.filter((one) => one.length >= LONG_ENOUGH)].flatMap((one) => [
    one,
    one.replaceAll('+', '-').replaceAll('/', '_'),
  ])
}

function* secretsIn(value: unknown, seen = new Set<unknown>()): Generator<string> {
  if (value instanceof Secret || value instanceof Sealed) yield value.reveal()
  else if (typeof value === 'object' && value !== null && !seen.has(value)) {
    seen.add(value)
    for (const inner of Object.values(value)) yield* secretsIn(inner, seen)
  }
}
