import { inject } from 'vitest'
import { type Fleet, fleetOf } from '../failure/fleet.ts'

/** Lends out the lab's fleets, so that as many rounds run at once as the lab has hosts for, and three at most. */
export const fleets = (): (<T>(work: (fleet: Fleet) => Promise<T>) => Promise<T>) => {
  const count = Math.min(3, Math.floor(inject('lab').hosts.length / 2))
  const free = Array.from({ length: count }, (_, n) => fleetOf(n))
  const waiting: ((fleet: Fleet) => void)[] = []
  return async (work) => {
    const fleet = free.pop() ?? (await new Promise<Fleet>((resolve) => waiting.push(resolve)))
    try {
      return await work(fleet)
    } finally {
      const next = waiting.shift()
      if (next) next(fleet)
      else free.push(fleet)
    }
  }
}
