import type { Outcome, Play } from '../model.ts'
import { taskId } from '../model.ts'
import { byMachine, isSameMachine } from '../one-machine.ts'
import { type Asked, ask, gatesOf } from './asking.ts'
import { catchUp } from './catch-up.ts'
import { hostFailure, lockOf, note, type RunContext, type RunState } from './context.ts'
import { namesOf } from './events.ts'
import type { PlannedBatch, PlannedHost } from './plan.ts'
import { canTakeBack, takeBack } from './take-back.ts'

/** Takes back the hosts of a batch whose gates said no (all, where those gates are of others), where the play wants that. Returns what became of them. */
export const takeBackThose = async (context: RunContext, batch: PlannedBatch, { reports }: Asked): Promise<string> => {
  if (batch.play.onGateFailure !== 'take-back') return ''
  const wrong = new Set(reports.filter(({ pass }) => !pass).map(({ host }) => host))
  const theirs = batch.hosts.filter(({ work }) => wrong.has(work.host.name))
  const hosts = (theirs.length > 0 ? theirs : batch.hosts).filter(canTakeBack)
  await takeBackAll(context, hosts, (host) => {
    const no = reports.find((report) => !report.pass && (theirs.length === 0 || report.host === host.work.host.name))
    return no ? `${no.name}: ${no.why}` : 'a gate failed'
  })
  return serveAgain(context, batch.play, hosts)
}

/** Hosts of one machine one after the other, the last to be changed first: what they share was changed as the first of them. */
const takeBackAll = async (
  context: RunContext,
  hosts: readonly PlannedHost[],
  why: (host: PlannedHost) => string,
): Promise<void> => {
  await byMachine(
    hosts.toReversed(),
    ({ work }) => work.host,
    (host) => takeBackHost(context, host, why(host)),
  )
}

const takeBackHost = async (context: RunContext, planned: PlannedHost, because: string): Promise<void> => {
  const { pool, options, state } = context
  const at = planned.work.host
  const host = withoutShared(planned, state)
  const startedAt = Date.now()
  state.failed.add(at)
  try {
    const { outcomes, said } = await takeBack(await pool.reach(at), host, {
      lock: lockOf(options, at),
      lastRun: options.run,
      signal: options.abandon,
      emit: options.emit,
      because,
    })
    note(state.outcomes, at, outcomes)
    state.takenBack.add(at)
    if (said) state.logTail.set(at, said)
    const whole = Object.values(outcomes).every(({ status }) => status !== 'failed')
    const ms = Date.now() - startedAt
    options.emit({ event: 'taken-back', host: at.name, play: host.work.play.name, because, whole, said, ms })
  } catch (error) {
    const failure = hostFailure(at, error, 'take back', options)
    const failed: Outcome = { status: 'failed', ms: Date.now() - startedAt, why: failure.message, hint: failure.hint }
    note(state.outcomes, at, { [failure.task ?? 'take back']: failed })
  }
}

/** Without what another host of the machine, changed in this run too and not taken back, wants as well. */
const withoutShared = (host: PlannedHost, { converged, takenBack }: RunState): PlannedHost => {
  const at = host.work.host
  const others = [...converged].filter(([one]) => one !== at && !takenBack.has(one) && isSameMachine(one, at))
  const planned = host.planned.filter(({ item }) => !others.some(([, ids]) => ids.has(taskId(item.task))))
  return { ...host, planned }
}

/**
 * Hosts that failed by themselves: those on which a step failed were taken back in the same script; those that came out otherwise than they
 * should are taken back now; of those whose link was lost nothing is known. Returns what became of them.
 */
export const mendBroken = async (context: RunContext, play: Play, broken: readonly PlannedHost[]): Promise<string> => {
  if (play.onGateFailure !== 'take-back') return ''
  const { state } = context
  const otherwise = broken.filter(
    (host) => !state.takenBack.has(host.work.host) && canTakeBack(host) && failureOf(state, host) !== undefined,
  )
  await takeBackAll(context, otherwise, (host) => failureOf(state, host) ?? '')
  const words = otherwise.flatMap(({ work }) => state.logTail.get(work.host) ?? [])
  const served = await serveAgain(
    context,
    play,
    broken.filter((host) => state.takenBack.has(host.work.host)),
  )
  return [...words.map((text) => `It said last: ${text}.`), served].join(' ')
}

const failureOf = (state: RunState, { work, planned }: PlannedHost): string | undefined =>
  planned
    .map(({ item }) => ({ id: taskId(item.task), outcome: state.outcomes[work.host.name]?.[taskId(item.task)] }))
    .flatMap(({ id, outcome }) => (outcome?.status === 'failed' ? [`${id}: ${outcome.why}`] : []))[0]

/** Asks hosts that were taken back, by a failed step or by a gate, whether they serve again. Returns the answer as a sentence. */
const serveAgain = async (context: RunContext, play: Play, hosts: readonly PlannedHost[]): Promise<string> => {
  if (play.onGateFailure !== 'take-back' || hosts.length === 0) return ''
  const at = hosts.map(({ work }) => work.host)
  const one = at.length === 1
  await catchUp(context, play, hosts)
  const { said } = await ask(context, play.name, gatesOf(context, 'serves', { play, hosts: at }))
  return said
    ? `${namesOf(at).join(', ')} ${one ? 'was' : 'were'} taken back, and ${one ? 'does' : 'do'} not serve yet: ${said}.`
    : `${namesOf(at).join(', ')} ${one ? 'was' : 'were'} taken back to what ${one ? 'it' : 'they'} ran before, and ${one ? 'serves' : 'serve'}.`
}
