import { type LabelSet, minus } from './label-set.ts'

/** Labels of series that no target has: of metrics, histograms, summaries and alerts. */
const NOT_OF_TARGETS = ['__name__', 'le', 'quantile', 'alertname', 'alertstate']

/** The labels of a verdict's `help` that targets can have; null where there are none. */
export const helpfulLabels = (
  help: LabelSet,
): { readonly anyOf: readonly string[] } | { readonly anyBut: readonly string[] } | null => {
  if (help.but) return { anyBut: [...help.names].filter((name) => !NOT_OF_TARGETS.includes(name)).sort() }
  const anyOf = [...minus(help, NOT_OF_TARGETS).names].sort()
  return anyOf.length > 0 ? { anyOf } : null
}
