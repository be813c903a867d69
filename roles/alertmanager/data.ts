import compare from 'semver/functions/compare.js'
import { silencesOf } from '../../lib/api/alertmanager.ts'
import type { RoleData, Unreadable } from '../../lib/model.ts'
import { endpointOf } from '../../lib/program/web.ts'
import { counted } from '../../lib/wording.ts'
import { bringBack, savedSilences } from './bring-back-silences.ts'
import type { AlertmanagerVars } from './vars.ts'

/** The files of its state: written every 15 minutes and when it stops. */
export const STATE_FILES: readonly string[] = ['silences', 'nflog']

/** Versions that write silences which no older one can read (alertmanager#5330; mended in 0.32.3 and 0.33.1). */
const UNREADABLE: readonly string[] = ['0.32.0', '0.32.1', '0.32.2', '0.33.0']

export const unreadable = ({
  wrote,
  reader,
}: {
  readonly wrote: string
  readonly reader: string
}): Unreadable | null =>
  UNREADABLE.includes(wrote) && compare(reader, wrote) < 0
    ? {
        what: `the silences that ${wrote} has written (alertmanager#5330)`,
        why: 'Silences that this version writes cannot be read by any older one.',
        readers: `${wrote} or later`,
        via: '0.32.3 or 0.33.1',
        instead: 'Go to 0.32.3 or 0.33.1 first, which write what older ones read.',
      }
    : null

/** Its files as it last wrote them, and what it says of its silences, which is never older than they are. */
export const data: RoleData<AlertmanagerVars> = {
  folder: ({ data_dir }) => data_dir,
  names: STATE_FILES,
  archived: new RegExp(`^(?:${STATE_FILES.join('|')})$`),
  freeze: (from, to) =>
    `mkdir ${to}
for name in ${STATE_FILES.join(' ')}; do if [ -f ${from}/$name ]; then cp -a ${from}/$name ${to}/; fi; done`,
  unreadable,
  spoken: {
    file: 'silences.json',
    save: async ({ host, vars }, reach) =>
      `${JSON.stringify((await silencesOf(reach, endpointOf(host, vars))).items, null, 2)}\n`,
    check: (text) => void savedSilences(text),
    async bringBack({ host, vars }, reach, text) {
      const made = await bringBack(reach, endpointOf(host, vars), savedSilences(text))
      return `${counted(made, 'silence')} made anew`
    },
  },
}
