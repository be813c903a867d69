import { isMap, isScalar, isSeq, type Node } from 'yaml'
import type { z } from 'zod'
import { Secret } from '../../secret.ts'
import { didYouMean } from '../did-you-mean.ts'
import { type Position, showPosition } from '../mistakes.ts'
import { entriesOf, follow, positionOf, type Source } from '../yaml/source.ts'
import type { Variable } from '../yaml/variable.ts'

type Issue = z.core.$ZodIssue
export type Path = readonly PropertyKey[]
export interface Explained {
  readonly at: Position
  readonly path: string
  readonly what: string
  readonly fix?: string
  /** The part of the value it is about. */
  readonly about: Path
}

/** Messages for what a schema has no words of its own for. A message that starts with `expected` gets `, got …`. */
export const plainMessage: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${NOUNS[issue.expected] ?? issue.expected}`
    case 'invalid_value':
      return `expected ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(String).join(', ')}`
    case 'too_small':
      return `expected ${issue.inclusive ? 'at least' : 'more than'} ${amount(issue.minimum, issue.origin)}`
    case 'too_big':
      return `expected ${issue.inclusive ? 'at most' : 'less than'} ${amount(issue.maximum, issue.origin)}`
    case 'not_multiple_of':
      return `expected a multiple of ${issue.divisor}`
    case 'invalid_format':
      return issue.format === 'regex'
        ? `expected text that matches ${issue.pattern}`
        : `expected text in the form of ${issue.format}`
    default:
      return undefined
  }
}

const NOUNS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
}

const amount = (limit: number | bigint, origin: string): string => {
  const one = Number(limit) === 1
  if (origin === 'string') return `${limit} character${one ? '' : 's'}`
  return origin === 'array' || origin === 'object' ? `${limit} entr${one ? 'y' : 'ies'}` : String(limit)
}

/** What an issue means for the person who wrote the variable: at which place, about what, and what to do. */
export const explain = (
  variable: Variable,
  issue: Issue,
  keysAt: (path: Path) => readonly string[],
): readonly Explained[] => {
  const here = { path: dotted(variable, issue.path), about: issue.path }
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(variable, [...issue.path, key], keysAt(issue.path)))
    case 'invalid_union':
      if (issue.message === DEFAULT_MESSAGE) return explainUnion(variable, issue, keysAt)
      break
    case 'invalid_key': {
      const { key, source } = locate(variable, issue.path)
      const what = `${issue.issues[0]?.message ?? issue.message}, got \`${String(issue.path.at(-1))}\``
      return [{ ...here, at: positionOf(source, key), what }]
    }
  }
  if (valueAt(variable.value(), issue.path) === undefined) return [missing(variable, issue)]
  const { node, key, source } = locate(variable, issue.path)
  const got = issue.message.startsWith('expected') ? `, got ${gotFor(variable, issue, node)}` : ''
  return [
    {
      ...here,
      at: positionOf(source, node ?? key),
      what: `${issue.message}${got}`,
      fix: fixFor(variable, issue, node),
    },
  ]
}

const DEFAULT_MESSAGE = 'Invalid input'

const unknownKey = (variable: Variable, path: Path, known: readonly string[]): Explained => {
  const name = String(path.at(-1))
  const near = didYouMean(name, known)
  const { source, key } = locate(variable, path)
  return {
    at: positionOf(source, key),
    path: dotted(variable, path.slice(0, -1)),
    what: `unknown key \`${name}\`${near}`,
    fix: near || known.length === 0 ? undefined : `known here: ${known.join(', ')}`,
    about: path,
  }
}

const missing = (variable: Variable, issue: Issue): Explained => {
  const above = issue.path.slice(0, -1)
  const { key, source } = locate(variable, above)
  const hint = issue.message.startsWith('expected') ? `; ${issue.message}` : ''
  const what = `\`${String(issue.path.at(-1))}\` is missing${hint}`
  return { at: positionOf(source, key), path: dotted(variable, above), what, about: issue.path }
}

