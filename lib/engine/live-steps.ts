import type { Step } from '../model.ts'
import { taskId } from '../model.ts'
import type { Emit } from './events.ts'
import type { Frame, Framed } from './frame.ts'
import type { HostWork, PlannedWork } from './plan.ts'

/** A step and the change that it is of; markers in a script's output call it by its place. */
export interface Numbered {
  readonly step: Step
  readonly owner: PlannedWork
}

/** All of a host's steps, in order. */
export const numberedSteps = (host: HostWork): readonly Numbered[] =>
  host.planned.flatMap((owner) => owner.steps.map((step) => ({ step, owner })))

/** Turns the output, as it comes, into step events; only complete markers count. */
export const liveSteps = (
  host: string,
  steps: readonly Numbered[],
  marks: Frame,
  emit: Emit,
): ((chunk: Buffer) => void) => {
  let pending = Buffer.alloc(0)
  let told = 0
  return (chunk) => {
    pending = Buffer.concat([pending, chunk])
    const framed = marks.split(pending)
    const complete = framed.findIndex(({ event }) => event === 'facts')
    const until = complete < 0 ? framed.length : complete
    for (; told < until; told += 1) {
      const mark = framed[told]
      const [index, code] = (mark?.detail ?? '').split(' ').map(Number)
      const numbered = steps[index ?? -1]
      if (!mark || !numbered) continue
      const about = { event: 'step', host, task: taskId(numbered.owner.item.task), title: numbered.step.title } as const
      if (mark.event === 'step') emit({ ...about, state: 'started' })
      if (mark.event === 'code')
        emit({ ...about, state: code === 0 ? 'done' : 'failed', output: outputOf(framed, index ?? -1) })
      if (mark.event === 'undone') emit({ ...about, state: code === 0 ? 'taken back' : 'not taken back' })
    }
  }
}

/** What a step printed. */
export const outputOf = (framed: readonly Framed[], index: number): string =>
  framed
    .find(({ event, detail }) => event === 'step' && detail === String(index))
    ?.body.toString()
    .trim() ?? ''
