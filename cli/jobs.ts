import { hostname } from 'node:os'
import pLimit from 'p-limit'
import type { Tools } from '../fleet/backup/tools.ts'
import { type Emit, namesOf, type RunEvent } from '../lib/engine/events.ts'
import { askGates } from '../lib/engine/gates.ts'
import { holdMembers, keepLocks } from '../lib/engine/members.ts'
import { connectionPool } from '../lib/engine/pool.ts'
import { HostError } from '../lib/errors.ts'
import type { Gate, GateReport, Host, Outcome, RunReport } from '../lib/model.ts'
import { byMachine, namesOnMachines } from '../lib/one-machine.ts'
import { operator, runName } from '../lib/report/folder.ts'
import { lineOf } from '../lib/report/lines.ts'
import { exitCodeOf } from '../lib/report/outcome.ts'
import { print } from '../lib/report/print.ts'
import { reportText } from '../lib/report/text.ts'
import { stopOnSignals } from '../lib/signals.ts'
import type { Opened } from './context.ts'
import type { CommonFlags } from './options.ts'
import { keepRun } from './run-folder.ts'

/** One thing done to one host, that is no state to converge to. */
export interface Job {
  readonly host: Host
  /** What it is called in the report: `backup prometheus`. */
  readonly task: string
  work(doing: JobContext): Promise<void>
}
/** What a job works with. */
export interface JobContext {
  readonly run: string
  readonly tools: Tools
  /** Tells of a step, and of what came of it. */
  step<T>(title: string, work: () => Promise<T>): Promise<T>
  /** Holds the locks of groups of hosts that do each other's work, up to the end of the run; throws HostError where another run works on one. */
  hold(groups: readonly (readonly Host[])[]): Promise<void>
  /** Asks gates until they say yes; throws HostError where one doesn't. */
  ask(gates: readonly Gate[]): Promise<void>
}
export interface JobFlags extends CommonFlags {
  readonly breakLock: readonly string[]
}
interface JobOptions {
  readonly name: string
  readonly jobs: readonly Job[]
  /** All at once, each on its own; or one after the other, the first failure the last. */
  readonly order: 'together' | 'one by one'
}

/** Carries out jobs as a run of its own: events, a folder for the audit, a report, and its exit code. */
export const runJobs = async (opened: Opened, flags: JobFlags, { name, jobs, order }: JobOptions): Promise<number> => {
  const startedAt = new Date()
  const run = runName(name, startedAt, Math.random())
  const owner = operator(hostname())
  const { redact, redacted } = opened
  using stop = stopOnSignals(() => emit({ event: 'interrupted' }))
  const kept = keepRun({
    run,
    about: { owner, command: [name, ...flags.inventory] },
    redact,
    stop,
    listen: listener(flags),
  })
  const { emit } = kept
  const hosts = [...new Set(jobs.map(({ host }) => host))]
  emit({ event: 'run-started', run, playbook: name, inventory: opened.inventory.name, hosts: namesOf(hosts) })
  await using pool = connectionPool(opened.connect)
  const outcomes: Record<string, Record<string, Outcome>> = Object.fromEntries(hosts.map((host) => [host.name, {}]))
  const gates: GateReport[] = []
  let broken: string | undefined
  const breakLock = namesOnMachines(flags.breakLock, opened.inventory.hosts)
  const lockOf = ({ name }: Host) => ({
    run,
    command: opened.command,
    owner,
    since: new Date().toISOString(),
    break: breakLock.includes(name),
  })
  /** Hosts whose lock this run has. */
  const locked = new Set<Host>()
  const carryOut = async (job: Job): Promise<void> => {
    const set = (outcome: Outcome): void => {
      outcomes[job.host.name] = { ...outcomes[job.host.name], [job.task]: outcome }
    }
    if (stop.stop.aborted) broken ??= 'the run was interrupted'
    if (broken !== undefined) return set({ status: 'skipped', because: broken })
    const began = Date.now()
    const lock = lockOf(job.host)
    const progress: Tools['progress'] = (title, sent, of) =>
      emit({ event: 'upload', host: job.host.name, title, sent, of })
    emit({ event: 'batch-started', play: job.task, hosts: [job.host.name], interrupts: order === 'one by one' })
    try {
      locked.add(job.host)
      await job.work({
        run,
        tools: { reach: pool.reach, lock, signal: stop.abandon, progress },
        step: stepper(job, emit),
        hold: (groups) => holdMembers(groups, { reach: pool.reach, lockOf, signal: stop.abandon, held: locked }),
        async ask(wanted) {
          const reports = await askGates(wanted, { play: job.task, reach: pool.reach, emit, signal: stop.stop })
          gates.push(...reports)
          const failed = reports.find(({ pass }) => !pass)
          if (failed) throw new HostError(failed.host, `${failed.name}: ${failed.why}`, { task: job.task })
        },
      })
      set({ status: 'changed', ms: Date.now() - began })
      emit({ event: 'host-done', host: job.host.name, play: job.task, changed: 1, ms: Date.now() - began })
    } catch (error) {
      const failure = stop.abandon.aborted ? new HostError(job.host.name, 'interrupted') : error
      if (!(failure instanceof HostError)) throw failure
      if (order === 'one by one') broken = `${job.task} failed on ${job.host.name}`
      set({ status: 'failed', ms: Date.now() - began, why: failure.message, hint: failure.hint })
      emit({ event: 'host-failed', host: job.host.name, task: job.task, why: failure.message, hint: failure.hint })
    }
  }
  const limit = pLimit(order === 'one by one' ? 1 : flags.forks)
  const heartbeat = keepLocks(locked, { run, reach: pool.reach })
  try {
    await byMachine(
      jobs,
      ({ host }) => host,
      (job) => limit(() => carryOut(job)),
    ).catch(kept.fail)
  } finally {
    clearInterval(heartbeat)
  }
  const report: RunReport = {
    vestal: 'report/1',
    run,
    playbook: name,
    inventory: opened.inventory.name,
    startedAt: startedAt.toISOString(),
    ms: Date.now() - startedAt.getTime(),
    interrupted: stop.stop.aborted,
    hosts: outcomes,
    gates,
    cost: pool.cost(),
  }
  emit({ event: 'run-ended', report })
  if (!flags.json) print(reportText(redacted(report)))
  kept.requireKept()
  return exitCodeOf(report)
}

const listener =
  ({ json, verbose }: CommonFlags) =>
  (event: RunEvent): void => {
    const line = json ? JSON.stringify(event) : lineOf(event, verbose)
    if (line !== null) print(line)
  }

const stepper =
  ({ host, task }: Job, emit: Emit): JobContext['step'] =>
  async (title, work) => {
    const about = { event: 'step', host: host.name, task, title } as const
    emit({ ...about, state: 'started' })
    try {
      const result = await work()
      emit({ ...about, state: 'done', output: typeof result === 'string' ? result : undefined })
      return result
    } catch (error) {
      emit({ ...about, state: 'failed', output: error instanceof Error ? error.message : String(error) })
      throw error
    }
  }
