import { silencesText } from '../../lib/api/alertmanager.ts'
import { asOwner } from '../../lib/as-owner.ts'
import { HostError } from '../../lib/errors.ts'
import { SAVED, STATE } from '../../lib/host-paths.ts'
import type { KeepContext, PlayScope } from '../../lib/model.ts'
import { endpointOf } from '../../lib/program/web.ts'
import { word } from '../../lib/shell.ts'
import { STATE_FILES } from './data.ts'
import { alertmanagerOn } from './vars.ts'

/** What is kept of a file of the state at most: a service can put anything in its folder, and make what reads it say more. */
const MOST_BYTES = 1024 ** 3
/** How many saved states stay on a host. */
const KEPT = 5

/**
 * Saves what each Alertmanager of a batch knows before it is interrupted: its silences as the API lists them (also in the run's folder), and its
 * files of silences and notifications as they are on the disk, below /var/lib/vestal/saved. It writes those every 15 minutes and when it is stopped,
 * and gossips them; so the copy is for a disk or a version that loses them. Throws HostError where something cannot be saved.
 */
export const silencesSaved = async ({ batch }: PlayScope, { run, reach, store }: KeepContext): Promise<void> => {
  await Promise.all(
    batch
      .filter((host) => host.groups.includes('alertmanager'))
      .map(async (host) => {
        const vars = alertmanagerOn(host)
        const silences = await silencesText(reach, endpointOf(host, vars))
        store(host, 'silences.json', `${silences}\n`)
        const { code, stderr } = await (await reach(host)).exec(saving(`${SAVED}/${run}`, vars.data_dir, silences))
        if (code !== 0)
          throw new HostError(host.name, `its silences cannot be saved: ${stderr.trim()}`, {
            task: 'keep',
            hint: `Look at the free space below ${STATE} on the host.`,
          })
      }),
  )
}

const saving = (folder: string, data: string, silences: string): string => `set -eu
umask 077
mkdir -p ${word(folder)}
cd ${word(folder)}
base64 -d >silences.json <<'VESTAL_SILENCES'
${Buffer.from(silences)
  .toString('base64')
  .replaceAll(/.{1,76}/g, '$&\n')}VESTAL_SILENCES
for file in ${STATE_FILES.join(' ')}; do
  rm -f .failed
  { ${asOwner(data, `if [ -f "$1" ] && ! [ -L "$1" ]; then timeout 60 cat -- "$1"; fi`, ['"$file"'])} || : >.failed
  } | timeout 60 head -c ${MOST_BYTES} >$file || : >.failed
  if [ -e .failed ]; then rm .failed; printf '%s cannot be copied\\n' "$file" >&2; exit 1; fi
done
ls -1t ${SAVED} | tail -n +${KEPT + 1} | while IFS= read -r old; do rm -rf "${SAVED}/$old"; done`
