import { posix } from 'node:path'
import { onlyRootsWay } from '../as-owner.ts'
import { BACKUPS, KEPT_DAYS } from '../host-paths.ts'
import { word } from '../shell.ts'

/** How many runs' backups stay on a host. */
const KEPT_RUNS = 10

/**
 * Shell that names this run's backup of `path` "$save", in a folder that only root can enter, and makes room there; it ends with 1 where
 * another could lead root elsewhere on the way to `path`. The first backup of a run removes those of old runs.
 */
export const backupPlace = (path: string): string => `${onlyRootsWay(path)}path=${word(path)}
dir=${word(posix.dirname(path))}
runs=${BACKUPS}
save=$runs/$VESTAL_RUN$path
when=$runs/$VESTAL_RUN${word(posix.join(posix.dirname(path), `.${posix.basename(path)}.vestal-when`))}
if [ ! -d "$runs/$VESTAL_RUN" ]; then
  ( umask 077; mkdir -p "$runs/$VESTAL_RUN" )
  find "$runs" -mindepth 1 -maxdepth 1 -mtime +${KEPT_DAYS} -exec rm -rf {} +
  ls -1t "$runs" | tail -n +${KEPT_RUNS + 1} | while IFS= read -r old; do rm -rf "$runs/$old"; done
fi
[ -d "\${save%/*}" ] || mkdir -p "\${save%/*}"
`

/** Shell that notes when the folder of "$path" was last changed, so that taking the change back can say the same. */
export const noteFolderTime = `if [ -d "$dir" ]; then touch -r "$dir" "$when"; fi
`

/** Shell that copies what stands at "$path" to "$save"; nothing there leaves nothing at "$save". */
export const copyAway = `if [ -e "$save" ] || [ -L "$save" ]; then rm -rf "$save"; fi
if [ -e "$path" ] || [ -L "$path" ]; then cp -a "$path" "$save"; fi
`

/** Shell that moves what stands at "$path" to "$save". */
export const moveAway = `if [ -e "$save" ] || [ -L "$save" ]; then rm -rf "$save"; fi
if [ -e "$path" ] || [ -L "$path" ]; then mv -T "$path" "$save"; fi
`

/** Shell that gives the folder of "$path" the time that was noted. */
export const restoreFolderTime = `if [ -e "$when" ]; then touch -r "$when" "$dir"; rm -f "$when"; fi
`
