import pLimit from 'p-limit'
import { HostError } from '../errors.ts'
import type { Host, Inventory, Outcome, Play, PlayScope } from '../model.ts'
import { taskId } from '../model.ts'
import { byMachine, isSameMachine } from '../one-machine.ts'
import { membersOf } from '../playbook.ts'
import { ask, gatesOf } from './asking.ts'
import { catchUp } from './catch-up.ts'
import { hostFailure, lockOf, note, type RunContext, type RunState, skip } from './context.ts'
import { converge } from './converge.ts'
import { namesOf } from './events.ts'
import { holdMembers } from './members.ts'
import { interrupts, type PlannedBatch, type PlannedHost, planHost } from './plan.ts'
import { readHost } from './read.ts'
import { mendBroken, takeBackThose } from './recover.ts'
import { complaint } from './take-back.ts'

export interface BatchEnd {
  /** Why later batches cannot go on. */
  readonly why: string
  /** The same for the end of the report: sentences. */
  readonly told: string
  /** How many of its hosts failed; 0 where the batch did not start. */
  readonly hosts: number
}

/** Runs one batch: gates before, changes, gates after. Returns why the play cannot go on, if it can't. */
export const runBatch = async (
  context: RunContext,
  batch: PlannedBatch,
  all: readonly PlannedHost[],
): Promise<BatchEnd | undefined> => {
  const { options, state, inventory } = context
  const { play } = batch
  const hosts = batch.hosts.map(({ work }) => work.host)
  if (hosts.length === 0) return undefined
  const scope = { inventory, batch: hosts, hosts: all.map(({ work }) => work.host) }
  const before = batch.interrupts
    ? ((await holdAll(context, play.members?.(scope) ?? membersIn(play, inventory))) ??
      (await ask(context, play.name, play.before?.(scope) ?? [])).said ??
      (await keep(context, batch, scope)))
    : undefined
  if (before) {
    skip(context, batch.hosts, `before it: ${before}`)
    const told = `${namesOf(hosts).join(', ')} did not start: ${before}.`
    return { why: `an earlier batch did not start: ${before}`, told, hosts: 0 }
  }
  options.emit({ event: 'batch-started', play: play.name, hosts: namesOf(hosts), interrupts: batch.interrupts })
  const limit = pLimit(options.forks)
  const done = await byMachine(
    batch.hosts,
    ({ work }) => work.host,
    (host) => limit(() => convergeHost(context, host, batch)),
  )
  const broken = done.filter(({ work }) => state.failed.has(work.host))
  const served = done.filter((host) => !broken.includes(host))
  if (options.stop.aborted) return interrupted
  if (batch.interrupts) await catchUp(context, play, served)
  const after = await ask(context, play.name, [
    ...gatesOf(context, 'healthy', { play, hosts: served.map(({ work }) => work.host) }),
    ...(play.after?.(scope) ?? []),
  ])
  if (options.stop.aborted) return interrupted
  if (broken.length === 0 && !after.said) return undefined
  const told = [
    ...broken.map(({ work }) => failuresOf(state, work.host)),
    await mendBroken(context, play, broken),
    ...(after.said ? [`${after.said}.`, await takeBackThose(context, { ...batch, hosts: served }, after)] : []),
  ]
  const failed = hosts.filter((host) => state.failed.has(host))
  return {
    why:
      broken.length > 0
        ? `${namesOf(broken.map(({ work }) => work.host)).join(', ')} failed in an earlier batch`
        : `a gate failed after an earlier batch: ${after.said}`,
    told: told.filter(Boolean).join(' '),
    hosts: failed.length || hosts.length,
  }
}

const interrupted: BatchEnd = { why: 'the run was interrupted', told: 'The run was interrupted.', hosts: 0 }

const membersIn = ({ roles }: Play, { hosts }: Inventory): readonly (readonly Host[])[] =>
  roles.flatMap((role) => membersOf(role, hosts))

/** Nobody else interrupts one of these hosts from here to the end of the run. Returns why that can't be had, in words. */
const holdAll = async (
  { options, pool, state }: RunContext,
  groups: readonly (readonly Host[])[],
): Promise<string | undefined> => {
  try {
    await holdMembers(groups, {
      reach: pool.reach,
      lockOf: (host) => lockOf(options, host),
      signal: options.abandon,
      held: state.locked,
    })
    return undefined
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    return `${error.host}: ${error.message}${error.hint ? `. ${error.hint}` : ''}`
  }
}

