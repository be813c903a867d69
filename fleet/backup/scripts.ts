/** Shell that makes a node's data still, hands it over and takes it back. Pure; holds no secret. */
import { word, words } from '../../lib/shell.ts'

/** What stands in a data folder only while a backup or a restore is at work. */
const STAGE = '.vestal-backup'
const RESTORE = '.vestal-restore'
/** What a restore has put aside, until the service serves from what was restored. */
const ASIDE = '.vestal-before-restore'

/**
 * Makes a copy of a TSDB that no longer changes, beside it: hard links of its blocks, which are never written again, and a copy of its WAL.
 * Segments are listed before they are copied, so that only the last one can be cut short, which a replay allows for; the WAL comes before
 * the blocks, so that a sample may be in both but is never in neither. Done again where a compaction came between. Prints its bytes.
 * Source of the layout: prometheus, tsdb/docs/format (blocks, wal, head_chunks: the last is made again from the WAL).
 */
export const stillTsdb = (data: string): string => `set -eu
umask 077
data=${word(data)}
stage=$data/${STAGE}
blocks() { ls -1 "$data" | grep -E '^[0-9A-Z]{26}$' || :; }
oldest() { ls -1 "$data/wal" | sed -n '1p'; ls -1 "$data/wal" | grep checkpoint || :; }
once() {
  rm -rf "$stage"
  mkdir "$stage" "$stage/wal"
  was=$(blocks; oldest)
  for name in $(ls -1 "$data/wal"); do cp -a "$data/wal/$name" "$stage/wal/" || return 1; done
  if [ -d "$data/wbl" ]; then cp -a "$data/wbl" "$stage/" || return 1; fi
  for name in $(blocks); do cp -al "$data/$name" "$stage/" || return 1; done
  [ "$was" = "$(blocks; oldest)" ]
}
for try in 1 2 3 4 5 6; do
  if once 2>/dev/null; then du -sb "$stage" | cut -f1; exit 0; fi
  sleep 1
done
rm -rf "$stage"
echo 'the storage is being compacted; try again in a minute' >&2
exit 1`

/** Makes a copy of what an Alertmanager last wrote of its state: every 15 minutes and when it stops. Prints its bytes. */
export const stillAlertmanager = (data: string): string => `set -eu
umask 077
stage=${word(data)}/${STAGE}
rm -rf "$stage"
mkdir "$stage"
for name in silences nflog; do if [ -f ${word(data)}/$name ]; then cp -a ${word(data)}/$name "$stage/"; fi; done
du -sb "$stage" | cut -f1`

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
