import { expect } from 'vitest'
import { compare } from '../../../lib/engine/compare.ts'
import type { Change, State, Step, Task } from '../../../lib/model.ts'
import { taskId } from '../../../lib/model.ts'
import { bytesOf } from '../../../lib/secret.ts'

export interface Ran {
  readonly code: number | null
  readonly output: string
}
/** Runs sh as root on a machine, as the engine does: the script is one thing, what its commands read another. */
export type Run = (script: string, stdin?: Uint8Array) => Ran & { readonly stdout: Buffer }
/** A machine that kinds are tried on. */
export interface Machine {
  readonly sh: Run
  read(tasks: readonly Task[]): ReadonlyMap<string, State>
  changes(tasks: readonly Task[]): readonly Change[]
  /** Carries out steps in order; stops at the first that fails. */
  take(steps: readonly Step[]): Ran
  /** Takes them back: all `undo`s, last first, then all `restore`s. */
  undo(steps: readonly Step[]): Ran
}

export const machine = (sh: Run): Machine => {
  const read: Machine['read'] = (tasks) => {
    const kinds = Map.groupBy(tasks, ({ kind }) => kind)
    return new Map(
      [...kinds].flatMap(([kind, some]) =>
        [...kind.parse(sh(kind.probe(some)).stdout, some)].map(
          ([key, state]) => [taskId({ kind, key }), state] as const,
        ),
      ),
    )
  }
  const take: Machine['take'] = (steps) => {
    for (const { run, stdin } of steps) {
      const { code, output } = sh(`set -eu\n${run}`, stdin === undefined ? undefined : bytesOf(stdin))
      if (code !== 0) return { code, output }
    }
    return { code: 0, output: '' }
  }
  return {
    sh,
    read,
    changes: (tasks) => {
      const states = read(tasks)
      return tasks.flatMap((task) => compare(task, states.get(taskId(task)) ?? null) ?? [])
    },
    take,
    undo: (steps) =>
      take([
        ...steps.toReversed().map(({ title, undo = ':' }) => ({ title, run: undo })),
        ...steps.map(({ title, restore = ':' }) => ({ title, run: restore })),
      ]),
  }
}

/** The steps for what differs. */
export const stepsOf = (changes: readonly Change[]): readonly Step[] =>
  changes.flatMap((change) => change.task.kind.converge(change))

/** The law of every kind: what differs is put right, then nothing differs, and taking it back gives what was there before. */
export const holdsTheLaw = (on: Machine, tasks: readonly Task[]): void => {
  const before = on.read(tasks)
  const steps = stepsOf(on.changes(tasks))
  expect(steps).not.toEqual([])
  expect(on.take(steps)).toEqual({ code: 0, output: '' })
  expect(on.changes(tasks)).toEqual([])
  expect(on.undo(steps)).toEqual({ code: 0, output: '' })
  expect(on.read(tasks)).toEqual(before)
  expect(on.take(steps)).toEqual({ code: 0, output: '' })
}
