/** The paths of alerts, one by one: whether what each Prometheus sends arrives at each Alertmanager, and whether each of these can hand over what it notifies. */
import type { PathStatus } from './types.ts'

/** What was counted on a leg in the last minutes. */
export interface Counted {
  readonly from: string
  readonly to: string
  readonly tried: number
  readonly failed: number
}
/** What is known of a fleet's paths. */
export interface PathFacts {
  readonly prometheus: readonly string[]
  readonly alertmanagers: readonly string[]
  /** The instances of a ring, and who sends tenants' alerts to them. */
  readonly ring: { readonly senders: readonly string[]; readonly instances: readonly string[] }
  /** From a Prometheus to an Alertmanager or an instance, as any server that scrapes it has counted. */
  readonly sent: readonly Counted[]
  /** From an Alertmanager by one of its integrations, `webhook`. */
  readonly handedOver: readonly Counted[]
  /** The heartbeats that an Alertmanager holds, by the Prometheus that sends each; undefined where they are turned off, or it doesn't answer. */
  heartbeats(alertmanager: string): readonly string[] | undefined
}

/** A row for each leg of each path. Pure. */
export const pathStatus = ({
  prometheus,
  alertmanagers,
  ring,
  sent,
  handedOver,
  heartbeats,
}: PathFacts): readonly PathStatus[] => [
  ...prometheus.flatMap((from) => [
    ...alertmanagers.map((to): PathStatus => {
      const held = heartbeats(to)
      if (held && !held.includes(from)) return { from, to, state: 'broken', why: 'no heartbeat of it is held there' }
      const state = stateOf(legOf(sent, from, to))
      if (held && state.state === 'unknown') return { from, to, state: 'works' }
      return { from, to, ...state }
    }),
    ...(ring.senders.includes(from) ? ring.instances : []).map(
      (to): PathStatus => ({ from, to, ...stateOf(legOf(sent, from, to)) }),
    ),
  ]),
  ...handedOver
    .filter(({ from }) => [...alertmanagers, ...ring.instances].includes(from))
    .map((one): PathStatus => ({ from: one.from, to: one.to, receivers: true, ...stateOf(one) }))
    .filter(({ state }) => state !== 'idle'),
]

/** Whether the fleet is unhealthy by it: alerts of a Prometheus don't arrive at an Alertmanager. Who is notified of what, and how often, is not known here. */
export const isBroken = ({ state, receivers }: PathStatus): boolean => state === 'broken' && !receivers

const legOf = (sent: readonly Counted[], from: string, to: string): Counted | undefined =>
  sent.find((one) => one.from === from && one.to === to)

const stateOf = (counted: Counted | undefined): Pick<PathStatus, 'state' | 'why'> => {
  if (!counted) return { state: 'unknown', why: 'no Prometheus has counted anything on it' }
  const { tried, failed } = counted
  // What is extrapolated from counters is no whole number.
  if (tried < 0.5 && failed < 0.5) return { state: 'idle', why: `nothing in the last ${MINUTES} minutes` }
  if (failed < 0.5) return { state: 'works' }
  const why = `${Math.round(failed)} of ${Math.round(tried)} failed in the last ${MINUTES} minutes`
  return { state: failed >= tried - 0.5 ? 'broken' : 'fails', why }
}

/** How far back is counted. */
export const MINUTES = 2
