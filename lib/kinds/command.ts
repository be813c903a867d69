import type { Kind, Task } from '../model.ts'
import { pending } from './pending.ts'

export type CommandState = Readonly<{ done: boolean }>
export type Guard = { readonly creates?: string } | { readonly unless: string }
export interface CommandData {
  readonly run: string
  readonly guard: Guard
}

export const commandKind: Kind<CommandState, CommandData> = pending('command', '')

/** sh that is run where its guard says it hasn't been: a path that it creates, or sh that exits 0 once it is done. */
export const command = (title: string, run: string, guard: Guard): Task<CommandState, CommandData> => ({
  kind: commandKind,
  key: title,
  desired: { done: true },
  data: { run, guard },
})
