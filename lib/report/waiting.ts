import type { GateReport } from '../model.ts'

/** How long a run waited for gates, in milliseconds; gates that were asked at the same time count once. */
export const waitedMs = (gates: readonly GateReport[]): number => {
  const spans = gates
    .flatMap(({ at, ms }) => (at === undefined ? [] : [{ from: Date.parse(at), to: Date.parse(at) + ms }]))
    .sort((one, other) => one.from - other.from)
  let [total, until] = [0, Number.NEGATIVE_INFINITY]
  for (const { from, to } of spans) {
    total += Math.max(0, to - Math.max(from, until))
    until = Math.max(until, to)
  }
  return total
}
