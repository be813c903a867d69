import { hashOf } from '../sharding/hash.ts'
import type { Labels } from './matcher.ts'
import { patternOf } from './regex/pattern.ts'
import { RegexError } from './regex/regex-error.ts'

/** One step of relabelling, as Prometheus' configuration has it; what is left out is its default. */
export interface RelabelStep {
  readonly source_labels?: readonly string[]
  readonly separator?: string
  /** YAML may make a number or a boolean of it. */
  readonly regex?: string | number | boolean
  readonly target_label?: string
  readonly replacement?: string
  readonly modulus?: number
  readonly action?: string
}

/**
 * What relabelling makes of labels; null where it drops them. Source: Prometheus' `model/relabel/relabel.go`. `dotAll`: from 3.0 on
 * `.` is a line's end too. Throws RegexError for an expression that Prometheus refuses or that cannot be followed here, and for a modulus of 0.
 */
export const relabel = (labels: Labels, steps: readonly RelabelStep[], dotAll: boolean): Labels | null => {
  let current: Labels | null = labels
  for (const step of steps) {
    current = relabelOnce(current, step, dotAll)
    if (!current) return null
  }
  return Object.fromEntries(Object.entries(current).filter(([, value]) => value !== ''))
}

const relabelOnce = (labels: Labels, step: RelabelStep, dotAll: boolean): Labels | null => {
  const { source_labels: from = [], separator = ';', replacement = '$1', target_label: to = '' } = step
  const regex = String(step.regex ?? '(.*)')
  const source = from.map((name) => labels[name] ?? '').join(separator)
  const matches = (text: string): boolean => patternOf(regex, { dotAll }).test(text)
  const keep = (wanted: (name: string) => boolean): Labels =>
    Object.fromEntries(Object.entries(labels).filter(([name]) => wanted(name)))
  switch (step.action?.toLowerCase() ?? 'replace') {
    case 'replace':
      return matches(source) ? { ...labels, ...replaced(source, { regex, replacement, to }, dotAll) } : labels
    case 'keep':
      return matches(source) ? labels : null
    case 'drop':
      return matches(source) ? null : labels
    case 'keepequal':
      return labels[to] === source ? labels : null
    case 'dropequal':
      return labels[to] === source ? null : labels
    case 'labeldrop':
      return keep((name) => !matches(name))
    case 'labelkeep':
      return keep(matches)
    case 'lowercase':
      return { ...labels, [to]: source.toLowerCase() }
    case 'uppercase':
      return { ...labels, [to]: source.toUpperCase() }
    case 'hashmod':
      return { ...labels, [to]: String(hashOf(source) % modulusOf(step)) }
    case 'labelmap':
      return {
        ...labels,
        ...Object.fromEntries(
          Object.entries(labels)
            .filter(([name]) => matches(name))
            .map(([name, value]) => [expanded(name, { regex, replacement }, dotAll), value]),
        ),
      }
    default:
      return labels
  }
}

interface Replacing {
  readonly regex: string
  readonly replacement: string
}

const replaced = (source: string, { to, ...how }: Replacing & { to: string }, dotAll: boolean): Labels => ({
  [expanded(source, { ...how, replacement: to }, dotAll)]: expanded(source, how, dotAll),
})

/** `$1` and `${name}` filled in from the groups. Groups are found by JavaScript's rules, which differ from Go's only in odd expressions. */
const expanded = (source: string, { regex, replacement }: Replacing, dotAll: boolean): string => {
  if (!replacement.includes('$')) return replacement
  const found = groupsOf({ regex: `^(?:${regex.replaceAll('(?P<', '(?<')})$`, flags: dotAll ? 'us' : 'u', source })
  return replacement.replaceAll(/\$(?:\{(\w+)\}|(\w+)|(\$))/g, (_, braced, plain, dollar) => {
    if (dollar) return '$'
    const name = braced ?? plain
    return (/^\d+$/.test(name) ? found?.[Number(name)] : found?.groups?.[name]) ?? ''
  })
}

interface Search {
  readonly regex: string
  readonly flags: string
  readonly source: string
}

/**
 * The groups of a match. JavaScript tries one way after the other, which for some expressions takes longer than anybody lives, and the expression may be
 * what a host says that it runs with: where more than one choice is to be made, it has a quarter of a second. Throws RegexError after that.
 */
const groupsOf = ({ regex, flags, source }: Search): RegExpExecArray | null => {
  if ((regex.match(/[*+?{|]/g)?.length ?? 0) < 3) return new RegExp(regex, flags).exec(source)
  const { Script, createContext } = process.getBuiltinModule('node:vm')
  sandbox ??= createContext({})
  Object.assign(sandbox, { regex, flags, source })
  search ??= new Script('new RegExp(regex, flags).exec(source)')
  try {
    return search.runInContext(sandbox, { timeout: 250 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error
    throw new RegexError('takes too long to be followed here', true)
  }
}
let sandbox: object | undefined
let search: InstanceType<typeof import('node:vm').Script> | undefined

const modulusOf = ({ modulus = 0 }: RelabelStep): bigint => {
  if (!Number.isSafeInteger(modulus) || modulus < 1) throw new RegexError('hashmod needs a modulus of 1 or more')
  return BigInt(modulus)
}
