/** Rules as data: what can be wrong, why it bites, what to do; and what they found. */

export interface Rule<F> {
  readonly id: string
  /** An error stops a deploy or defeats the purpose of the fleet; a warning is a weakness somebody may have chosen. */
  readonly severity: 'error' | 'warning'
  readonly why: string
  readonly fix: string
  /** Pure. */
  find(facts: F): readonly Found[]
}
export interface Found {
  /** Host names, at least one. */
  readonly hosts: readonly string[]
  readonly what: string
  /** Where more is known than the rule says. */
  readonly fix?: string
}
export interface Finding extends Required<Found> {
  readonly id: string
  readonly severity: Rule<never>['severity']
  readonly why: string
}

/** What these rules find, errors first, in the order of the rules. */
export const findingsOf = <F>(rules: readonly Rule<F>[], facts: F): readonly Finding[] => {
  const all = rules.flatMap(({ id, severity, why, fix, find }) =>
    find(facts).map((found) => ({ id, severity, why, fix, ...found })),
  )
  return [
    ...all.filter(({ severity }) => severity === 'error'),
    ...all.filter(({ severity }) => severity === 'warning'),
  ]
}
