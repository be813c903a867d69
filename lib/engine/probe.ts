import type { Facts, Kind, Refusal, State, Task } from '../model.ts'
import { taskId } from '../model.ts'
import { understood } from '../understood.ts'
import { factsProbe, parseFacts } from './facts.ts'
import type { Frame, Framed } from './frame.ts'
import { lockFunctions } from './lock.ts'

/** What one probe of a host said: its facts, and the state behind every task, by task id; a task left out is absent. */
export interface Reading {
  readonly facts: Facts
  readonly states: ReadonlyMap<string, State>
  /** Tasks that can't be put right as the host is, by task id. */
  readonly refused: ReadonlyMap<string, Refusal>
}

const byKind = (tasks: readonly Task[]): ReadonlyMap<Kind, readonly Task[]> => Map.groupBy(tasks, (task) => task.kind)

/** Shell that prints all tasks' states, each kind's behind a mark of its own; it changes nothing. */
export const probeTasks = (tasks: readonly Task[], frame: Frame): readonly string[] =>
  [...byKind(tasks)].flatMap(([kind, some]) => [frame.mark('kind', kind.name), `(\n${kind.probe(some)}\n) </dev/null`])

/** Reads what that printed. Throws HostError where it makes no sense. */
export const readTasks = (
  host: string,
  tasks: readonly Task[],
  framed: readonly Framed[],
): Pick<Reading, 'states' | 'refused'> => {
  const read = [...byKind(tasks)].map(([kind, some]) => {
    const body = framed.find(({ event, detail }) => event === 'kind' && detail === kind.name)?.body ?? Buffer.alloc(0)
    const byId = <T>(found: ReadonlyMap<string, T> = new Map()): readonly (readonly [string, T])[] =>
      [...found].map(([key, value]) => [taskId({ kind, key }), value])
    return understood(host, `its ${kind.name} tasks`, () => ({
      states: byId(kind.parse(body, some)),
      refused: byId(kind.refused?.(body, some)),
    }))
  })
  return {
    states: new Map(read.flatMap(({ states }) => states)),
    refused: new Map(read.flatMap(({ refused }) => refused)),
  }
}

/** One script that reads facts and all tasks' states, after `first`, shell that may use the lock's functions; it changes nothing. */
export const probeScript = (tasks: readonly Task[], frame: Frame, first = ':'): string =>
  [
    lockFunctions,
    first,
    frame.mark('facts'),
    `(\n${factsProbe}\n) </dev/null`,
    ...probeTasks(tasks, frame),
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
  const itself = framed.find(({ event }) => event === 'facts')?.body ?? Buffer.alloc(0)
  const found = readTasks(answer.host, tasks, framed)
  const facts = understood(answer.host, 'itself', () => parseFacts(itself, answer.sentAt, answer.receivedAt))
  return { facts, ...found }
}
