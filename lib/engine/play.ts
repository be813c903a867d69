import type { Play } from '../model.ts'
import { taskId } from '../model.ts'
import { ask, gatesOf } from './asking.ts'
import { runBatch } from './batch.ts'
import { note, type RunContext, skip } from './context.ts'
import { namesOf } from './events.ts'
import type { PlannedBatch, PlannedHost } from './plan.ts'

/** Runs a playbook's plays in order. A failure ends its play, and the run where the playbook says so. */
export const playAll = async (
  context: RunContext,
  batches: readonly PlannedBatch[],
  plannedHosts: readonly PlannedHost[],
): Promise<void> => {
  const { book, state } = context
  const part = (play: Play) => ({
    batches: batches.filter((batch) => batch.play === play),
    all: plannedHosts.filter(({ work }) => work.play === play),
  })
  // Where nothing is changed, nothing need wait for the gates of what comes before it.
  if (batches.length === 0) {
    await beginWatch(context)
    await Promise.all(book.plays.map((play) => runPlay(context, play, part(play))))
    return
  }
  if (toldRefused(context, plannedHosts)) return
  const stops = book.onFailure === 'stop'
  const unread = namesOf([...state.failed])
  let broken: string | undefined
  if (stops && unread.length > Math.max(0, ...book.plays.map(({ maxFail = 0 }) => maxFail))) {
    broken = `${unread.join(', ')} could not be read`
    tellStop(context, book.name, `${broken}; nothing was changed.`)
  }
  for (const play of book.plays) {
    if (broken && stops) {
      skip(context, part(play).all, broken)
      continue
    }
    const meanwhile = play.watch === 'meanwhile'
    const begun = play.watch === 'before' ? undefined : beginWatch(context)
    if (!meanwhile) await begun
    // Whatever becomes of one, the other is not left half done.
    const [ended] = await Promise.allSettled([runPlay(context, play, part(play)), begun])
    if (ended.status === 'rejected') throw ended.reason
    await begun
    broken = ended.value
  }
}

/** What a host will refuse is told of all hosts at once, and nothing is changed on any of them (true): a fleet is not left half done by what was known. */
const toldRefused = (context: RunContext, plannedHosts: readonly PlannedHost[]): boolean => {
  const { state, options, book } = context
  const refused = plannedHosts.filter(({ planned }) => planned.some((one) => one.refused))
  if (refused.length === 0) return false
  const names = [...new Set(namesOf(refused.map(({ work }) => work.host)))].join(', ')
  skip(context, plannedHosts, `${names} can’t be changed yet`)
  for (const { work, planned } of refused)
    for (const { item, refused: one } of planned) {
      if (!one) continue
      const { why, fix: hint } = one
      const task = taskId(item.task)
      state.failed.add(work.host)
      note(state.outcomes, work.host, { [task]: { status: 'failed', ms: 0, why, hint } })
      options.emit({ event: 'host-failed', host: work.host.name, task, why, hint })
    }
  tellStop(context, book.name, `${names} can’t be changed yet; nothing was changed anywhere.`)
  return true
}

const beginWatch = async ({ options, state }: RunContext): Promise<void> => {
  if (!options.watch || state.watching) return
  state.watching = true
  state.gates.push(...(await options.watch.begin()))
}

/**
 * Runs one play batch by batch: gates before, changes, gates after. A failure ends the play, not the run. Returns why it ended before its
 * end, if it did.
 */
const runPlay = async (
  context: RunContext,
  play: Play,
  { batches, all }: { batches: readonly PlannedBatch[]; all: readonly PlannedHost[] },
): Promise<string | undefined> => {
  let failures = 0
  let broken: string | undefined
  for (const batch of batches) {
    const hosts = batch.hosts.filter(({ work }) => !context.state.failed.has(work.host))
    skip(
      context,
      batch.hosts.filter((host) => !hosts.includes(host)),
      'the host failed earlier in this run',
    )
    if (context.options.stop.aborted) broken ??= 'the run was interrupted'
    if (broken) {
      skip(context, hosts, broken)
      continue
    }
    const ended = await runBatch(context, { ...batch, hosts }, all)
    failures += ended?.hosts ?? 0
    if (!ended || (ended.hosts > 0 && failures <= (play.maxFail ?? 0))) continue
    broken = ended.why
    const left = batches.slice(batches.indexOf(batch) + 1).flatMap((one) => one.hosts.map(({ work }) => work.host))
    tellStop(context, play.name, `${ended.told}${left.length > 0 ? ` Not touched: ${namesOf(left).join(', ')}.` : ''}`)
  }
  if (broken || context.options.stop.aborted) return broken ?? 'the run was interrupted'
  const busy = new Set(batches.flatMap((batch) => batch.hosts.map(({ work }) => work.host)))
  const idle = all.map(({ work }) => work.host).filter((host) => !busy.has(host) && !context.state.failed.has(host))
  const afterAll =
    batches.length === 0 && idle.length > 0
      ? (play.after?.({ inventory: context.inventory, batch: [], hosts: idle }) ?? [])
      : []
  const { said } = await ask(context, play.name, [...gatesOf(context, 'healthy', { play, hosts: idle }), ...afterAll])
  if (said) tellStop(context, play.name, `${said}.`)
  return said
}

const tellStop = ({ state, options }: RunContext, play: string, why: string): void => {
  state.stops.push(`${play}: ${why}`)
  options.emit({ event: 'stopped', play, why })
}
