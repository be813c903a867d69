/** Relabelling as Prometheus does it (`model/relabel/relabel.go`), as far as it decides which labels an alert has. */
import { createHash } from 'node:crypto'

export interface RelabelStep {
  readonly action?: string
  readonly source_labels?: readonly string[]
  readonly separator?: string
  readonly regex?: string | number | boolean
  readonly target_label?: string
  readonly replacement?: string
  readonly modulus?: number
}
export type Labels = Readonly<Record<string, string>>

/** The labels after all steps; null where a step drops the alert. A pattern that JavaScript can't read leaves the labels as they are. */
export const relabelled = (labels: Labels, steps: readonly RelabelStep[]): Labels | null => {
  let now: Labels | null = labels
  for (const step of steps) if (now) now = apply(now, step)
  return now
}

const apply = (labels: Labels, step: RelabelStep): Labels | null => {
  const {
    action = 'replace',
    source_labels = [],
    separator = ';',
    target_label = '',
    replacement = '$1',
    modulus = 1,
  } = step
  const pattern = patternOf(step.regex)
  if (!pattern) return labels
  const value = source_labels.map((name) => labels[name] ?? '').join(separator)
  const matches = pattern.test(value)
  switch (action.toLowerCase()) {
    case 'keep':
      return matches ? labels : null
    case 'drop':
      return matches ? null : labels
    case 'keepequal':
      return labels[target_label] === value ? labels : null
    case 'dropequal':
      return labels[target_label] === value ? null : labels
    case 'labeldrop':
      return filtered(labels, (name) => !pattern.test(name))
    case 'labelkeep':
      return filtered(labels, (name) => pattern.test(name))
    case 'labelmap':
      return {
        ...labels,
        ...Object.fromEntries(
          Object.entries(labels).flatMap(([name, own]) =>
            pattern.test(name) ? [[name.replace(pattern, inJs(replacement)), own]] : [],
          ),
        ),
      }
    case 'lowercase':
      return set(labels, target_label, value.toLowerCase())
    case 'uppercase':
      return set(labels, target_label, value.toUpperCase())
    case 'hashmod':
      return set(
        labels,
        target_label,
        String(createHash('md5').update(value).digest().readBigUInt64BE(8) % BigInt(modulus)),
      )
    default:
      if (!matches) return labels
      return set(labels, value.replace(pattern, inJs(target_label)), value.replace(pattern, inJs(replacement)))
  }
}

/** A label with an empty value is no label. */
const set = (labels: Labels, name: string, value: string): Labels =>
  value === '' ? filtered(labels, (one) => one !== name) : { ...labels, [name]: value }

const filtered = (labels: Labels, stays: (name: string) => boolean): Labels =>
  Object.fromEntries(Object.entries(labels).filter(([name]) => stays(name)))

const patternOf = (regex: RelabelStep['regex'] = '(.*)'): RegExp | null => {
  try {
    return new RegExp(`^(?:${String(regex).replaceAll('(?P<', '(?<')})$`, 's')
  } catch {
    return null
  }
}

/** Go writes `${1}` and `${name}` for what JavaScript writes `$1` and `$<name>`. */
const inJs = (replacement: string): string =>
  replacement.replaceAll(/\$\{(\d+)\}/g, '$$$1').replaceAll(/\$\{(\w+)\}/g, '$$<$1>')
