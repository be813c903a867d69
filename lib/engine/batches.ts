import type { Host, Play } from '../model.ts'

interface BatchRules extends Pick<Play, 'batch'> {
  /** Hosts with the same answer are never in one batch. */
  readonly apart?: (host: Host) => string
  /** How many hosts a percentage is of. */
  readonly of: number
}

/**
 * Cuts items into batches in order: no more than `batch` in each, and never two whose hosts `apart` answers alike.
 * A percentage is rounded down, to one at least.
 */
export const batchesOf = <T>(
  items: readonly T[],
  { batch, apart, of }: BatchRules,
  hostOf: (item: T) => Host,
): readonly (readonly T[])[] => {
  const size = sizeOf(batch, of)
  const batches: T[][] = []
  for (const item of items) {
    const place = batches.find(
      (one) => one.length < size && !(apart && one.some((other) => apart(hostOf(other)) === apart(hostOf(item)))),
    )
    if (place) place.push(item)
    else batches.push([item])
  }
  return batches
}

const sizeOf = (batch: Play['batch'], of: number): number => {
  if (batch === undefined) return Number.POSITIVE_INFINITY
  if (typeof batch === 'number') return Math.max(1, batch)
  return Math.max(1, Math.floor((Number.parseFloat(batch) / 100) * of))
}
