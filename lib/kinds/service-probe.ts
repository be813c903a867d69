import { posix } from 'node:path'
import { propertiesIn } from '../properties.ts'
import { word, words } from '../shell.ts'
import { chunks, onPaths, parseSha256, printSha256, records, sections, setPaths } from './paths.ts'
import { MANIFEST } from './release-manifest.ts'
import type { Watched } from './service-watch.ts'

/** What must be asked about one service. */
export interface ServiceQuestion {
  readonly unit: string
  /** The binary it must run; when that is in a release's folder, the running file is held against the release's manifest. */
  readonly executable?: string
  readonly watched: readonly Watched[]
}
/** What is on disk at a watched path. Times are nanoseconds since the epoch. */
export interface OnDisk {
  readonly type: string
  /** When its content was last written, as it says: a copy that keeps times says when the original was. */
  readonly changed: bigint
  /** When anything about it last changed; this cannot be set. */
  readonly touched: bigint
  /** Mode, owner and group; undefined where it wasn't asked for. */
  readonly access?: string
  readonly sha256?: string
  readonly names: readonly string[]
}
export interface ServiceAnswer {
  /** systemd's properties of the unit. */
  readonly properties: Readonly<Record<string, string>>
  /** Where the main process's file is; empty when there is no process. */
  readonly executable: string
  /** False when the running file isn't what its release had in it. */
  readonly genuine: boolean
  readonly command: readonly string[]
  readonly stamp: readonly string[]
  readonly loadStamp: readonly string[]
  readonly pending: string
  /** The start that was taken over from others without another one, and the checksum of the command that it was taken for; empty where none was. */
  readonly adopted: readonly string[]
}

const PROPERTIES =
  'LoadState,ActiveState,SubState,UnitFileState,InvocationID,MainPID,DropInPaths,StateChangeTimestamp,ExecMainStartTimestamp'
const STAMPS = '/run/vestal/services'

/** Where Vestal notes with which files it last started a unit. */
export const stampPath = (unit: string): string => `${STAMPS}/${unit}`
/** Where Vestal notes which files a unit found when Vestal last started or reloaded it. */
export const loadStampPath = (unit: string): string => `${STAMPS}/${unit}.loaded`
/** Where Vestal notes that a change was taken back, until the unit has been started or reloaded after it. */
export const pendingPath = (unit: string): string => `${STAMPS}/${unit}.pending`

/** Where Vestal notes that it goes on with a process which others have started. */
export const adoptedPath = (unit: string): string => `${STAMPS}/${unit}.adopted`

/** Each unit once, whoever asks about it: a run may want several things of one service, one after the other. */
const unitsOf = (questions: readonly ServiceQuestion[]): readonly ServiceQuestion[] =>
  [...Map.groupBy(questions, ({ unit }) => unit).values()].flatMap(([first]) => first ?? [])

/** One fragment about all services: systemd is asked once, and each other program runs once too. */
export const printServices = (questions: readonly ServiceQuestion[]): string => {
  const watched = [...new Set(questions.flatMap((one) => one.watched.map(({ path }) => path)))]
  const folders = [...new Set(questions.flatMap((one) => one.watched.filter((it) => it.sha256 === undefined)))]
  const asked = unitsOf(questions)
  const notes = asked.flatMap(({ unit }) => [
    stampPath(unit),
    loadStampPath(unit),
    pendingPath(unit),
    adoptedPath(unit),
  ])
  return `show=$(TZ=UTC systemctl show --timestamp=us --property=${PROPERTIES} -- ${words(asked.map(({ unit }) => unit))} 2>/dev/null)
printf '%s\\0#\\0' "$show"
${releasedFunction}
old_ifs=$IFS
IFS='
'
set -f
set --
for line in $show; do case $line in MainPID=*) set -- "$@" "\${line#*=}" ;; esac; done
set +f
IFS=$old_ifs
[ $# -eq ${asked.length} ] || set -- ${asked.map(() => 0).join(' ')}
${asked.map(({ executable }, index) => (executable ? `released ${index} "\${${index + 1}}" ${word(posix.dirname(executable))} ${word(posix.basename(executable))}` : ':')).join('\n')}
printf '#\\0'
exes= commands=
for pid; do if [ "$pid" != 0 ]; then exes="$exes /proc/$pid/exe"; commands="$commands /proc/$pid/cmdline"; fi; done
[ -z "$exes" ] || find $exes -maxdepth 0 -printf '%p\\0%l\\0' 2>/dev/null
printf '#\\0'
grep -zaH '' $commands ${words(notes)} 2>/dev/null
printf '#\\0'
${setPaths(watched)}
${onPaths(`stat -L --printf='%n\\0%F\\0%.9Y %.9Z %a %U %G\\0' --`, watched)}
printf '#\\0'
${printSha256(watched)}
printf '#\\0'
${folders.length === 0 ? ':' : `find -H ${words(folders.map(({ path }) => path))} -mindepth 1 -maxdepth 1 -printf '%p\\0' 2>/dev/null`}`
}

