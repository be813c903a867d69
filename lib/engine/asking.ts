import type { Gate, GateReport, Host, Play } from '../model.ts'
import { rolesOn, scopeOf } from '../playbook.ts'
import type { RunContext } from './context.ts'
import { askGates } from './gates.ts'

export interface Asked {
  readonly reports: readonly GateReport[]
  /** The first failure in words. */
  readonly said?: string
}

/** Asks gates and keeps their reports. */
export const ask = async (
  { pool, options, state }: RunContext,
  play: string,
  gates: readonly Gate[],
): Promise<Asked> => {
  const reports = await askGates(gates, { play, reach: pool.ask, emit: options.emit, signal: options.stop })
  state.gates.push(...reports)
  const failed = reports.find(({ pass }) => !pass)
  return { reports, said: failed && `${failed.host}: ${failed.name}: ${failed.why}` }
}

/** The gates of a play's roles on these hosts: `healthy` as the inventory wants them, `serves` whatever they run. */
export const gatesOf = (
  { inventory }: RunContext,
  which: 'healthy' | 'serves',
  { play, hosts }: { readonly play: Play; readonly hosts: readonly Host[] },
): readonly Gate[] =>
  hosts.flatMap((host) => rolesOn(host, play.roles).flatMap((role) => role[which](scopeOf(role, host, inventory))))
