import compare from 'semver/functions/compare.js'
import major from 'semver/functions/major.js'
import type { RoleData, Unreadable } from '../../lib/model.ts'
import type { PrometheusVars } from './vars.ts'

/** A TSDB of Prometheus 3 can be read by 2.55 and later only (prometheus docs/migration.md, "TSDB format and downgrade"). */
export const unreadable = ({
  wrote,
  reader,
}: {
  readonly wrote: string
  readonly reader: string
}): Unreadable | null =>
  compare(wrote, '3.0.0') >= 0 && compare(reader, '2.55.0') < 0
    ? {
        what: `what ${wrote} has written (2.55 is the oldest that can)`,
        why: 'Data written by Prometheus 3 can be read by 2.55 and later only.',
        readers: '2.55 or later',
        via: '2.55',
        instead: 'Go to 2.55 by rolling-upgrade, or stay.',
      }
    : null

/** The same as a pattern of a shell's `case`, over versions that run and would not be able to read what `to` writes. */
const olderThanReadable = (to: string): string | null =>
  major(to) >= 3 ? '[01].*|2.[0-9].*|2.[0-4][0-9].*|2.5[0-4].*' : null

/**
 * Makes a copy of a TSDB that no longer changes: hard links of its blocks, which are never written again, and a copy of its WAL.
 * Segments are listed before they are copied, so that only the last one can be cut short, which a replay allows for; the WAL comes before
 * the blocks, so that a sample may be in both but is never in neither. Done again where a compaction came between.
 * Source of the layout: prometheus, tsdb/docs/format (blocks, wal, head_chunks: the last is made again from the WAL).
 */
const freeze = (from: string, to: string): string => `data=${from}
stage=${to}
blocks() { ls -1 "$data" | grep -E '^[0-9A-Z]{26}$' || :; }
segments() { if [ -d "$data/wal" ]; then ls -1 "$data/wal"; fi; }
oldest() { segments | sed -n '1p'; segments | grep checkpoint || :; }
once() {
  rm -rf "$stage"
  mkdir "$stage"
  if [ -d "$data/wal" ]; then
    mkdir "$stage/wal" && chmod --reference="$data/wal" "$stage/wal" || return 1
  fi
  was=$(blocks; oldest)
  for name in $(segments); do cp -a "$data/wal/$name" "$stage/wal/" || return 1; done
  if [ -d "$data/wbl" ]; then cp -a "$data/wbl" "$stage/" || return 1; fi
  for name in $(blocks); do cp -al "$data/$name" "$stage/" || return 1; done
  [ "$was" = "$(blocks; oldest)" ]
}
for try in 1 2 3 4 5 6; do
  if why=$(once 2>&1); then exit 0; fi
  sleep 1
done
rm -rf "$stage"
printf 'the storage is being compacted%s; try again in a minute\\n' "\${why:+, or cannot be copied ($(printf '%s' "$why" | tail -n 1))}" >&2
exit 1`

/** Blocks by their ULID, and the segments and checkpoints of the two logs (prometheus, tsdb/docs/format). */
const ARCHIVED =
  /^(?:[0-9A-Z]{26}(?:\/(?:[a-z][\w.-]*|chunks\/\d+))?|(?:wal|wbl)(?:\/(?:\d+|checkpoint\.\d+(?:\.tmp)?(?:\/\d+)?))?)$/

export const data: RoleData<PrometheusVars> = {
  folder: ({ storage_dir }) => storage_dir,
  freeze,
  archived: ARCHIVED,
  unreadable,
  snapshotFrom: olderThanReadable,
}
