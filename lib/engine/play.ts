import pLimit from 'p-limit'
import type { Gate, Host, Outcome, Play } from '../model.ts'
import { scopeOf } from '../playbook.ts'
import { hostFailure, note, type RunContext, skip } from './context.ts'
import { converge } from './converge.ts'
import { namesOf } from './events.ts'
import { askGates } from './gates.ts'
import type { HostWork, WorkBatch } from './plan.ts'

/** Runs one play batch by batch: gates before, changes, gates after. A failure ends the play, not the run. */
export const runPlay = async (
  context: RunContext,
  play: Play,
  { batches, all }: { batches: readonly WorkBatch[]; all: readonly HostWork[] },
): Promise<void> => {
  let broken: string | undefined
  for (const batch of batches) {
    const hosts = batch.hosts.filter(({ work }) => !context.state.failed.has(work.host))
    skip(
      context,
      batch.hosts.filter((host) => !hosts.includes(host)),
      'the host failed earlier in this run',
    )
    if (context.options.stop.aborted) broken ??= 'the run was interrupted'
    if (broken) skip(context, hosts, broken)
    else broken = await runBatch(context, { ...batch, hosts }, all)
  }
  if (broken || context.options.stop.aborted) return
  const busy = new Set(batches.flatMap((batch) => batch.hosts.map(({ work }) => work.host)))
  const idle = all.map(({ work }) => work.host).filter((host) => !busy.has(host) && !context.state.failed.has(host))
  const afterAll =
    batches.length === 0 && idle.length > 0
      ? (play.after?.({ inventory: context.inventory, batch: [], hosts: idle }) ?? [])
      : []
  await ask(context, play.name, [...healthy(context, play, idle), ...afterAll])
}

/** Returns why the play cannot go on, if it can't. */
const runBatch = async (
  context: RunContext,
  batch: WorkBatch,
  all: readonly HostWork[],
): Promise<string | undefined> => {
  const { options, state, inventory } = context
  const hosts = batch.hosts.map(({ work }) => work.host)
  if (hosts.length === 0) return undefined
  const scope = { inventory, batch: hosts, hosts: all.map(({ work }) => work.host) }
  const before = batch.interrupts ? await ask(context, batch.play.name, batch.play.before?.(scope) ?? []) : undefined
  if (before) {
    skip(context, batch.hosts, `before it: ${before}`)
    return `an earlier batch did not start: ${before}`
  }
  options.emit({ event: 'batch-started', play: batch.play.name, hosts: namesOf(hosts), interrupts: batch.interrupts })
  const limit = pLimit(options.forks)
  await Promise.all(batch.hosts.map((host) => limit(() => convergeHost(context, host))))
  const broken = hosts.filter((host) => state.failed.has(host))
  const served = hosts.filter((host) => !state.failed.has(host))
  if (options.stop.aborted) return 'the run was interrupted'
  const after = await ask(context, batch.play.name, [
    ...healthy(context, batch.play, served),
    ...(batch.play.after?.(scope) ?? []),
  ])
  if (broken.length > 0) return `${namesOf(broken).join(', ')} failed in an earlier batch`
  return after && `a gate failed after an earlier batch: ${after}`
}

const convergeHost = async ({ pool, options, state }: RunContext, host: HostWork): Promise<void> => {
  const startedAt = Date.now()
  const at = host.work.host
  const reading = state.readings.get(at)
  if (!reading || reading instanceof Error) return
  const lock = {
    run: options.run,
    owner: options.owner,
    since: new Date().toISOString(),
    break: options.breakLock.includes(at.name),
  }
  try {
    state.locked.add(at)
    const outcomes = await converge(await pool.reach(at), host, {
      lock,
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
    const changed = Object.values(outcomes).filter(({ status }) => status === 'changed').length
    options.emit({ event: 'host-done', host: at.name, play: host.work.play.name, changed, ms: Date.now() - startedAt })
  } catch (error) {
    const failure = hostFailure(at, error, 'apply', options)
    state.failed.add(at)
    const failed: Outcome = { status: 'failed', ms: Date.now() - startedAt, why: failure.message, hint: failure.hint }
    skip({ state }, [host], 'the host failed')
    note(state.outcomes, at, { [failure.task ?? 'apply']: failed })
  }
}

const healthy = ({ inventory }: RunContext, play: Play, hosts: readonly Host[]): readonly Gate[] =>
  hosts.flatMap((host) =>
    play.roles
      .filter((role) => role.group === undefined || host.groups.includes(role.group))
      .flatMap((role) => role.healthy(scopeOf(role, host, inventory))),
  )

/** Asks gates and keeps their reports; returns the first failure in words. */
const ask = async (
  { pool, options, state }: RunContext,
  play: string,
  gates: readonly Gate[],
): Promise<string | undefined> => {
  const reports = await askGates(gates, { play, reach: pool.reach, emit: options.emit, signal: options.stop })
  state.gates.push(...reports)
  const failed = reports.find(({ pass }) => !pass)
  return failed && `${failed.host}: ${failed.name}: ${failed.why}`
}
