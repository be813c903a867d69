/** Shell that makes a node's data still, hands it over and takes it back, all of it as the account that owns the data. Pure; holds no secret. */
import { asOwner } from '../../lib/as-owner.ts'
import type { RoleData } from '../../lib/model.ts'
import { word, words } from '../../lib/shell.ts'

/** What stands in a data folder only while a backup or a restore is at work. */
const STAGE = '.vestal-backup'
const RESTORE = '.vestal-restore'
/** What a restore has put aside, until the service serves from what was restored. */
const ASIDE = '.vestal-before-restore'

/** Makes a copy of a service's data that no longer changes, beside it. Prints its bytes. */
export const still = (data: string, { freeze = copyAll }: Pick<RoleData, 'freeze'>): string =>
  asOwner(
    data,
    `set -eu
umask 077
rm -rf ${STAGE}
(
${freeze('.', STAGE)}
)
du -sb ${STAGE} | cut -f1`,
  )

const copyAll = (from: string, to: string): string => `mkdir ${to}
find ${from} -mindepth 1 -maxdepth 1 ! -name '.vestal-*' -exec cp -a -t ${to} -- {} +`

/** Prints the still copy as a tar archive. */
export const handOver = (data: string): string => asOwner(data, `tar --create --numeric-owner --directory=${STAGE} .`)

export const clearStage = (data: string): string => asOwner(data, `rm -rf ${STAGE}`)

/** Takes an archive from standard input, holds it against its checksum, and unpacks it beside the data. Changes nothing that is in use. */
export const takeIn = (data: string, { bytes, sha256 }: { readonly bytes: number; readonly sha256: string }): string =>
  asOwner(
    data,
    `set -eu
umask 077
rm -rf ${RESTORE} ${RESTORE}.tar
trap 'rm -f ${RESTORE}.tar' EXIT
free=$(df -B1 --output=avail . | tail -n 1)
if [ "$free" -lt ${2 * bytes + 16 * 1024 * 1024} ]; then printf 'too little room: %s bytes are free, and the backup needs ${2 * bytes} for a while\\n' $free >&2; exit 1; fi
cat >${RESTORE}.tar
sum=$(sha256sum ${RESTORE}.tar)
if [ "\${sum%% *}" != ${word(sha256)} ]; then echo 'what arrived is not what was sent' >&2; exit 1; fi
mkdir ${RESTORE}
tar --extract --no-same-owner --no-same-permissions --file=${RESTORE}.tar --directory=${RESTORE}`,
  )

interface Swap {
  readonly unit: string
  /** The names that are replaced; undefined: everything in the folder. */
  readonly names?: readonly string[]
}

/**
 * Stops the service, puts its data aside and what was unpacked in its place, and starts it. Puts everything back where a step fails. What a
 * restore that was cut off had put aside is put back first.
 */
export const swapIn = (data: string, { unit, names }: Swap): string => `set -eu
put_back() {
${asOwner(data, `${swapFunctions(names)}\nput_back`)}
}
systemctl stop -- ${word(unit)}
put_back
trap 'put_back; systemctl start -- ${word(unit)}' EXIT
${asOwner(
  data,
  `${swapFunctions(names)}
mkdir -m 0700 "$aside.part"
move . "$aside.part"
mv "$aside.part" "$aside"
find ${RESTORE} -mindepth 1 -maxdepth 1 -exec mv -t . -- {} +
rmdir ${RESTORE}`,
)}
trap - EXIT
systemctl start -- ${word(unit)}`

/** Puts back what `swapIn` has put aside. */
export const swapBack = (data: string, { unit, names }: Swap): string => `set -eu
systemctl stop -- ${word(unit)}
${asOwner(data, `${swapFunctions(names)}\nput_back`)}
systemctl start -- ${word(unit)}`

/** Removes what was put aside: the service serves from what was restored. */
export const clearAside = (data: string): string =>
  asOwner(data, `if [ -d ${ASIDE} ]; then mv ${ASIDE} ${ASIDE}.gone && rm -rf ${ASIDE}.gone; fi`)

/** Inside the folder of the data. */
const swapFunctions = (names: readonly string[] | undefined): string => `set -eu
aside=./${ASIDE}
move() {
  ${
    names
      ? `for name in ${words(names)}; do if [ -e "$1/$name" ]; then mv -t "$2" -- "$1/$name"; fi; done`
      : `find "$1" -mindepth 1 -maxdepth 1 ! -name '.vestal-*' -exec mv -t "$2" -- {} +`
  }
}
# Can itself be cut off anywhere and begun again: what is called .part is all or some of what must be in its place.
put_back() {
  rm -rf ${RESTORE}.half "$aside.gone"
  if [ -d "$aside" ]; then
    mkdir -m 0700 ${RESTORE}.half
    move . ${RESTORE}.half
    rm -rf ${RESTORE}.half
    mv "$aside" "$aside.part"
  fi
  if [ -d "$aside.part" ]; then
    move "$aside.part" .
    rm -rf "$aside.part"
  fi
}`
