import { hiddenOf } from '../inventory/hidden.ts'
import type { Inventory } from '../model.ts'
import { Sealed, Secret } from '../secret.ts'

/** Shorter values would blot out ordinary words; they are secrets in name only. */
const SHORTEST = 4
/** Shorter parts of base64 stand in other words, too. */
const LONG_ENOUGH = 6

/** A function that takes every secret of the inventory out of a text: the last line of defence for what other programs print. */
export const redactor = (inventory: Inventory): ((text: string) => string) => {
  const seen = new Set<unknown>()
  const known = new Set<string>()
  let spellings: readonly string[] = []
  const learn = (value: unknown): void => {
    const found = secretsIn(value, seen).flatMap((one) => [one, ...linesOf(one)])
    const fresh = found.filter((one) => one.length >= SHORTEST && !known.has(one))
    if (fresh.length === 0) return
    for (const one of fresh) known.add(one)
    spellings = longestFirst([...spellings, ...fresh.flatMap(spelled)])
  }
  let learned = 0
  return (text) => {
    const beside = hiddenOf(inventory)
    if (learned === 0) learn(inventory.hosts.map(({ vars, link }) => [vars, link]))
    // The list only grows, by one for each file that is read: what was learned before is not looked through again.
    if (learned <= beside.length) {
      learn(beside.slice(Math.max(0, learned - 1)))
      learned = beside.length + 1
    }
    return spellings.reduce((left, value) => left.replaceAll(value, '[secret]'), text)
  }
}

const longestFirst = (texts: readonly string[]): readonly string[] =>
  [...new Set(texts)].sort((one, other) => other.length - one.length)

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

/** All secrets below a value, without what was looked through before. */
const secretsIn = (value: unknown, seen: Set<unknown>): readonly string[] => {
  const found: string[] = []
  const left: unknown[] = [value]
  for (let one = left.pop(); left.length > 0 || one !== undefined; one = left.pop()) {
    if (one instanceof Secret || one instanceof Sealed) found.push(one.reveal())
    else if (typeof one === 'object' && one !== null && !seen.has(one)) {
      seen.add(one)
      left.push(...Object.values(one))
    }
  }
  return found
}