/** Of several allowed forms: the mistakes in the one that was meant, when that can be told, else that it is none of them. */
const explainUnion = (
  variable: Variable,
  issue: Issue & { code: 'invalid_union' },
  keysAt: (path: Path) => readonly string[],
): readonly Explained[] => {
  const wrongType = (one: Issue) => one.path.length === 0 && one.code === 'invalid_type'
  const [meant, ...others] = issue.errors.filter((issues) => !issues.some(wrongType))
  if (meant && others.length === 0)
    return meant.flatMap((one) => explain(variable, { ...one, path: [...issue.path, ...one.path] } as Issue, keysAt))
  const forms = [
    ...new Set(
      issue.errors
        .flat()
        .filter(wrongType)
        .map((one) => one.message.replace(/^expected /, '')),
    ),
  ]
  const message = forms.length > 0 ? `expected ${forms.join(', or ')}` : 'expected another form'
  return explain(variable, { ...issue, code: 'custom', message } as Issue, keysAt)
}

const fixFor = (variable: Variable, issue: Issue, node: Node | null): string | undefined => {
  if (valueAt(variable.value(), issue.path) instanceof Secret && issue.message.startsWith('expected'))
    return 'this setting is no secret: write it plainly'
  const plain = isScalar(node) && node.type === 'PLAIN' && typeof node.value !== 'string' && node.value !== null
  return plain && issue.message === 'expected text' ? 'put quotes around it' : undefined
}

/** The way to a part of a variable, as errors have it. */
export const dotted = (variable: Variable, path: Path): string => [variable.name, ...path.map(String)].join('.')

/** What stands at a path of a value; undefined where nothing does. */
export const valueAt = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>((at, part) => (typeof at === 'object' && at !== null ? Reflect.get(at, part) : undefined), value)

interface Place {
  readonly source: Source
  readonly key: Node
  readonly node: Node | null
  /** How much of the way leads there. */
  readonly steps: number
}

/** The nearest node on the way along a path, and the key it stands under: of a variable from several places, in the one that says the most of it. */
export const locate = (variable: Variable, path: Path): Place => walk(layerAt(variable, path), path)

/** Of a variable from several places, the one that says the most of a path; the last of those that say as much. */
export const layerAt = (variable: Variable, path: Path): Variable =>
  (variable.layers ?? [variable])
    .map((layer) => ({ layer, steps: walk(layer, path).steps }))
    .reduce((best, one) => (one.steps >= best.steps ? one : best)).layer

const walk = ({ source, key, node }: Variable, path: Path): Place => {
  let steps = 0
  let place = { key, node: follow(source, node) }
  for (const part of path) {
    const { node: at } = place
    const entry = isMap(at) ? entriesOf(source, at).find(({ name }) => name === String(part)) : undefined
    const item = isSeq(at) ? follow(source, (at.items[Number(part)] ?? null) as Node | null) : null
    if (entry) place = { key: entry.key, node: entry.value }
    else if (item) place = { key: item, node: item }
    else break
    steps += 1
  }
  return { ...place, source, steps }
}

/** What stands there, as much of it as helps: of something that should have been a mapping or a list, only its kind. */
const gotFor = (variable: Variable, issue: Issue, node: Node | null): string => {
  const value = valueAt(variable.value(), issue.path)
  if ((issue.code === 'too_big' || issue.code === 'too_small') && Array.isArray(value)) return String(value.length)
  const kindOnly = issue.code === 'invalid_type' && ['object', 'record', 'array'].includes(issue.expected)
  return kindOnly && typeof value === 'string' ? 'text' : shown(variable, issue.path, node)
}

const SENSITIVE = /pass|secret|token|credential|api_?key|private|routing_?key|auth/i

/** A value as an error may show it: never a secret, nor what stands where one is usual. */
const shown = (variable: Variable, path: Path, node: Node | null): string => {
  const value = valueAt(variable.value(), path)
  if (value instanceof Secret) return 'a secret'
  if (Array.isArray(value)) return 'a list'
  if (value === null) return 'nothing'
  if (typeof value === 'object') return 'a mapping'
  const { source } = locate(variable, path)
  const hidden = source.sealed || [variable.name, ...path].some((part) => SENSITIVE.test(String(part)))
  if (typeof value === 'string') return hidden ? 'text' : JSON.stringify(shorten(value))
  return hidden || !node?.range ? `a ${typeof value}` : source.text.slice(node.range[0], node.range[1])
}

const shorten = (text: string): string => {
  const safe = text.replace(/:\/\/[^/@\s]+@/g, '://[secret]@')
  return safe.length > 60 ? `${safe.slice(0, 59)}…` : safe
}

/** Where a part of a variable's value was written, `file:line:column`. */
export const placeOf = (variable: Variable, path: Path): string => {
  const { node, key, source } = locate(variable, path)
  return showPosition(positionOf(source, node ?? key))
}
