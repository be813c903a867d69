import compare from 'semver/functions/compare.js'
import type { Advice } from '../model.ts'

/** One program on one host, before and after: all that advice is made of. */
export interface Subject {
  readonly host: string
  readonly program: string
  /** The version that is switched to now; null where none is. */
  readonly from: string | null
  readonly to: string
  /** Its configuration file as it would be, parsed; null where it has none. */
  readonly config: unknown
  /** Rule expressions, each with its file and rule. */
  readonly rules: readonly { readonly where: string; readonly expr: string }[]
  /** Its flags as they would be, by name without dashes. */
  readonly flags: ReadonlyMap<string, readonly string[]>
  /** The gossip label that the running process was given, '' for none. */
  readonly runningLabel?: string
  /** Targets whose answer named no content type that Prometheus 3 takes. */
  readonly untyped: readonly { readonly job: string; readonly url: string; readonly contentType: string }[]
}
/** A trap: when it concerns a step from one version to another, and where it bites. */
export interface Trap {
  readonly program: string
  readonly level: Advice['level']
  concerns(from: string, to: string): boolean
  find(subject: Subject): readonly { readonly where: string; readonly what: string }[]
  readonly why: string
  readonly fix: string
  /** Where this is written. */
  readonly source: string
}

/** True for a step over this version: what is true from it on becomes true. */
export const crosses =
  (version: string) =>
  (from: string, to: string): boolean =>
    compare(from, version) < 0 && compare(to, version) >= 0

/** Every place of a rule expression that a pattern is found in. */
export const inRules =
  (pattern: RegExp, what: (found: string) => string) =>
  ({ rules }: Subject): readonly { readonly where: string; readonly what: string }[] =>
    rules.flatMap(({ where, expr }) => {
      const found = pattern.exec(expr)
      return found ? [{ where, what: what(found[0]) }] : []
    })

/** The values of `--enable-feature`, which takes lists with commas. */
export const features = ({ flags }: Subject): readonly string[] =>
  (flags.get('enable-feature') ?? []).flatMap((value) => value.split(','))

/** Every mapping below a value that has this key, with the way to it. */
export const withKey = (
  value: unknown,
  key: string,
  way = '',
): readonly { readonly way: string; readonly value: unknown }[] => {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) => {
    const here = way ? `${way}.${name}` : name
    return [...(name === key ? [{ way: here, value: inner as unknown }] : []), ...withKey(inner, key, here)]
  })
}