/** Returns what could not be kept, in words. */
const keep = async (
  context: RunContext,
  { play, hosts }: PlannedBatch,
  scope: PlayScope,
): Promise<string | undefined> => {
  const { options, pool, state } = context
  try {
    await play.keep?.(scope, {
      run: options.run,
      reach: pool.reach,
      store: (host, name, text) => options.emit({ event: 'kept', host: host.name, name, text }),
    })
    return undefined
  } catch (error) {
    const at = error instanceof HostError ? hosts.find(({ work }) => work.host.name === error.host) : undefined
    if (!at) throw error
    const failure = hostFailure(at.work.host, error, 'keep', options)
    state.failed.add(at.work.host)
    note(state.outcomes, at.work.host, {
      keep: { status: 'failed', ms: 0, why: failure.message, hint: failure.hint },
    })
    return `${failure.host}: ${failure.message}`
  }
}

const failuresOf = (state: RunState, host: Host): string =>
  Object.entries(state.outcomes[host.name] ?? {})
    .flatMap(([task, outcome]) =>
      outcome.status === 'failed' ? [`${host.name}: ${task}: ${shortened(outcome.why)}.`] : [],
    )
    .join(' ')

/** The first line, which says what failed, and the one that says why. */
const shortened = (why: string): string => {
  const [first = '', ...rest] = why.split('\n')
  return rest.length === 0 ? first : `${first} ${complaint(rest.join('\n'))}`
}

/** Returns what was planned for the host in the end. */
const convergeHost = async (
  context: RunContext,
  planned: PlannedHost,
  { interrupts }: PlannedBatch,
): Promise<PlannedHost> => {
  const { pool, options, state } = context
  const startedAt = Date.now()
  const at = planned.work.host
  const reading = state.readings.get(at)
  if (!reading || reading instanceof Error) return planned
  let host = planned
  try {
    host = await planAgain(context, planned, interrupts)
    state.locked.add(at)
    const ids = host.work.items.map(({ task }) => taskId(task))
    state.converged.set(at, new Set([...(state.converged.get(at) ?? []), ...ids]))
    const { outcomes, takenBack } = await converge(await pool.reach(at), host, {
      lock: lockOf(options, at),
      lastRun: reading.facts.lastRun,
      signal: options.abandon,
      emit: options.emit,
    })
    note(state.outcomes, at, outcomes)
    for (const [task, outcome] of Object.entries(outcomes)) {
      if (outcome.status !== 'failed') continue
      state.failed.add(at)
      options.emit({ event: 'host-failed', host: at.name, task, why: outcome.why, hint: outcome.hint })
    }
    if (takenBack) state.takenBack.add(at)
    const changed = Object.values(outcomes).filter(({ status }) => status === 'changed').length
    options.emit({ event: 'host-done', host: at.name, play: host.work.play.name, changed, ms: Date.now() - startedAt })
  } catch (error) {
    const failure = hostFailure(at, error, 'apply', options)
    state.failed.add(at)
    const failed: Outcome = { status: 'failed', ms: Date.now() - startedAt, why: failure.message, hint: failure.hint }
    skip({ state }, [host], 'the host failed')
    note(state.outcomes, at, { [failure.task ?? 'apply']: failed })
  }
  return host
}

/**
 * What they share (an account, a release) this run may have changed already as another host of the same machine: then the host is read anew, so that
 * it is not done twice, and not taken back with what is this host's own. Throws HostError where that would now interrupt it, and was not to.
 */
const planAgain = async (
  { pool, options, state }: RunContext,
  planned: PlannedHost,
  interrupted: boolean,
): Promise<PlannedHost> => {
  const { work } = planned
  if (![...state.converged.keys()].some((one) => one !== work.host && isSameMachine(one, work.host))) return planned
  const tasks = work.items.map(({ task }) => task)
  const host = planHost(work, await readHost(await pool.reach(work.host), tasks, { signal: options.abandon }))
  if (interrupts(host) && !interrupted)
    throw new HostError(
      work.host.name,
      'was changed by this run as another host of the same machine; nothing was done',
      {
        task: 'read',
        hint: 'Run again: the plan will start from what is there now.',
      },
    )
  const left = new Set(host.planned.map(({ item }) => item))
  for (const { item } of planned.planned)
    if (!left.has(item)) note(state.outcomes, work.host, { [taskId(item.task)]: { status: 'same' } })
  return host
}
