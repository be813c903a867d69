import { posix } from 'node:path'
import { word } from '../shell.ts'
import { backupPlace, copyAway, moveAway, noteFolderTime, restoreFolderTime } from './backup.ts'

/**
 * Shell that puts something new at `path` in one rename: `make` is shell that creates "$new" beside it and checks it.
 * What was there is backed up first. When anything fails, what was there still is, and "$new" is gone.
 * The name of "$new" is always the same, so a run that was killed leaves at most one, which the next one overwrites.
 */
export const replace = (path: string, make: string): string => `${backupPlace(path)}${temporary(path)}
if [ -d "$path" ] && [ ! -L "$path" ]; then
  printf '%s is a directory; move it away and run again\\n' "$path" >&2
  exit 1
fi
if [ ! -d "$dir" ]; then
  printf 'its folder %s does not exist\\n' "$dir" >&2
  exit 1
fi
${noteFolderTime}trap 'rm -f "$new"; ${restoreFolderTime.trim()}' EXIT
if [ -e "$new" ] || [ -L "$new" ]; then rm -rf "$new"; fi
${make}
${copyAway}mv -fT "$new" "$path"
trap - EXIT`

/** Shell that takes `replace` back: what was there before, or nothing. Does nothing where `replace` had done nothing. */
export const putBack = (path: string): string => `${backupPlace(path)}${temporary(path)}
if [ -e "$when" ]; then
  if [ -e "$save" ] || [ -L "$save" ]; then
    rm -rf "$new"
    cp -a "$save" "$new"
    mv -fT "$new" "$path"
  else
    rm -f "$path"
  fi
fi
${restoreFolderTime}`

/** Shell that moves whatever stands at `path` into the backup. */
export const remove = (path: string): string => `${backupPlace(path)}${noteFolderTime}${moveAway}`

/** Shell that takes `remove` back. */
export const moveBack = (path: string): string => `${backupPlace(path)}
if [ -e "$when" ] && [ ! -e "$path" ] && [ ! -L "$path" ]; then
  if [ -e "$save" ] || [ -L "$save" ]; then mv -T "$save" "$path"; fi
fi
${restoreFolderTime}`

const temporary = (path: string): string =>
  `new=${word(posix.join(posix.dirname(path), `.${posix.basename(path)}.vestal-new`))}`
