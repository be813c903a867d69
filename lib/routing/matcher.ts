import { patternOf } from './regex/pattern.ts'
import { RegexError } from './regex/regex-error.ts'

export type Labels = Readonly<Record<string, string>>
export type Operator = '=' | '!=' | '=~' | '!~'
/** A condition on one label; a label that isn't there is the empty text. */
export interface Matcher {
  readonly name: string
  readonly operator: Operator
  readonly value: string
}

/** What is wrong with a text of matchers, for the person who wrote it. */
export class MatcherError extends Error {
  override readonly name = 'MatcherError'
}

/** Throws MatcherError where its regular expression is none. */
export const matcher = (name: string, operator: Operator, value: string): Matcher => {
  if (operator.endsWith('~')) {
    try {
      patternOf(value)
    } catch (error) {
      if (!(error instanceof RegexError)) throw error
      throw new MatcherError(`${JSON.stringify(value)}: ${error.message}`)
    }
  }
  return { name, operator, value }
}

/** Whether labels meet a condition, as Alertmanager sees it. */
export const meets = (labels: Labels, { name, operator, value }: Matcher): boolean => {
  const own = labels[name] ?? ''
  if (operator === '=') return own === value
  if (operator === '!=') return own !== value
  return patternOf(value).test(own) === (operator === '=~')
}

export const meetsAll = (labels: Labels, matchers: readonly Matcher[]): boolean =>
  matchers.every((one) => meets(labels, one))

/** As Alertmanager's configuration spells it: read alike by all its versions, from 0.22 on where the name is a classic one. */
export const matcherText = ({ name, operator, value }: Matcher): string =>
  `${isClassicName(name) ? name : JSON.stringify(name)}${operator}"${value
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('\n', '\\n')}"`

/** A label name that every version takes: from 3.0 of Prometheus and 0.27 of Alertmanager on any text is one. */
export const isClassicName = (name: string): boolean => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name)
