import type { Task } from '../model.ts'
import { directoryKind } from './directory.ts'
import { fileKind } from './file.ts'
import { unitKind, unitPath } from './unit.ts'

/** A file or directory that a process reads, as it must be. */
export interface Watched {
  readonly path: string
  /** For a file; null where there must be none. */
  readonly sha256?: string | null
  /** For a file: mode, owner and group. */
  readonly access?: string
  /** For a directory that allows only these names. */
  readonly names?: readonly string[]
}

/** What a service watches of a task. Throws Error on a kind that has no content to watch. */
export const watchedBy = (task: Task): Watched => {
  if (task.kind === fileKind) {
    if (task.desired === null) return { path: task.key, sha256: null }
    const { sha256, mode, owner, group } = task.desired
    return { path: task.key, sha256: String(sha256), access: `${mode} ${owner} ${group}` }
  }
  if (task.kind === unitKind) return { path: unitPath(task.key), sha256: String(task.desired?.sha256) }
  if (task.kind === directoryKind) return { path: task.key, names: (task.data as { only?: readonly string[] }).only }
  throw new Error(`a service cannot watch a ${task.kind.name}: ${task.key}`)
}
