import compare from 'semver/functions/compare.js'
import type { UpgradeStep } from '../model.ts'

/** True for a step over this version: what is true from it on becomes true. */
export const crosses =
  (version: string) =>
  (from: string, to: string): boolean =>
    compare(from, version) < 0 && compare(to, version) >= 0

/** True for versions from one on, and below another. */
export const inRange =
  (from: string, below: string) =>
  (version: string): boolean =>
    compare(version, from) >= 0 && compare(version, below) < 0

/** Every place of a rule expression that a pattern is found in. */
export const inRules =
  (pattern: RegExp, what: (found: string) => string) =>
  ({ rules }: UpgradeStep): readonly { readonly where: string; readonly what: string }[] =>
    rules.flatMap(({ where, expr }) => {
      const found = pattern.exec(expr)
      return found ? [{ where, what: what(found[0]) }] : []
    })

/** The values of `--enable-feature`, which takes lists with commas. */
export const features = ({ flags }: UpgradeStep): readonly string[] =>
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
