import { posix } from 'node:path'
import { uploadPath } from '../model.ts'
import { word, words } from '../shell.ts'
import { writeManifest } from './release-manifest.ts'

interface Installation {
  readonly folder: string
  readonly sha256: string
  readonly binaries: readonly string[]
  /** What was uploaded is the one binary itself and no tarball. */
  readonly single?: boolean
  /** Its binaries stand in no folder of the tarball. */
  readonly flat?: boolean
  /** How many other versions stay. */
  readonly keep: number
}

/**
 * Shell that unpacks an uploaded tarball beside `folder` and moves it there in one rename. Where the folder stands already, only
 * binaries that differ are replaced, so that a process that runs one that is right keeps its file.
 */
export const installRelease = ({ folder, sha256, binaries, single, flat, keep }: Installation): string => {
  const versions = posix.dirname(folder)
  return `umask 022
folder=${word(folder)}
new=${word(`${versions}/.${posix.basename(folder)}.vestal-new`)}
tarball=${word(uploadPath(sha256))}
trap 'rm -rf "$new" "$tarball"' EXIT
if [ "$(sha256sum <"$tarball")" != ${word(`${sha256}  -`)} ]; then
  printf 'the uploaded tarball does not have the checksum %s\\n' ${sha256} >&2
  exit 1
fi
rm -rf "$new"
mkdir -p "$new"
${single ? `mv "$tarball" "$new"/${words(binaries)}` : unpack(binaries, flat)}
cd "$new"
chown root:root . ${words(binaries)}
chmod 0755 . ${words(binaries)}
if [ -d "$folder" ]; then
  for binary in ${words(binaries)}; do
    if [ -L "$folder/$binary" ] || ! cmp -s "$binary" "$folder/$binary"; then mv -fT "$binary" "$folder/$binary"; fi
  done
  cd "$folder"
  chown root:root . ${words(binaries)}
  chmod 0755 . ${words(binaries)}
  ${writeManifest(sha256, binaries)}
else
  ${writeManifest(sha256, binaries)}
  mv -T "$new" "$folder"
fi
${prune(versions, keep)}`
}

const unpack = (binaries: readonly string[], flat = false): string =>
  `tar -xzf "$tarball" -C "$new" --no-same-owner --transform='flags=r;s|.*/||' --wildcards --no-wildcards-match-slash -- ${words(
    binaries.map((binary) => (flat ? binary : `*/${binary}`)),
  )}`

/** Removes the oldest versions beyond a number: never the one just installed, a current one (each instance has its own), or one that a process runs. */
const prune = (versions: string, keep: number): string => `versions=${word(versions)}
used=$(find /proc/[0-9]*/exe -maxdepth 0 -printf '%l\\n' 2>/dev/null || :)
current=$(readlink -f "$versions"/current* || :)
kept=0
rm -rf "$versions"/.*.vestal-new
ls -1t "$versions" | while IFS= read -r version; do
  one=$versions/$version
  if [ ! -d "$one" ] || [ -L "$one" ] || [ "$one" = "$folder" ]; then continue; fi
  kept=$((kept + 1))
  case "
$used" in *"
$one/"*) continue ;; esac
  case "
$current
" in *"
$one
"*) continue ;; esac
  if [ "$kept" -gt ${keep} ]; then rm -rf "$one"; fi
done`
