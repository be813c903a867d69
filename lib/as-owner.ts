/**
 * Root never works where somebody else could lead it astray. Work in a folder that a service's account owns is done as that account, which
 * gains nothing by whatever it puts there meanwhile; where root must write itself, nobody but root owns a folder on the way.
 */
import { posix } from 'node:path'
import { word, words } from './shell.ts'

/** In the reason for which root does nothing in a folder of its own. */
export const OTHERS_MAY_WRITE = 'others than root may write in'

/** Links that a path may have on its way, as Linux has it (path_resolution(7)). */
const MOST_LINKS = 40

/** Shell that goes on with the next part of a path where this one is not to be looked at. */
const passing = (folders: readonly string[]): string =>
  folders.length === 0
    ? ''
    : `\n  case $at in ${folders.map(word).join('|')}) if ! [ -L "$at" ]; then continue; fi ;; esac`

/**
 * Shell that walks down `$rest` (from `$at`, which has been walked) as far as all is root's or the caller's own, links included, and no
 * further: in `$who` is then the owner of the first part that is another's, empty where there is none; in `$at` that part, or the whole path
 * without its links. What stands in root's folders, no account can exchange between this look and what is done next. `$loose` is a folder on the
 * way, or the end itself, in which a group or everybody may write all the same. Whose the folders `passed` are is not asked.
 */
const walk = (passed: readonly string[] = []): string => `at= links=0 loose= missing= who=
me=$(id -u)
while [ -n "$rest" ]; do
  name=\${rest%%/*} rest=\${rest#*/}
  case $name in ''|.) continue ;; ..) at=\${at%/*}; continue ;; esac
  at=$at/$name${passing(passed)}
  is=$(stat -c '%u %g %a' -- "$at" 2>/dev/null) || { missing=yes; break; }
  mode=\${is##* } group=\${is#* } group=\${group% *}
  if [ "\${is%% *}" != 0 ] && [ "\${is%% *}" != "$me" ]; then who=\${is%% *}; break; fi
  if [ -L "$at" ]; then
    links=$((links + 1))
    if [ $links -gt ${MOST_LINKS} ] || ! to=$(readlink -- "$at"); then printf '%s leads nowhere\\n' "$at" >&2; exit 1; fi
    at=\${at%/*} rest=$to/$rest
    case $to in /*) at= ;; esac
    continue
  fi
  case $mode in
    [1357]???) ;;
    *[2367]) loose=$at ;;
    *[2367]?) if [ "$group" != 0 ]; then loose=$at; fi ;;
  esac
done`

/**
 * POSIX sh that runs a script inside a folder, as the account that owns it: its only group is the account's own, it has no capabilities and can
 * get no new privileges (setpriv(1); prctl(2), PR_SET_NO_NEW_PRIVS), and no open file or variable of the caller but standard input and output.
 * So a link that the account plants leads where the account could go itself. The account is the owner of the first folder on the way that is not
 * root's: who owns a folder decides what is in it. Where all of it is root's or the caller's, nothing is changed.
 * Ends with the script's code; with 1, its reason on standard error, where the folder is not there, is another account's than one on the way to
 * it, or can be written by others than the root it belongs to. `args` are words of the calling shell, which the script has as `$1` and on. Neither
 * may hold a secret: they stand in an argument list.
 */
export const asOwner = (folder: string, script: string, args: readonly string[] = []): string => {
  const inside = insideOf(folder, script, args)
  return `(
folder=${word(folder)} rest=${word(`${folder}/`)}
${walk()}
if [ -n "$missing" ] || ! [ -d "$folder" ]; then printf '%s is no folder\\n' "$folder" >&2; exit 1; fi
if [ -z "$who" ]; then
  if [ -n "$loose" ] && [ "$me" = 0 ]; then
    printf '%s: ${OTHERS_MAY_WRITE} %s, so root does nothing there; chown it to the account of the service\\n' "$folder" "$loose" >&2
    exit 1
  fi
  exec ${inside}
fi
owner=$(stat -L -c %u -- "$folder") || exit 1
if [ "$owner" != "$who" ]; then
  printf '%s belongs to user %s, but %s on the way to it to user %s, who can put anything in its place; chown one of them\\n' "$folder" "$owner" "$at" "$who" >&2
  exit 1
fi
${become(inside)}
)`
}

/** The same as a named account, whoever owns the folder: one that several may write to, or that is mounted from elsewhere. */
export const asAccount = (account: string, folder: string, script: string): string => {
  const inside = insideOf(folder, script, [])
  return `(
who=$(id -u -- ${word(account)}) || exit 1
if [ "$who" = "$(id -u)" ]; then exec ${inside}; fi
${become(inside)}
)`
}

