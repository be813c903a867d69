import type { Kind, Task } from '../model.ts'
import { word } from '../shell.ts'
import { absolutePath } from './check.ts'
import { records } from './paths.ts'

export type CommandState = Readonly<{ done: boolean }>
export type Guard = ({ readonly creates: string } | { readonly unless: string }) & {
  /** True when something that now serves stops serving meanwhile. */
  readonly interrupts?: boolean
}
export interface CommandData {
  readonly run: string
  readonly guard: Guard
}

export const commandKind: Kind<CommandState, CommandData> = {
  name: 'command',
  summary: 'sh that is run where its guard says that it is needed. It is not taken back when a later task fails.',
  probe: (tasks) =>
    tasks.map(({ data }, index) => `if ${test(data.guard)}; then printf '%s\\0' ${index}; fi`).join('\n'),
  parse: (stdout, tasks) => {
    const done = new Set(records(stdout))
    return new Map(tasks.filter((_, index) => done.has(String(index))).map(({ key }) => [key, { done: true }] as const))
  },
  converge: ({ task: { key, data } }) => [{ title: key, run: data.run, interrupts: data.guard.interrupts }],
  explain: ({ task: { data } }) => ('creates' in data.guard ? `${data.guard.creates} is missing` : 'its guard says no'),
}

/**
 * sh that is run where its guard says it hasn't been: a path that it creates, or sh that exits 0 once it is done.
 * It must satisfy its guard, or it counts as failed. Throws InputError when `creates` isn't an absolute path.
 */
export const command = (title: string, run: string, guard: Guard): Task<CommandState, CommandData> => ({
  kind: commandKind,
  key: title,
  desired: { done: true },
  data: { run, guard: 'creates' in guard ? { ...guard, creates: absolutePath(guard.creates) } : guard },
})

const test = (guard: Guard): string =>
  'creates' in guard
    ? `[ -e ${word(guard.creates)} ] || [ -L ${word(guard.creates)} ]`
    : `( ${guard.unless}\n) >/dev/null 2>&1 </dev/null`
