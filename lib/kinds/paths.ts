import { words } from '../shell.ts'

/** What `stat` says of a path. */
export interface PathState {
  readonly type: string
  readonly mode: string
  readonly owner: string
  readonly group: string
}

/** One exec takes this many bytes of arguments everywhere; beyond it xargs(1) cuts them into several. */
const MOST_ARGUMENTS = 1_000_000
/** Up to here the list of what to hash is collected in the shell itself; that takes quadratic time, but no process. */
const FEW = 64

/** Shell that sets the positional parameters to `paths`. */
export const setPaths = (paths: readonly string[]): string => `set -- ${words(paths)}`

/** Shell that runs `program` once over all positional parameters, which are `paths`. */
export const onPaths = (program: string, paths: readonly string[]): string =>
  Buffer.byteLength(paths.join('')) < MOST_ARGUMENTS
    ? `${program} "$@" 2>/dev/null`
    : `printf '%s\\0' "$@" | xargs -0 ${program} 2>/dev/null`

/** Shell that prints type, mode, owner and group of the positional parameters; one process. `follow` looks behind symbolic links. */
export const printStat = (paths: readonly string[], follow = false): string =>
  onPaths(`stat ${follow ? '-L ' : ''}--printf='%n\\0%F\\0%a\\0%U\\0%G\\0%u\\0%g\\0' --`, paths)

/** Shell that prints the SHA-256 of those positional parameters that are regular files; one process. Uses up the parameters. */
export const printSha256 = (paths: readonly string[]): string => {
  const regular = '[ -f "$vestal_path" ] && [ ! -L "$vestal_path" ]'
  return paths.length <= FEW
    ? `vestal_count=$#
for vestal_path; do if ${regular}; then set -- "$@" "$vestal_path"; fi; done
shift "$vestal_count"
[ $# -eq 0 ] || sha256sum -z -- "$@" 2>/dev/null`
    : `for vestal_path; do if ${regular}; then printf '%s\\0' "$vestal_path"; fi; done | xargs -0 -r sha256sum -z -- 2>/dev/null`
}

/** No machine has more to say about a kind's tasks. */
const MOST_RECORDS = 200_000

/** NUL-terminated records as text. Throws an Error for more than any machine would print. */
export const records = (output: Buffer): readonly string[] => {
  const all = output.toString('utf8').split('\0', MOST_RECORDS + 1)
  if (all.length > MOST_RECORDS) throw new Error(`it printed more than ${MOST_RECORDS} records`)
  return all.slice(0, -1)
}

/** Records in groups of `size`. */
export const chunks = (all: readonly string[], size: number): readonly (readonly string[])[] =>
  Array.from({ length: Math.floor(all.length / size) }, (_, index) => all.slice(index * size, (index + 1) * size))

/** Reads what `printStat` printed. An owner without a name is its number. Throws an Error for what stat(1) would not print. */
export const parseStat = (all: readonly string[]): ReadonlyMap<string, PathState> =>
  new Map(
    chunks(all, 7).map(([path = '', type = '', mode = '', owner = '', group = '', uid = '', gid = '']) => [
      path,
      {
        type: typeName(type),
        mode: octal(mode),
        owner: owner === 'UNKNOWN' ? uid : owner,
        group: group === 'UNKNOWN' ? gid : group,
      },
    ]),
  )

/** Reads what `printSha256` printed. */
export const parseSha256 = (all: readonly string[]): ReadonlyMap<string, string> =>
  new Map(all.map((record) => [record.slice(66), record.slice(0, 64)]))

/** Splits records at those that are `marker`. */
export const sections = (all: readonly string[], marker: string): readonly (readonly string[])[] => {
  const found: string[][] = [[]]
  for (const record of all) {
    if (record === marker) found.push([])
    else found.at(-1)?.push(record)
  }
  return found
}

/** It becomes part of a script that takes a change back. */
const octal = (mode: string): string => {
  if (!/^[0-7]{1,5}$/.test(mode)) throw new Error(`a mode is ${JSON.stringify(mode.slice(0, 40))}`)
  return mode.padStart(4, '0')
}

const typeName = (said: string): string => {
  if (said.startsWith('regular')) return 'file'
  return said === 'symbolic link' ? 'symlink' : said
}
