import type { Kind, State } from '../model.ts'

/** A kind whose shell isn't written yet. */
export const pending = <S extends State, D>(name: string, summary: string): Kind<S, D> => ({
  name,
  summary,
  probe: () => ':',
  parse: () => new Map(),
  converge: () => [],
})
