import major from 'semver/functions/major.js'
import { z } from 'zod'
import { command } from '../../lib/kinds/command.ts'
import { currentFolder } from '../../lib/kinds/release.ts'
import { role } from '../../lib/role.ts'
import { word } from '../../lib/shell.ts'
import { prometheus } from '../../roles/prometheus/role.ts'

/**
 * Before the step to Prometheus 3 from below 2.55, whose way back is barred (prometheus docs/migration.md): hard links to all blocks, which never
 * change, and a copy of the write-ahead log, taken while it runs. The log is copied first: what a compaction moves into a block meanwhile is then in
 * both, which a start sorts out. At most the samples of the seconds up to the restart are missing.
 */
export const dataKept = role({
  name: 'data-kept',
  summary: 'A snapshot of the data before Prometheus goes where there is no way back from.',
  group: 'prometheus',
  vars: z.looseObject({}),
  tasks({ host }) {
    const { version, storage_dir } = prometheus.varsOf(host)
    if (major(version) < 3) return []
    return [
      command('keep a snapshot of the data, which older versions will not read any more', take(storage_dir), {
        unless: `${VERSION}
case $version in 2.[0-9].*|2.[0-4][0-9].*|2.5[0-4].*) ;; *) exit 0 ;; esac
[ ! -d ${word(`${storage_dir}/wal`)} ]`,
      }),
    ]
  },
})

const VERSION = `version=$(readlink ${currentFolder('prometheus')} || :)
version=\${version##*/}`

const take = (storage: string): string => `${VERSION}
cd ${word(storage)}
mkdir -p snapshots
chown --reference=. snapshots
new=snapshots/.vestal-new
for try in 1 2 3; do
  rm -rf "$new"
  mkdir "$new"
  done=yes
  cp -a wal "$new/wal" || done=
  for block in */; do
    if [ ! -e "$block/meta.json" ]; then continue; fi
    cp -al "\${block%/}" "$new/" || done=
  done
  [ -z "$done" ] || break
done
[ -n "$done" ]
chown --reference=. "$new"
chmod --reference=. snapshots "$new"
rm -rf "snapshots/vestal-$version"
mv -T "$new" "snapshots/vestal-$version"`
