import { createHash } from 'node:crypto'
import type { Kind, Task } from '../model.ts'
import { bytesOf, type Content } from '../secret.ts'
import { pending } from './pending.ts'

export type FileState = Readonly<{ type: string; sha256: string; mode: string; owner: string; group: string }>
export interface FileData {
  readonly content?: Content
  readonly validate?: string
}
export interface FileOptions {
  readonly mode?: string
  readonly owner?: string
  readonly group?: string
  readonly validate?: string
}

export const fileKind: Kind<FileState, FileData> = pending('file', '')

/** A file with this content. `validate` is sh that finds the new file's temporary path in "$1". */
export const file = (path: string, content: Content, options: FileOptions = {}): Task<FileState, FileData> => {
  const { mode = '0644', owner = 'root', group = owner, validate } = options
  const sha256 = createHash('sha256').update(bytesOf(content)).digest('hex')
  return {
    kind: fileKind,
    key: path,
    desired: { type: 'file', sha256, mode, owner, group },
    data: { content, validate },
  }
}

/** Nothing at this path. What stands there is moved into the run's backup. */
export const absent = (path: string): Task<FileState, FileData> => ({
  kind: fileKind,
  key: path,
  desired: null,
  data: {},
})
