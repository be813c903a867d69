import { HostError } from '../errors.ts'
import type { AlertsReport, GateReport, Host, Inventory, Outcome, Plan, Playbook } from '../model.ts'
import { taskId } from '../model.ts'
import type { Emit } from './events.ts'
import type { LockRequest } from './lock.ts'
import type { PlannedHost } from './plan.ts'
import type { Connect, Pool } from './pool.ts'
import type { Reading } from './probe.ts'

export interface RunOptions {
  readonly run: string
  /** The command whose run it is; its runs follow each other, and take over each other's locks. */
  readonly command: string
  /** Hosts that may be changed, or read for a plan. */
  readonly hosts: readonly Host[]
  readonly tags?: readonly string[]
  /** How many hosts are worked on at once. */
  readonly forks: number
  readonly diff: boolean
  /** Asked with the plan before anything changes; false stops. A plan-only run says no. */
  readonly confirm: (plan: Plan) => boolean | Promise<boolean>
  /** Who holds the locks: `user@machine`. */
  readonly owner: string
  /** Names of hosts whose lock is taken even from another run. */
  readonly breakLock: readonly string[]
  /** Nothing new is started after it. */
  readonly stop: AbortSignal
  /** What is under way is abandoned. */
  readonly abandon: AbortSignal
  readonly connect: Connect
  readonly emit: Emit
  /** Watches alerts while machines are changed. */
  readonly watch?: Watch
}
export interface Watch {
  /**
   * Called once, before the first play that alerts are to be watched for. Throws HostError where it cannot watch: then that play and those after
   * it change nothing.
   */
  begin(): Promise<readonly GateReport[]>
  /** Called when the last play is over, if it has begun. */
  end(): Promise<{ readonly alerts: AlertsReport; readonly gates: readonly GateReport[] }>
}
export type Outcomes = Record<string, Record<string, Outcome>>

export interface RunState {
  readonly outcomes: Outcomes
  readonly gates: GateReport[]
  readonly readings: ReadonlyMap<Host, Reading | HostError>
  /** Hosts whose lock this run has. */
  readonly locked: Set<Host>
  /** Hosts that this run has begun to change, each with the ids of the tasks that were wanted of it. */
  readonly converged: Map<Host, ReadonlySet<string>>
  /** Hosts that failed: later plays leave them alone. */
  readonly failed: Set<Host>
  /** Hosts whose change was taken back. */
  readonly takenBack: Set<Host>
  /** What their services had said last. */
  readonly logTail: Map<Host, string>
  /** Why plays ended before their end. */
  readonly stops: string[]
  /** Alerts are watched. */
  watching: boolean
}
export interface RunContext {
  readonly book: Playbook
  readonly inventory: Inventory
  readonly pool: Pool
  readonly options: RunOptions
  readonly state: RunState
}

/** An expected failure as a value, told to the listeners; a bug is thrown on. */
export const hostFailure = (host: Host, error: unknown, task: string, options: RunOptions): HostError => {
  const failure =
    error instanceof HostError ? error : options.stop.aborted ? new HostError(host.name, 'interrupted', { task }) : null
  if (!failure) throw error
  options.emit({
    event: 'host-failed',
    host: host.name,
    task: failure.task ?? task,
    why: failure.message,
    hint: failure.hint,
  })
  return failure
}

/** Keeps outcomes of a host's tasks. */
export const note = (outcomes: Outcomes, host: Host, more: Readonly<Record<string, Outcome>>): void => {
  outcomes[host.name] = { ...outcomes[host.name], ...more }
}

/** Says of all a host's changes that they were not tried, and why. */
export const skip = ({ state }: Pick<RunContext, 'state'>, hosts: readonly PlannedHost[], because: string): void => {
  for (const { work, planned } of hosts) {
    note(
      state.outcomes,
      work.host,
      Object.fromEntries(planned.map(({ item }) => [taskId(item.task), { status: 'skipped', because }])),
    )
  }
}

/** What a host's lock is asked with. */
export const lockOf = (options: RunOptions, host: Host): LockRequest => ({
  run: options.run,
  command: options.command,
  owner: options.owner,
  since: new Date().toISOString(),
  break: options.breakLock.includes(host.name),
})
