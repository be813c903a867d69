import pLimit from 'p-limit'
import type { HostError } from '../errors.ts'
import type { Host, Inventory, Plan, Playbook, RunReport } from '../model.ts'
import { taskId } from '../model.ts'
import { namesOnMachines } from '../one-machine.ts'
import { hostFailure, note, type Outcomes, type RunOptions, type RunState } from './context.ts'
import { textDiffs, withDiffs } from './diff-text.ts'
import { namesOf } from './events.ts'
import { type HostTasks, hostTasksOf } from './host-tasks.ts'
import { keepLocks } from './members.ts'
import { type PlannedBatch, type PlannedHost, planBatches, planHost, showPlan } from './plan.ts'
import { playAll } from './play.ts'
import { connectionPool, type Pool } from './pool.ts'
import type { Reading } from './probe.ts'
import { readHost } from './read.ts'

export interface RunResult {
  readonly plan: Plan
  /** null when only planned, or when the plan was not confirmed. */
  readonly report: RunReport | null
}

/** A run from its first connection to its report: read every host once, plan, confirm, then play by play and batch by batch converge and ask the gates. */
export const run = async (book: Playbook, inventory: Inventory, given: RunOptions): Promise<RunResult> => {
  const options = { ...given, breakLock: namesOnMachines(given.breakLock, inventory.hosts) }
  const startedAt = new Date()
  options.emit({
    event: 'run-started',
    run: options.run,
    playbook: book.name,
    inventory: inventory.name,
    hosts: namesOf(options.hosts),
  })
  const works = await hostTasksOf(book, inventory, { hosts: options.hosts, tags: options.tags, signal: options.stop })
  await using pool = connectionPool(options.connect)
  const readings = await readAll(works, pool, options)
  const plannedHosts = works.flatMap((work) => {
    const reading = readings.get(work.host)
    return reading && !(reading instanceof Error) ? [planHost(work, reading)] : []
  })
  const batches = planBatches(book, plannedHosts, inventory)
  const plan = await planOf(book, inventory, { batches, readings, pool, options })
  options.emit({ event: 'planned', plan })
  if (!(await options.confirm(plan))) return { plan, report: null }
  for (const { planned } of plannedHosts) for (const { steps } of planned) for (const { make } of steps) make?.ready()
  const state = startState(plannedHosts, readings, options)
  const heartbeat = keepLocks(state.locked, { run: options.run, reach: pool.reach })
  try {
    await playAll({ book, inventory, pool, options, state }, batches, plannedHosts)
  } finally {
    clearInterval(heartbeat)
  }
  const watched = state.watching ? await options.watch?.end() : undefined
  const report: RunReport = {
    vestal: 'report/1',
    run: options.run,
    playbook: book.name,
    inventory: inventory.name,
    startedAt: startedAt.toISOString(),
    ms: Date.now() - startedAt.getTime(),
    interrupted: options.stop.aborted,
    hosts: state.outcomes,
    stops: state.stops,
    gates: [...state.gates, ...(watched?.gates ?? [])],
    alerts: watched?.alerts,
    cost: pool.cost(),
  }
  options.emit({ event: 'run-ended', report })
  return { plan, report }
}

const readAll = async (
  works: readonly HostTasks[],
  pool: Pool,
  options: RunOptions,
): Promise<ReadonlyMap<Host, Reading | HostError>> => {
  const limit = pLimit(options.forks)
  const byHost = Map.groupBy(works, ({ host }) => host)
  const read = async (host: Host, mine: readonly HostTasks[]): Promise<Reading | HostError> => {
    const startedAt = Date.now()
    try {
      options.stop.throwIfAborted()
      const tasks = mine.flatMap(({ items }) => items.map(({ task }) => task))
      const reading = await readHost(await pool.reach(host), tasks, {
        signal: options.stop,
        settled: options.breakLock.includes(host.name)
          ? 'ended'
          : { onLocked: (lock) => options.emit({ event: 'host-locked', host: host.name, lock }) },
      })
      options.emit({
        event: 'host-read',
        host: host.name,
        facts: reading.facts,
        tasks: tasks.length,
        ms: Date.now() - startedAt,
      })
      return reading
    } catch (error) {
      return hostFailure(host, error, 'connect', options)
    }
  }
  return new Map(
    await Promise.all([...byHost].map(([host, mine]) => limit(async () => [host, await read(host, mine)] as const))),
  )
}

const planOf = async (
  book: Playbook,
  inventory: Inventory,
  {
    batches,
    readings,
    pool,
    options,
  }: {
    batches: readonly PlannedBatch[]
    readings: ReadonlyMap<Host, Reading | HostError>
    pool: Pool
    options: RunOptions
  },
): Promise<Plan> => {
  const unreachable = new Map(
    [...readings].flatMap(([host, reading]) => (reading instanceof Error ? [[host, reading.message]] : [])),
  )
  const plan = showPlan(book, inventory, { batches, unreachable, read: readings.size - unreachable.size })
  if (!options.diff) return plan
  const hosts = batches.flatMap((batch) => batch.hosts)
  const diffs = new Map<string, Map<string, string>>()
  for (const [host, diff] of await Promise.all(
    hosts.map(async (one) => [one.work.host, await textDiffs(await pool.reach(one.work.host), one)] as const),
  )) {
    diffs.set(host.name, new Map([...(diffs.get(host.name) ?? []), ...diff]))
  }
  return withDiffs(plan, diffs)
}

const startState = (
  plannedHosts: readonly PlannedHost[],
  readings: RunState['readings'],
  options: RunOptions,
): RunState => {
  const outcomes: Outcomes = Object.fromEntries(options.hosts.map((host) => [host.name, {}]))
  const failed = new Set<Host>()
  for (const [host, reading] of readings) {
    if (!(reading instanceof Error)) continue
    failed.add(host)
    outcomes[host.name] = {
      [reading.task ?? 'connect']: { status: 'failed', ms: 0, why: reading.message, hint: reading.hint },
    }
  }
  for (const { work, planned } of plannedHosts) {
    const busy = new Set(planned.map(({ item }) => item))
    for (const item of work.items.filter((one) => !busy.has(one)))
      note(outcomes, work.host, { [taskId(item.task)]: { status: 'same' } })
  }
  return {
    outcomes,
    gates: [],
    readings,
    locked: new Set(),
    converged: new Map(),
    failed,
    takenBack: new Set(),
    logTail: new Map(),
    stops: [],
    watching: false,
  }
}
