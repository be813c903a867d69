import { z } from 'zod'
import { asOwner } from '../../lib/as-owner.ts'
import { currentOf } from '../../lib/host-paths.ts'
import { command } from '../../lib/kinds/command.ts'
import type { Role, RoleData } from '../../lib/model.ts'
import { role } from '../../lib/role.ts'
import { word } from '../../lib/shell.ts'
import { versionIn } from '../stateful-services.ts'
import { type Released, releasedRoles } from './settings.ts'

/** The folder of snapshots, inside that of the data: a hard link cannot leave its file system. Each is called by the version that wrote it. */
export const SNAPSHOTS = 'snapshots'
export const snapshotOf = (version: string): string => `${SNAPSHOTS}/vestal-${version}`

/** For each of these roles that needs one: a snapshot of its data before it goes where there is no way back from. */
export const dataKept = (roles: readonly Role[]): readonly Role[] =>
  releasedRoles(roles).flatMap((one) => (one.data?.snapshotFrom ? [snapshotRole(one, one.data)] : []))

const snapshotRole = (of: Released, data: RoleData): Role =>
  role({
    name: 'data-kept',
    summary: `A snapshot of the data before ${of.title ?? of.name} goes where there is no way back from.`,
    group: of.group,
    on: of.on,
    vars: z.looseObject({}),
    tasks({ host }) {
      const vars = of.varsOf(host)
      const from = data.snapshotFrom?.(versionIn(vars)) ?? null
      if (from === null || !data.freeze) return []
      const folder = data.folder(vars)
      const version = `version=$(readlink ${word(currentOf(of.release.name, host.machine.instance))} || :)\nversion=\${version##*/}`
      return [
        command(
          'keep a snapshot of the data, which older versions will not read any more',
          `${version}\n${take(folder, data.freeze)}`,
          {
            unless: `${version}
case $version in ${from}) ;; *) exit 0 ;; esac
[ -z "$(find ${word(folder)} -mindepth 1 -maxdepth 1 ! -name ${SNAPSHOTS} 2>/dev/null | head -n 1)" ]`,
          },
        ),
      ]
    },
  })

/** What is frozen while the service runs lacks at most what comes in the seconds up to its restart. */
const take = (folder: string, freeze: Required<RoleData>['freeze']): string =>
  asOwner(
    folder,
    `set -eu
version=$1
mkdir -p ${SNAPSHOTS}
new=${SNAPSHOTS}/.vestal-new
rm -rf "$new"
(
${freeze('.', '"$new"')}
)
chmod --reference=${SNAPSHOTS} "$new"
rm -rf "${SNAPSHOTS}/vestal-$version"
mv -T "$new" "${SNAPSHOTS}/vestal-$version"`,
    ['"$version"'],
  )