const insideOf = (folder: string, script: string, args: readonly string[]): string =>
  ['sh', '-c', word(`cd -- "$0" || exit 1\n${script}`), word(folder), ...args].join(' ')

/** Shell that becomes the account with the number in `$who`, and runs this. */
const become = (inside: string): string => `group=$(id -g -- "$who" 2>/dev/null) || group=$who
exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
cd /
exec env -i PATH="$PATH" LC_ALL=C setpriv --reuid="$who" --regid="$group" --clear-groups --inh-caps=-all --no-new-privs -- ${inside}`

/**
 * Shell that ends with 1, its reason on standard error, where somebody else than root or the caller owns a folder on the way to `path`, and so
 * could lead whoever writes there elsewhere. What `path` itself is, is not asked. One process where no folder on the way is a link.
 */
export const onlyRootsWay = (path: string): string => {
  const folder = posix.dirname(path)
  if (folder === '/') return ''
  const all = folder.split('/').map((_, at, parts) => parts.slice(0, at + 1).join('/') || '/')
  return `if [ -n "$(find ${words(all)} -maxdepth 0 \\( -type l -o ! -user 0 \\) 2>/dev/null)" ]; then
( rest=${word(`${folder}/`)}
${walk()}
if [ -n "$who" ]; then
  ${refuse(path)}
fi ) || exit 1
fi
`
}

/**
 * Shell that names in "$real" the path of what is at `path`, links of root's own followed. It ends with 1, its reason on standard error, where
 * nothing is there, or somebody else than root or the caller owns a folder or a link on the way, and so could put anything else there. What is
 * at the end may be another's.
 */
export const onlyRootsPath = (path: string): string => `real=$( rest=${word(`${path}/`)}
${walk()}
if [ -n "$missing" ]; then printf '%s is not there\\n' "$at" >&2; exit 1; fi
case $rest in *[!/]*) end= ;; *) end=yes ;; esac
if [ -n "$who" ] && { [ -z "$end" ] || [ -L "$at" ]; }; then
  ${refuse(path)}
fi
printf '%s' "$at" ) || exit 1
`

/** What is on the way to a folder that root would not work in. */
export interface InTheWay {
  /** The path that was asked about. */
  readonly path: string
  /** The first folder or link on the way that is another's, and whose. */
  readonly at: string
  readonly owner: string
  /** Whose the folder is that the path is in. */
  readonly parent: string
}

/**
 * Shell that prints, as NUL-terminated records that `inTheWay` reads, what on the way to these folders belongs to others than root and the caller, as
 * `onlyRootsPath` finds it. The folders themselves are passed: they are about to get their owner. One process where all is root's and no link.
 */
export const printInTheWay = (paths: readonly string[]): string => {
  const above = new Set(paths.flatMap((path) => parentsOf(path)))
  const asked = [...above].filter((path) => !paths.includes(path))
  if (asked.length === 0) return ':'
  return `set -- ${words(paths)}
odd=$(find ${words(asked)} -maxdepth 0 \\( -type l -o ! -user 0 \\) -printf x 2>/dev/null)
for path; do if [ -L "$path" ]; then odd=x; fi; done
if [ -n "$odd" ]; then
  for path; do (
    rest=$path/
${walk(paths)}
    case $rest in *[!/]*) end= ;; *) end=yes ;; esac
    if [ -n "$who" ] && { [ -z "$end" ] || [ -L "$at" ]; }; then
      printf '%s\\0' "$path" "$at" "$(stat -c %U -- "$at")" "$(stat -L -c %U -- "\${path%/*}/" 2>/dev/null)"
    fi
  ) 2>/dev/null; done
fi`
}

/** Reads what `printInTheWay` printed, as records. */
export const inTheWay = (records: readonly string[]): readonly InTheWay[] =>
  records.flatMap((path, index) => {
    const [at, owner, parent] = records.slice(index + 1, index + 4)
    return index % 4 === 0 && at !== undefined && owner !== undefined && parent !== undefined
      ? [{ path, at, owner, parent }]
      : []
  })

const parentsOf = (path: string): readonly string[] => {
  const parent = posix.dirname(path)
  return parent === '/' || parent === path ? [] : [parent, ...parentsOf(parent)]
}

const refuse = (path: string): string =>
  `printf '%s belongs to user %s, who could lead root elsewhere from there: root changes %s only where all folders on the way are its own\\n' "$at" "$who" ${word(path)} >&2
  exit 1`
