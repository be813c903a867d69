import type { Found, Rule } from '../../lib/health/finding.ts'
import type { TriedPath } from '../../lib/health/reachability.ts'
import type { FleetView } from './view.ts'

/** What the rules of high availability look at. */
export interface FleetFacts {
  /** As a deploy would make it. */
  readonly inventory: FleetView
  /** As it runs now: only what runs and answers. */
  readonly running: FleetView
  /** Hosts whose program answers, but not in a way that can be understood. */
  readonly unread: readonly { readonly host: string; readonly why: string }[]
  readonly paths: readonly TriedPath[]
  readonly untested: readonly { readonly to: string; readonly why: string }[]
  /** What each host's name for another resolves to: only names with more than one address. */
  readonly balanced: readonly { readonly host: string; readonly name: string; readonly addresses: readonly string[] }[]
}
export type FleetRule = Rule<FleetFacts>

/** Looks at the inventory and at what runs; what both show is said once. */
export const inBoth =
  (find: (view: FleetView) => readonly Found[]) =>
  ({ inventory, running }: FleetFacts): readonly Found[] => {
    const wanted = find(inventory)
    const known = new Set(wanted.map(({ hosts }) => hosts.join(' ')))
    const only = find(running).filter(({ hosts }) => !known.has(hosts.join(' ')))
    return [...wanted, ...only.map((found) => ({ ...found, what: `${found.what} (as it runs now)` }))]
  }

/** The groups of hosts that agree, as `a, b: value | c: value`; null where all do. */
export const disagreement = <T extends { readonly host: string }>(
  all: readonly T[],
  value: (one: T) => string,
  show = value,
): Found | null => {
  const groups = Map.groupBy(all, value)
  if (groups.size < 2) return null
  const what = [...groups.values()].map(
    (some) => `${some.map(({ host }) => host).join(', ')}: ${some[0] && show(some[0])}`,
  )
  return { hosts: all.map(({ host }) => host), what: what.join(' | ') }
}
