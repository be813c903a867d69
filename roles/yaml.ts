import { stringify } from 'yaml'
import { Sealed, Secret } from '../lib/secret.ts'

const HEADER = '# Written by Vestal from the inventory. Changes made here are replaced by the next deploy.\n'

/**
 * Data as a YAML file that Go's parsers read back unchanged (they still know YAML 1.1's `yes`, `on` and `0o17`). Sealed when a
 * Secret stands anywhere in it, text otherwise, so that a file without secrets can be shown as a diff.
 */
export const yamlFile = (data: unknown): string | Sealed => {
  const secrets: Secret[] = []
  const marked = mark(data, secrets)
  const text = HEADER + stringify(marked, { compat: 'yaml-1.1', aliasDuplicateObjects: false, lineWidth: 0 })
  if (secrets.length === 0) return text
  const parts = text.split(MARK).map((part, at) => (at % 2 === 0 ? part : quoted(secrets[Number(part)])))
  return new Sealed(parts)
}

/** Stands for a secret while YAML is printed: from a private use area, so that no setting holds it. */
const MARK = /\u{10fd05}(\d+)\u{10fd06}/u
const markOf = (at: number): string => `\u{10fd05}${at}\u{10fd06}`

const mark = (value: unknown, secrets: Secret[]): unknown => {
  if (value instanceof Secret) return markOf(secrets.push(value) - 1)
  if (Array.isArray(value)) return value.map((item) => mark(item, secrets))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mark(item, secrets)]))
}

const quoted = (secret: Secret | undefined): Secret =>
  new Secret(
    JSON.stringify(secret?.reveal() ?? '').replaceAll(
      /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    ),
  )
