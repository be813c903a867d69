import { hostname } from 'node:os'
import {
  questionsTo,
  shardsWithout,
  silencesHeld,
  steadyGates,
  watchedServices,
} from '../../../fleet/drill/drill-fleet.ts'
import { failuresSoFar, whereStuck } from '../../../fleet/drill/where-stuck.ts'
import { leftScript } from '../../../lib/drill/arm.ts'
import { runOn } from '../../../lib/drill/machine.ts'
import { type DrillOptions, runDrill } from '../../../lib/drill/run.ts'
import type { DrillFleet } from '../../../lib/drill/scenario.ts'
import { freeMembers, holdMembers, keepLocks } from '../../../lib/engine/members.ts'
import { HostError } from '../../../lib/errors.ts'
import type { LedgerEvent } from '../../../lib/ledger/events.ts'
import type { Entry, WatchedFleet } from '../../../lib/ledger/fleet.ts'
import type { Ears, ReceiverAnswer } from '../../../lib/ledger/receiver.ts'
import { prefixOf } from '../../../lib/ledger/schedule.ts'
import type { AlertsReport, DrillReport, RunReport } from '../../../lib/model.ts'
import { operator, runName } from '../../../lib/report/folder.ts'
import { stopOnSignals } from '../../../lib/signals.ts'
import { deployOf } from '../../../playbooks/deploy.ts'
import type { Opened } from '../../context.ts'
import { keepRun } from '../../run-folder.ts'
import type { View } from '../../view.ts'
import { watchAlerts } from '../../watch-alerts.ts'
import { lookForFindings } from '../check.ts'
import { changer } from './change.ts'
import type { Fitting } from './scenarios.ts'

interface Holding extends Pick<DrillOptions, 'until' | 'healed'> {
  readonly watched: WatchedFleet
  /** Links that drills of one command share. */
  readonly ears?: Ears
  readonly view: Pick<View, 'listen'>
  readonly controlMs: number
  readonly forks: number
  readonly command: readonly string[]
  /** Where the inventory is. */
  readonly paths: readonly string[]
}

/** Holds one drill, and keeps it as a run. Throws HostError where it could not be begun: another run works on a machine, or a drill left something there. */
export const hold = async (
  { scenario, faults, fleet }: Fitting,
  opened: Opened,
  { view, watched, ears, until, healed, controlMs, forks, command, paths }: Holding,
): Promise<RunReport> => {
  const { inventory, pool, connect, redact } = opened
  const run = runName(`drill-${scenario.name}`, new Date(), Math.random())
  const owner = operator(hostname())
  const startedAt = new Date()
  using stop = stopOnSignals(() => kept.emit({ event: 'interrupted' }))
  const kept = keepRun({ run, about: { owner, command }, redact, stop, listen: view.listen })
  let alerts: AlertsReport | undefined
  const emit: typeof kept.emit = (event) => {
    if (event.event === 'alerts') alerts = event.alerts
    kept.emit(event)
  }
  const { hosts } = inventory
  emit({
    event: 'run-started',
    run,
    playbook: `drill ${scenario.name}`,
    inventory: inventory.name,
    hosts: hosts.map(({ name }) => name),
  })
  const since = startedAt.toISOString()
  const held = new Set<(typeof hosts)[number]>()
  // What changes the fleet takes the locks itself, machine by machine.
  const changes = faults.some(({ kind }) => kind === 'change')
  const lockOf = () => ({ run, command: opened.command, owner, since, break: false })
  if (changes) await freeMembers(hosts, { command: opened.command, reach: pool.reach })
  else await holdMembers([hosts], { reach: pool.reach, held, lockOf })
  const heartbeat = keepLocks(held, { run, reach: pool.reach })
  try {
    await nothingLeft(opened)
    const events: LedgerEvent[] = []
    const book = deployOf(inventory.roles)
    const without = shardsWithout(faults, inventory)
    let broken: { readonly beginAt: number; readonly endAt?: number } | undefined
    using changing = changer(paths)
    let answer: ReceiverAnswer | null = null
    await using ledger = watchAlerts(watched, {
      run,
      connect,
      ears,
      emit,
      answer: () => answer ?? {},
      noPath: () =>
        broken && without.length > 0
          ? { ...broken, prefixes: prefixesOf(without, { fleet, entries: watched.entries }) }
          : undefined,
      record(event) {
        events.push(event as LedgerEvent)
        kept.note(event)
      },
      stop: stop.stop,
      abandon: stop.abandon,
    })
    const before = await failuresSoFar(fleet, pool.reach)
    const drilled = await runDrill({
      run,
      scenario,
      faults,
      fleet,
      steady: steadyGates(book, inventory),
      watched: watchedServices(book, inventory),
      questions: [...questionsTo(fleet, without), ...(scenario.questions?.(fleet) ?? [])],
      ledger,
      events: () => events,
      lost: () => alerts?.lost ?? 0,
      peerWaitMs: watched.pace.peerWaitMs,
      controlMs,
      until,
      healed,
      silences: () =>
        silencesHeld(
          watched.alertmanagers.map(({ endpoint }) => endpoint),
          pool.reach,
        ),
      diagnose: async () => {
        const found = await lookForFindings({ ...opened, hosts }, forks)
        return found
          .filter(({ id, severity }) => severity === 'error' && id !== OWN_LOCK)
          .map(({ id, hosts: where, what, fix }) => `check finds ${id} at ${where.join(', ')}: ${what}. ${fix}`)
      },
      setReceiver(next) {
        answer = next
      },
      change: changing.change,
      broken(window) {
        broken = window
      },
      whereStuck: () => whereStuck(fleet, { run, reach: pool.reach, before }),
      pool,
      emit,
      stop: stop.stop,
      abandon: stop.abandon,
    }).catch(kept.fail)
    const report: RunReport = {
      vestal: 'report/1',
      run,
      playbook: `drill ${scenario.name}`,
      inventory: inventory.name,
      startedAt: since,
      ms: Date.now() - startedAt.getTime(),
      interrupted: stop.stop.aborted,
      hosts: {},
      gates: drilled.gates,
      ...(drilled.alerts && { alerts: drilled.alerts }),
      drill: drilled.drill satisfies DrillReport,
      cost: pool.cost(),
    }
    emit({ event: 'run-ended', report })
    kept.requireKept()
    return report
  } finally {
    clearInterval(heartbeat)
  }
}

/** What the names of these shards' canaries begin with; of all canaries where they come through no shard, and no Prometheus is left. */
const prefixesOf = (
  gone: readonly string[],
  { fleet, entries }: { readonly fleet: DrillFleet; readonly entries: readonly Entry[] },
): readonly string[] =>
  entries.flatMap(({ shard }) =>
    (shard === null ? gone.length === fleet.shards.length : gone.includes(shard)) ? [prefixOf(shard)] : [],
  )

/** What `check` finds of this drill itself. */
const OWN_LOCK = 'locked'

/** Throws HostError where faults of an earlier drill are not undone yet. */
const nothingLeft = async ({ inventory, pool }: Opened): Promise<void> => {
  const found = await Promise.all(
    inventory.hosts.map(async (host) => ({ host, left: (await runOn(host, leftScript, pool)).trim() })),
  )
  for (const { host, left } of found)
    if (left !== '')
      throw new HostError(host.name, `an earlier drill is not undone there: ${left.split('\n').join(', ')}`, {
        task: 'drill',
        hint: 'The machine undoes it by itself when its time is up; `vestal drill heal` does it now.',
      })
}
