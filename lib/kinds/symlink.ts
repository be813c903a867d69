import type { Kind, Task } from '../model.ts'
import { pending } from './pending.ts'

export type SymlinkState = Readonly<{ type: string; target: string }>

export const symlinkKind: Kind<SymlinkState, null> = pending('symlink', '')

/** A symbolic link at `path` whose text is `target`. */
export const symlink = (path: string, target: string): Task<SymlinkState, null> => ({
  kind: symlinkKind,
  key: path,
  desired: { type: 'symlink', target },
  data: null,
})
