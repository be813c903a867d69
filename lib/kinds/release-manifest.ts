import { word, words } from '../shell.ts'
import { records } from './paths.ts'

/**
 * The file in a version's folder that says what it was unpacked from and how its binaries were then:
 *
 *     tarball SHA256
 *     binary SHA256 NAME
 *     stat NAME MODE UID GID BYTES MTIME CTIME
 *
 * While `stat` says the same, a binary needn't be hashed again; they are large.
 */
export const MANIFEST = '.vestal-release'

/** What the manifest says of a folder, held against what is there. */
export interface FoundRelease {
  readonly tarball: string
  /** Binaries that are still what was unpacked. */
  readonly intact: readonly string[]
}

/** Shell that prints `stat` lines of binaries in the working folder; one process. */
const statLines = (binaries: readonly string[]): string =>
  `stat --printf='stat %n %a %u %g %s %.9Y %.9Z\\n' -- ${words(binaries)}`

/** Shell that writes the manifest of binaries in the working folder, as the last thing, in one rename. */
export const writeManifest = (sha256: string, binaries: readonly string[]): string => `sync -- ${words(binaries)}
{
  printf 'tarball %s\\n' ${sha256}
  sha256sum -- ${words(binaries)} | while read -r sum name; do printf 'binary %s %s\\n' "$sum" "$name"; done
  ${statLines(binaries)}
} >${MANIFEST}.new
sync ${MANIFEST}.new
mv -f ${MANIFEST}.new ${MANIFEST}`

/** Shell that prints a folder's manifest, what `stat` says now and, where that differs, checksums. */
export const printRelease = (folder: string, binaries: readonly string[]): string => `folder=${word(folder)}
if [ -d "$folder" ]; then
  said=
  if [ -r "$folder/${MANIFEST}" ]; then
    while IFS= read -r line; do said="$said$line
"; done <"$folder/${MANIFEST}"
  fi
  is=$(cd "$folder" && ${statLines(binaries)} 2>/dev/null)
  printf '%s\\0%s\\0%s\\0' "$folder" "$said" "$is"
  case $said in
    *"
$is
") ;;
    *) (cd "$folder" && sha256sum -- ${words(binaries)} 2>/dev/null) ;;
  esac
  printf '\\0'
fi`

/** Reads what `printRelease` printed, by folder. */
export const parseRelease = (stdout: Buffer): ReadonlyMap<string, FoundRelease> => {
  const all = records(stdout)
  return new Map(
    Array.from({ length: Math.floor(all.length / 4) }, (_, index) => {
      const [folder = '', said = '', is = '', sums = ''] = all.slice(index * 4, index * 4 + 4)
      return [folder, compare(said.split('\n'), is.split('\n'), sums.split('\n'))]
    }),
  )
}

const compare = (said: readonly string[], is: readonly string[], sums: readonly string[]): FoundRelease => {
  const lines = (kind: string, from: readonly string[]) =>
    from.map((line) => line.split(' ')).filter(([first]) => first === kind)
  const then = new Map(lines('stat', said).map(([, name = '', ...rest]) => [name, rest]))
  const now = new Map(lines('stat', is).map(([, name = '', ...rest]) => [name, rest]))
  const known = new Set(sums)
  const intact = lines('binary', said).flatMap(([, sha256, name = '']) => {
    const [was, has] = [then.get(name), now.get(name)]
    if (!was || !has) return []
    if (was.join() === has.join()) return [name]
    const access = was.slice(0, 3).join() === has.slice(0, 3).join()
    return access && known.has(`${sha256}  ${name}`) ? [name] : []
  })
  return { tarball: lines('tarball', said)[0]?.[1] ?? 'unknown', intact }
}
