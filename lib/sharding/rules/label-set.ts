/** A set of label names: these only, or all but these. */
export interface LabelSet {
  readonly but: boolean
  readonly names: ReadonlySet<string>
}

export const only = (...names: readonly string[]): LabelSet => ({ but: false, names: new Set(names) })
export const allBut = (...names: readonly string[]): LabelSet => ({ but: true, names: new Set(names) })
export const ALL = allBut()

export const has = ({ but, names }: LabelSet, name: string): boolean => names.has(name) !== but

export const minus = ({ but, names }: LabelSet, gone: Iterable<string>): LabelSet => ({
  but,
  names: but ? new Set([...names, ...gone]) : difference(names, new Set(gone)),
})

export const plus = ({ but, names }: LabelSet, more: Iterable<string>): LabelSet => ({
  but,
  names: but ? difference(names, new Set(more)) : new Set([...names, ...more]),
})

export const both = (one: LabelSet, other: LabelSet): LabelSet => {
  if (one.but) return minus(other, one.names)
  return { but: false, names: new Set([...one.names].filter((name) => has(other, name))) }
}

const difference = (all: ReadonlySet<string>, gone: ReadonlySet<string>): ReadonlySet<string> =>
  new Set([...all].filter((name) => !gone.has(name)))
