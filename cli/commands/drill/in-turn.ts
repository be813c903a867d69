import { isOthers } from '../../../fleet/takeover-watch.ts'
import { milliseconds } from '../../../lib/duration.ts'
import { HostError } from '../../../lib/errors.ts'
import type { WatchedFleet } from '../../../lib/ledger/fleet.ts'
import { openEars } from '../../../lib/ledger/receiver.ts'
import type { Duration, RunReport } from '../../../lib/model.ts'
import { onOneLine, print } from '../../../lib/report/print.ts'
import { stopOnSignals } from '../../../lib/signals.ts'
import type { Opened } from '../../context.ts'
import { linePrinter } from '../../view.ts'
import type { DrillFlags } from './flags.ts'
import { hold } from './hold.ts'
import { type Fitting, type Refused, refusalOf } from './scenarios.ts'
import { drillText } from './text.ts'

export interface Holding {
  readonly opened: Opened
  readonly watched: WatchedFleet
  readonly flags: DrillFlags
  /** Told of a scenario that a machine refuses, where all were wanted. */
  leaveOut(one: Refused): void
}

/**
 * Holds these one after the other; ends with one that is interrupted. While the last alerts of one are still watched, the next is made ready and watches alerts before
 * its faults, which it begins when the one before is over. What a person sees of it waits until then, too. Where others have deployed the fleet, each waits for the one
 * before: what it has lent goes again first. So does one that follows a drill after which a member is told nothing for a while.
 */
export const heldInTurn = async (
  fit: readonly Fitting[],
  { opened, watched, flags, leaveOut }: Holding,
): Promise<readonly RunReport[]> => {
  const listen = flags.json ? (event: object) => print(JSON.stringify(event)) : linePrinter(flags.verbose)
  const say = (text: string): void => {
    if (!flags.json) print(text)
  }
  const reports: RunReport[] = []
  using stop = stopOnSignals(() => undefined)
  await using ears = (await isOthers(opened.inventory, opened.pool.reach))
    ? undefined
    : openEars(watched.alertmanagers, opened.connect)
  let last = Promise.resolve()
  const begin = (one: Fitting): Promise<void> => {
    const before = last
    const healed = Promise.withResolvers<void>()
    const out = inTurn(before)
    out(() => say(onOneLine(`${one.scenario.name}: ${one.scenario.summary}`)))
    const report = hold(one, opened, {
      watched,
      ears,
      until: before,
      healed: healed.resolve,
      view: { listen: (event) => out(() => listen(event)) },
      controlMs: milliseconds(flags.control as Duration),
      forks: flags.forks,
      command: ['drill', one.scenario.name, ...(flags.inventory ?? [])],
      paths: flags.inventory ?? [],
    })
    last = Promise.allSettled([before, report]).then(async () => {
      const made = await report
      reports.push(made)
      say(drillText(opened.redacted(made)))
    })
    last.catch(() => undefined)
    // Somebody who is told nothing for a while would not hear of the next one's silence either.
    return ears && !one.scenario.allowed.untold ? Promise.race([healed.promise, last]) : last
  }
  try {
    for (const one of fit) {
      if (stop.stop.aborted || reports.some(({ interrupted }) => interrupted)) break
      const refused = await refusalOf(one, opened.pool.reach)
      if (refused && !flags.all) throw new HostError(refused.host, refused.why, { task: `drill ${one.scenario.name}` })
      if (refused) leaveOut({ scenario: one.scenario, refused: `${refused.host}: ${refused.why}`, fix: '' })
      else await begin(one)
    }
  } finally {
    await Promise.allSettled([last])
  }
  await last
  return reports
}

/** Does things at once, from when a promise has settled on; those of before then, in their order. */
const inTurn = (before: Promise<unknown>): ((work: () => void) => void) => {
  let waiting: (() => void)[] | null = []
  const go = (): void => {
    const late = waiting ?? []
    waiting = null
    for (const work of late) work()
  }
  before.then(go, go)
  return (work) => {
    if (waiting) waiting.push(work)
    else work()
  }
}
