import type { Mistakes } from '../inventory/mistakes.ts'
import { type Labels, type Matcher, matcherText } from './matcher.ts'
import { patternOf, plain } from './regex/pattern.ts'
import { RegexError } from './regex/regex-error.ts'
import { type Demand, witness } from './regex/witness.ts'
import type { Claim, Team } from './team.ts'

/** More would be told of one mistake made in many places. */
const MOST_TOLD = 20

/** Blames claims of two teams that one alert could meet, and shows that alert. */
export const blameOverlaps = (teams: readonly Team[], mistakes: Mistakes): void => {
  const owned = teams.flatMap((team) => team.claims.map((claim) => ({ team: team.name, claim })))
  let told = 0
  for (const [one, other] of candidates(owned)) {
    if (one.team === other.team) continue
    const found = common(one.claim, other.claim)
    if (found === null) continue
    const path = `${other.team}.owns`
    if ('undecided' in found)
      mistakes.add(other.claim.where(), {
        path,
        what: `whether ${one.team} owns some of the same alerts (${one.claim.where()}) cannot be told: ${found.undecided}`,
        fix: 'write the regular expressions more simply',
      })
    else
      mistakes.add(other.claim.where(), {
        path,
        what: `${one.team} would get the same alert, {${labelsText(found.alert)}}, by ${one.claim.where()}: ${one.claim.matchers.map(matcherText).join(', ')}`,
        fix: `make one of the two narrower, for instance with a label that only one of them has`,
      })
    told += 1
    if (told >= MOST_TOLD) return
  }
}

type Common = { readonly alert: Labels } | { readonly undecided: string } | null

/** An alert that meets both claims; null where there can be none. Labels are independent of each other: each is looked at by itself. */
export const common = (one: Pick<Claim, 'matchers'>, other: Pick<Claim, 'matchers'>): Common => {
  const names = Map.groupBy([...one.matchers, ...other.matchers], ({ name }) => name)
  const alert: Record<string, string> = {}
  for (const [name, matchers] of [...names].sort(([, a], [, b]) => cost(a) - cost(b))) {
    try {
      const value = sharedValue(matchers)
      if (value === null) return null
      if (value !== '') alert[name] = value
    } catch (error) {
      if (error instanceof RegexError) return { undecided: error.message }
      throw error
    }
  }
  return { alert }
}

/** What is decided in one step first. */
const cost = (matchers: readonly Matcher[]): number => (matchers.some(({ operator }) => operator === '=') ? 0 : 1)

const sharedValue = (matchers: readonly Matcher[]): string | null => {
  const demands = matchers.map(demandOf)
  const [exact] = matchers.filter(({ operator }) => operator === '=')
  if (!exact) return witness(demands)
  return demands.every(({ pattern, must }) => pattern.test(exact.value) === must) ? exact.value : null
}

/** As alert relabelling, which puts the teams' names on alerts, reads it: `.` is any character. */
const demandOf = ({ operator, value }: Matcher): Demand => ({
  pattern: operator.endsWith('~') ? patternOf(value, { dotAll: true }) : plain(value),
  must: operator === '=' || operator === '=~',
})

interface Owned {
  readonly team: string
  readonly claim: Claim
}

/**
 * Pairs of claims that may overlap: those whose values of the label that most claims name can start alike. Each claim is compared
 * with few others, however many there are.
 */
function* candidates(owned: readonly Owned[]): Generator<readonly [Owned, Owned]> {
  const pivot = mostNamed(owned)
  const exactly = new Map<string, number[]>()
  const longer = new Map<string, number[]>()
  for (const [at, one] of owned.entries()) {
    const prefixes = prefixesOf(one.claim, pivot)
    const near = prefixes.flatMap((prefix) => [
      ...(longer.get(prefix) ?? []),
      ...startsOf(prefix).flatMap((start) => exactly.get(start) ?? []),
    ])
    for (const before of new Set(near)) {
      const other = owned[before]
      if (other) yield [other, one]
    }
    for (const prefix of new Set(prefixes)) {
      add(exactly, prefix, at)
      for (const start of startsOf(prefix)) add(longer, start, at)
    }
  }
}

const mostNamed = (owned: readonly Owned[]): string => {
  const counts = new Map<string, number>()
  for (const { claim } of owned)
    for (const name of new Set(claim.matchers.map((one) => one.name))) counts.set(name, (counts.get(name) ?? 0) + 1)
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0] ?? ''
}

/** Behind a whole value, so that `a` is not the start of `ab`. */
const END = '\0'
/** Comparing more of long values would gain nothing. */
const LONGEST = 64

const prefixesOf = ({ matchers }: Claim, name: string): readonly string[] => {
  const own = matchers.filter((one) => one.name === name)
  const exact = own.find(({ operator }) => operator === '=')
  if (exact) return [`${exact.value}${END}`.slice(0, LONGEST)]
  const regex = own.find(({ operator }) => operator === '=~')
  return regex ? patternOf(regex.value, { dotAll: true }).prefixes.map((prefix) => prefix.slice(0, LONGEST)) : ['']
}

/** Itself, and every shorter start of it. */
const startsOf = (prefix: string): readonly string[] =>
  Array.from({ length: prefix.length + 1 }, (_, length) => prefix.slice(0, length))

const add = (lists: Map<string, number[]>, key: string, value: number): void => {
  const list = lists.get(key)
  if (list) list.push(value)
  else lists.set(key, [value])
}

const labelsText = (labels: Labels): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(', ')
