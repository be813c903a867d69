import type { Facts, Kind, State, Task } from '../model.ts'
import { taskId } from '../model.ts'
import { understood } from '../understood.ts'
import { factsProbe, parseFacts } from './facts.ts'
import type { Frame } from './frame.ts'
import { lockFunctions } from './lock.ts'

/** What one probe of a host said: its facts, and the state behind every task, by task id; a task left out is absent. */
export interface Reading {
  readonly facts: Facts
  readonly states: ReadonlyMap<string, State>
}

const byKind = (tasks: readonly Task[]): ReadonlyMap<Kind, readonly Task[]> => Map.groupBy(tasks, (task) => task.kind)

/** One script that reads facts and all tasks' states, after `first`, shell that may use the lock's functions; it changes nothing. */
export const probeScript = (tasks: readonly Task[], frame: Frame, first = ':'): string =>
  [
    lockFunctions,
    first,
    frame.mark('facts'),
    `(\n${factsProbe}\n) </dev/null`,
    ...[...byKind(tasks)].flatMap(([kind, some]) => [
      frame.mark('kind', kind.name),
      `(\n${kind.probe(some)}\n) </dev/null`,
    ]),
    frame.mark('end'),
  ].join('\n')

/**
 * Reads a probe's output. Returns null when it was cut off before its end. Throws HostError where it makes no sense.
 * Times are the controller's clock in milliseconds, for the clock skew.
 */
export const readProbe = (
  tasks: readonly Task[],
  frame: Frame,
  answer: { readonly host: string; readonly stdout: Buffer; readonly sentAt: number; readonly receivedAt: number },
): Reading | null => {
  const framed = frame.split(answer.stdout)
  if (!framed.some(({ event }) => event === 'end')) return null
  const body = (event: string, detail: string): Buffer =>
    framed.find((one) => one.event === event && one.detail === detail)?.body ?? Buffer.alloc(0)
  const states = [...byKind(tasks)].flatMap(([kind, some]) =>
    understood(answer.host, `its ${kind.name} tasks`, () =>
      [...kind.parse(body('kind', kind.name), some)].map(([key, state]) => [taskId({ kind, key }), state] as const),
    ),
  )
  const facts = understood(answer.host, 'itself', () => parseFacts(body('facts', ''), answer.sentAt, answer.receivedAt))
  return { facts, states: new Map(states) }
}
