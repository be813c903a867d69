/** Shell that makes a node's data still, hands it over and takes it back. Pure; holds no secret. */
import type { RoleData } from '../../lib/model.ts'
import { word, words } from '../../lib/shell.ts'

/** What stands in a data folder only while a backup or a restore is at work. */
const STAGE = '.vestal-backup'
const RESTORE = '.vestal-restore'
/** What a restore has put aside, until the service serves from what was restored. */
const ASIDE = '.vestal-before-restore'

/** Makes a copy of a service's data that no longer changes, beside it. Prints its bytes. */
export const still = (data: string, { freeze = copyAll }: Pick<RoleData, 'freeze'>): string => `set -eu
umask 077
rm -rf ${word(`${data}/${STAGE}`)}
(
${freeze(word(data), word(`${data}/${STAGE}`))}
)
du -sb ${word(`${data}/${STAGE}`)} | cut -f1`

const copyAll = (from: string, to: string): string => `mkdir ${to}
find ${from} -mindepth 1 -maxdepth 1 ! -name '.vestal-*' -exec cp -a -t ${to} -- {} +`

/** Prints the still copy as a tar archive. */
export const handOver = (data: string): string =>
  `tar --create --numeric-owner --directory=${word(`${data}/${STAGE}`)} .`

export const clearStage = (data: string): string => `rm -rf ${word(`${data}/${STAGE}`)}`

/** Takes an archive from standard input, holds it against its checksum, and unpacks it beside the data. Changes nothing that is in use. */
export const takeIn = (
  data: string,
  { bytes, sha256 }: { readonly bytes: number; readonly sha256: string },
): string => `set -eu
umask 077
data=${word(data)}
if ! [ -d "$data" ]; then printf '%s is not there\\n' "$data" >&2; exit 1; fi
rm -rf "$data/${RESTORE}" "$data/${RESTORE}.tar"
trap 'rm -f "$data/${RESTORE}.tar"' EXIT
free=$(df -B1 --output=avail "$data" | tail -n 1)
if [ "$free" -lt ${2 * bytes + 16 * 1024 * 1024} ]; then printf 'too little room: %s bytes are free, and the backup needs ${2 * bytes} for a while\\n' $free >&2; exit 1; fi
cat >"$data/${RESTORE}.tar"
sum=$(sha256sum "$data/${RESTORE}.tar")
if [ "\${sum%% *}" != ${word(sha256)} ]; then echo 'what arrived is not what was sent' >&2; exit 1; fi
mkdir "$data/${RESTORE}"
tar --extract --no-same-owner --file="$data/${RESTORE}.tar" --directory="$data/${RESTORE}"`

interface Swap {
  readonly unit: string
  /** The names that are replaced; undefined: everything in the folder. */
  readonly names?: readonly string[]
}

/**
 * Stops the service, puts its data aside and what was unpacked in its place, and starts it. Puts everything back where a step fails. What a
 * restore that was cut off had put aside is put back first.
 */
export const swapIn = (data: string, { unit, names }: Swap): string => `${swapFunctions(data, names)}
owner=$(stat -c %U:%G "$data")
systemctl stop -- ${word(unit)}
put_back
trap 'put_back; systemctl start -- ${word(unit)}' EXIT
mkdir -m 0700 "$aside.part"
move "$data" "$aside.part"
mv "$aside.part" "$aside"
find "$data/${RESTORE}" -mindepth 1 -maxdepth 1 -exec mv -t "$data" -- {} +
rmdir "$data/${RESTORE}"
find "$data" -mindepth 1 -maxdepth 1 ! -name '.vestal-*' -exec chown -R -- "$owner" {} +
trap - EXIT
systemctl start -- ${word(unit)}`

/** Puts back what `swapIn` has put aside. */
export const swapBack = (data: string, { unit, names }: Swap): string => `${swapFunctions(data, names)}
systemctl stop -- ${word(unit)}
put_back
systemctl start -- ${word(unit)}`

/** Removes what was put aside: the service serves from what was restored. */
export const clearAside = (data: string): string => `aside=${word(`${data}/${ASIDE}`)}
if [ -d "$aside" ]; then mv "$aside" "$aside.gone" && rm -rf "$aside.gone"; fi`

const swapFunctions = (data: string, names: readonly string[] | undefined): string => `set -eu
data=${word(data)}
aside=$data/${ASIDE}
move() {
  ${
    names
      ? `for name in ${words(names)}; do if [ -e "$1/$name" ]; then mv -t "$2" -- "$1/$name"; fi; done`
      : `find "$1" -mindepth 1 -maxdepth 1 ! -name '.vestal-*' -exec mv -t "$2" -- {} +`
  }
}
# Can itself be cut off anywhere and begun again: what is called .part is all or some of what must be in its place.
put_back() {
  rm -rf "$data/${RESTORE}.half" "$aside.gone"
  if [ -d "$aside" ]; then
    mkdir -m 0700 "$data/${RESTORE}.half"
    move "$data" "$data/${RESTORE}.half"
    rm -rf "$data/${RESTORE}.half"
    mv "$aside" "$aside.part"
  fi
  if [ -d "$aside.part" ]; then
    move "$aside.part" "$data"
    rm -rf "$aside.part"
  fi
}`
