import type { Kind, Task } from '../model.ts'
import { word } from '../shell.ts'
import { absolutePath } from './check.ts'
import { chunks, onPaths, records, setPaths } from './paths.ts'
import { putBack, replace } from './replace.ts'

/** `target` is the link's text, empty where it isn't a link. */
export type SymlinkState = Readonly<{ type: string; target: string }>

const TYPES: ReadonlyMap<string, string> = new Map([
  ['l', 'symlink'],
  ['f', 'file'],
  ['d', 'directory'],
])

export const symlinkKind: Kind<SymlinkState, null> = {
  name: 'symlink',
  summary: 'A symbolic link with this text, changed in one rename.',
  probe: (tasks) => {
    const paths = tasks.map(({ key }) => key)
    return `${setPaths(paths)}\n${onPaths(`sh -c 'exec find "$@" -maxdepth 0 -printf "%p\\0%y\\0%l\\0"' sh`, paths)}`
  },
  parse: (stdout) =>
    new Map(
      chunks(records(stdout), 3).map(([path = '', type = '', target = '']) => [
        path,
        { type: TYPES.get(type) ?? 'special file', target },
      ]),
    ),
  converge: ({ task: { key }, to }) => [
    {
      title: `point ${key} to ${to?.target}`,
      run: replace(key, `ln -s -- ${word(to?.target ?? '')} "$new"\n`),
      undo: putBack(key),
    },
  ],
  explain: ({ from, to }) => {
    if (from === null) return ''
    return from.type === 'symlink' ? `points to ${from.target} → ${to?.target}` : `a ${from.type} is in its place`
  },
}

/** A symbolic link at `path` whose text is `target`. Throws InputError on a path that isn't absolute. */
export const symlink = (path: string, target: string): Task<SymlinkState, null> => ({
  kind: symlinkKind,
  key: absolutePath(path),
  desired: { type: 'symlink', target },
  data: null,
})
