import { expect } from 'vitest'
import { compare } from '../../../lib/engine/compare.ts'
import type { Change, State, Step, Task } from '../../../lib/model.ts'
import { taskId } from '../../../lib/model.ts'
import { bytesOf } from '../../../lib/secret.ts'

export interface Ran {
  readonly code: number | null
  readonly output: string
}
/** Runs sh as root on a machine. */
export type Run = (script: string) => Ran & { readonly stdout: Buffer }
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
    const kinds = [...Map.groupBy(tasks, ({ kind }) => kind)]
    const { stdout } = sh(
      kinds.map(([kind, some]) => `(\n${kind.probe(some)}\n) </dev/null\nprintf '${NEXT}'`).join('\n'),
    )
    const parts = split(stdout)
    return new Map(
      kinds.flatMap(([kind, some], index) =>
        [...kind.parse(parts[index] ?? Buffer.alloc(0), some)].map(
          ([key, state]) => [taskId({ kind, key }), state] as const,
        ),
      ),
    )
  }
  const take: Machine['take'] = (steps) => {
    const { code, output } = sh(steps.map(stepScript).join('\n'))
    return { code, output }
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

const NEXT = '\x1enext\x1e'

const split = (output: Buffer): readonly Buffer[] => {
  const at = output.indexOf('\x1enext\x1e')
  return at < 0 ? [] : [output.subarray(0, at), ...split(output.subarray(at + 6))]
}

const stepScript = ({ run, stdin = '' }: Step): string =>
  `{ base64 -d | ( set -eu\n${run}\n)\n} <<'INPUT'
${bytesOf(stdin).toString('base64')}
INPUT
code=$?; [ $code -eq 0 ] || exit $code`

/** The steps for what differs. */
export const stepsOf = (changes: readonly Change[]): readonly Step[] =>
  changes.flatMap((change) => change.task.kind.converge(change))

/** The law of every kind: what differs is put right, then nothing differs, and taking it back gives what was there before. */
export const holdsTheLaw = (on: Machine, tasks: readonly Task[]): void => {
  const before = lasting(on.read(tasks))
  const steps = stepsOf(on.changes(tasks))
  expect(steps).not.toEqual([])
  expect(on.take(steps)).toEqual({ code: 0, output: '' })
  expect(on.changes(tasks)).toEqual([])
  expect(on.undo(steps)).toEqual({ code: 0, output: '' })
  expect(lasting(on.read(tasks))).toEqual(before)
  expect(on.take(steps)).toEqual({ code: 0, output: '' })
}

/** States without when a process was started: nothing brings that back. */
const lasting = (states: ReadonlyMap<string, State>): readonly (readonly [string, State])[] =>
  [...states].map(([id, { since: _, ...state }]) => [id, state])
