import type { Step } from '../model.ts'
import { taskId } from '../model.ts'
import type { Emit } from './events.ts'
import type { Frame, Framed } from './frame.ts'
import type { PlannedHost, PlannedTask } from './plan.ts'

/** A step and the change that it is of; markers in a script's output call it by its place. */
export interface Numbered {
  readonly step: Step
  readonly owner: PlannedTask
}

/** All of a host's steps, in order. */
export const numberedSteps = (host: PlannedHost): readonly Numbered[] =>
  host.planned.flatMap((owner) => owner.steps.map((step) => ({ step, owner })))

/** Turns the output, as it comes, into step events; only complete markers count. */
export const liveSteps = (
  host: string,
  steps: readonly Numbered[],
  marks: Frame,
  emit: Emit,
): ((chunk: Buffer) => void) => {
  let over = false
  return marks.follow(({ event, detail, before }) => {
    over ||= event === 'facts'
    const [index, code] = detail.split(' ').map(Number)
    const numbered = steps[index ?? -1]
    if (over || !numbered) return
    const about = { event: 'step', host, task: taskId(numbered.owner.item.task), title: numbered.step.title } as const
    if (event === 'step') emit({ ...about, state: 'started' })
    if (event === 'code') emit({ ...about, state: code === 0 ? 'done' : 'failed', output: before.toString().trim() })
    if (event === 'undone') emit({ ...about, state: code === 0 ? 'taken back' : 'not taken back' })
  })
}

/** What a step printed. */
export const outputOf = (framed: readonly Framed[], index: number): string =>
  framed
    .find(({ event, detail }) => event === 'step' && detail === String(index))
    ?.body.toString()
    .trim() ?? ''
