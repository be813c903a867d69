import type { Kind, Task } from '../model.ts'
import { pending } from './pending.ts'

export type DirectoryState = Readonly<{ type: string; mode: string; owner: string; group: string; surplus: string }>
export interface DirectoryData {
  readonly only?: readonly string[]
}
export interface DirectoryOptions {
  readonly mode?: string
  readonly owner?: string
  readonly group?: string
  /** The names allowed in it; any other is moved into the run's backup. */
  readonly only?: readonly string[]
}

export const directoryKind: Kind<DirectoryState, DirectoryData> = pending('directory', '')

/** A directory, and with `only` no other names in it. */
export const directory = (path: string, options: DirectoryOptions = {}): Task<DirectoryState, DirectoryData> => {
  const { mode = '0755', owner = 'root', group = owner, only } = options
  return {
    kind: directoryKind,
    key: path,
    desired: { type: 'directory', mode, owner, group, ...(only && { surplus: '' }) },
    data: { only },
  }
}