/**
 * Reads what `printServices` printed: an answer for each question, and what is on disk by path. Throws an Error for what the programs
 * that it asks would not print.
 */
export const readServices = (
  stdout: Buffer,
  questions: readonly ServiceQuestion[],
): { readonly answers: readonly ServiceAnswer[]; readonly disk: ReadonlyMap<string, OnDisk> } => {
  const [shown = [], released = [], exes = [], notes = [], stats = [], sums = [], names = []] = sections(
    records(stdout),
    '#',
  )
  const units = (shown[0] ?? '').split('\n\n').map(propertiesIn)
  const verdicts = new Map(chunks(released, 2).map(([index, verdict]) => [Number(index), verdict]))
  const links = new Map(chunks(exes, 2).map(([path = '', link = '']) => [path, link]))
  const sha256 = parseSha256(sums)
  const inside = Map.groupBy(names, (path) => posix.dirname(path))
  const disk = new Map(
    chunks(stats, 3).map(([path = '', type = '', rest = '']): [string, OnDisk] => [
      path,
      {
        type,
        ...timesAndAccess(rest),
        sha256: sha256.get(path),
        names: (inside.get(path) ?? []).map((one) => posix.basename(one)),
      },
    ]),
  )
  const asked = unitsOf(questions).map(({ unit }) => unit)
  const answers = questions.map(({ unit, executable }): ServiceAnswer => {
    const index = asked.indexOf(unit)
    const own = units[index] ?? {}
    const process = `/proc/${own.MainPID ?? 0}`
    const words = recordsOf(notes, `${process}/cmdline`)
    // The emulator was handed the program's path before the words that it was started with.
    const emulated = verdicts.get(index) === 'emulated'
    return {
      properties: own,
      executable: (emulated ? executable : links.get(`${process}/exe`)) ?? '',
      genuine: verdicts.get(index) !== 'other',
      command: emulated ? words.slice(2) : words,
      stamp: recordsOf(notes, stampPath(unit)),
      loadStamp: recordsOf(notes, loadStampPath(unit)),
      pending: recordsOf(notes, pendingPath(unit))[0] ?? '',
      adopted: recordsOf(notes, adoptedPath(unit)),
    }
  })
  return { answers, disk }
}

/**
 * Prints `other` for a process whose file isn't the binary of the manifest: not by stat(1), nor by its checksum. `emulated` is one that has mapped that
 * binary, and whose own file is what the kernel hands programs for another processor to, with their path and first word (binfmt_misc, flag P). Only root can
 * have told the kernel so.
 */
const releasedFunction = `released() {
  [ "$2" != 0 ] && [ -r "$3/${MANIFEST}" ] || return 0
  now=$(stat -L --printf='%a %u %g %s %.9Y %.9Z' "/proc/$2/exe" 2>/dev/null) || return 0
  sum=
  while IFS= read -r line; do
    case $line in
      "stat $4 $now") return 0 ;;
      "binary "*" $4") sum=\${line#binary } ;;
    esac
  done <"$3/${MANIFEST}"
  case $(sha256sum "/proc/$2/exe" 2>/dev/null) in
    "\${sum%% *} "*) return 0 ;;
  esac
  case $(emulates "$2" "$3/$4" && sha256sum "$3/$4" 2>/dev/null) in
    "\${sum%% *} "*) printf '%s\\0emulated\\0' "$1" ;;
    *) printf '%s\\0other\\0' "$1" ;;
  esac
}
emulates() {
  link=$(readlink "/proc/$1/exe") && grep -qF -- " $2" "/proc/$1/maps" 2>/dev/null || return 1
  for entry in /proc/sys/fs/binfmt_misc/*; do
    registered= whole=
    while read -r key value; do
      case $key in
        interpreter) registered=$value ;;
        flags:) whole=$value ;;
      esac
    done <"$entry" 2>/dev/null
    case $registered,$whole in "$link,"*P*) return 0 ;; esac
  done
  return 1
}`

/** grep prints a file's records each behind its name and a colon. */
const recordsOf = (notes: readonly string[], path: string): readonly string[] =>
  notes.filter((note) => note.startsWith(`${path}:`)).map((note) => note.slice(path.length + 1))

const timesAndAccess = (printed: string): Pick<OnDisk, 'changed' | 'touched' | 'access'> => {
  const [changed = '', touched = changed, mode, ...owners] = printed.split(' ')
  return {
    changed: nanoseconds(changed),
    touched: nanoseconds(touched),
    access: mode && [mode.padStart(4, '0'), ...owners].join(' '),
  }
}

const nanoseconds = (seconds: string): bigint => {
  if (!/^(-?\d{1,20}(\.\d+)?)?$/.test(seconds))
    throw new Error(`a file's time is ${JSON.stringify(seconds.slice(0, 40))}`)
  const [whole = '0', fraction = ''] = seconds.split('.')
  return BigInt(whole) * 1_000_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, '0'))
}
