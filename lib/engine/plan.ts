import type { Batch, Change, Host, HostPlan, Inventory, Plan, Play, Playbook, Refusal, Step } from '../model.ts'
import { taskId } from '../model.ts'
import { batchesOf } from './batches.ts'
import { compare, why } from './compare.ts'
import type { HostTasks, RoleTask } from './host-tasks.ts'
import type { Reading } from './probe.ts'

/** One change with its steps: what the plan shows and what converging carries out are read from the same object. */
export interface PlannedTask {
  readonly item: RoleTask
  readonly change: Change
  readonly steps: readonly Step[]
  /** Why they would not be done as the host is. */
  readonly refused?: Refusal
}
/** A host's changes within a play. */
export interface PlannedHost {
  readonly work: HostTasks
  readonly same: number
  readonly planned: readonly PlannedTask[]
}
export interface PlannedBatch {
  readonly play: Play
  readonly interrupts: boolean
  readonly hosts: readonly PlannedHost[]
}

/** Compares one host's work with what was read of it. */
export const planHost = (work: HostTasks, reading: Reading): PlannedHost => {
  const planned = work.items.flatMap((item) => {
    const change = compare(item.task, reading.states.get(taskId(item.task)) ?? null)
    if (!change) return []
    const refused = reading.refused.get(taskId(item.task))
    return [{ item, change, steps: item.task.kind.converge(change), ...(refused && { refused }) }]
  })
  return { work, same: work.items.length - planned.length, planned }
}

/** True when carrying it out stops something that now serves. */
export const interrupts = (host: PlannedHost): boolean =>
  host.planned.some(({ steps }) => steps.some((step) => step.interrupts))

/** All batches in order. Hosts with nothing to do are in none; hosts that nothing interrupts go together, before the others. */
export const planBatches = (
  book: Playbook,
  plannedHosts: readonly PlannedHost[],
  inventory: Inventory,
): readonly PlannedBatch[] =>
  book.plays.flatMap((play) => {
    const { apart } = play
    const busy = plannedHosts.filter(({ work, planned }) => work.play === play && planned.length > 0)
    const calm = busy.filter((host) => !interrupts(host))
    const rolling = batchesOf(
      busy.filter(interrupts),
      {
        batch: play.batch,
        apart: apart && ((host) => apart(host, inventory)),
        of: plannedHosts.filter(({ work }) => work.play === play).length,
      },
      ({ work }) => work.host,
    )
    return [
      ...(calm.length > 0 ? [{ play, interrupts: false, hosts: calm }] : []),
      ...rolling.map((hosts) => ({ play, interrupts: true, hosts })),
    ]
  })

/** The plan as plain JSON. */
export const showPlan = (
  book: Playbook,
  inventory: Inventory,
  {
    batches,
    unreachable,
    read,
  }: { batches: readonly PlannedBatch[]; unreachable: ReadonlyMap<Host, string>; read: number },
): Plan => ({
  vestal: 'plan/1',
  playbook: book.name,
  inventory: inventory.name,
  changes: batches.flatMap(({ hosts }) => hosts.flatMap(({ planned }) => planned)).length,
  batches: batches.map(
    (batch): Batch => ({ play: batch.play.name, interrupts: batch.interrupts, hosts: batch.hosts.map(showHost) }),
  ),
  read,
  unreachable: Object.fromEntries([...unreachable].map(([host, reason]) => [host.name, reason])),
})

const showHost = ({ work, same, planned }: PlannedHost): HostPlan => ({
  host: work.host.name,
  same,
  changes: planned.map(({ item, change, steps, refused }) => ({
    task: taskId(item.task),
    role: item.role,
    action: change.from === null ? 'create' : change.to === null ? 'remove' : 'change',
    why: why(change),
    steps: steps.map((step) => step.title),
    interrupts: steps.some((step) => step.interrupts ?? false),
    ...(refused && { refused }),
  })),
})
