import { asOwner, onlyRootsPath } from '../as-owner.ts'
import { InputError } from '../errors.ts'
import type { Change, Kind, Step, Task } from '../model.ts'
import { propertiesIn } from '../properties.ts'
import { word, words } from '../shell.ts'
import { absolutePath, accountName } from './check.ts'

/**
 * `others` says which units of others still do this work, or would after a boot; `owner` is `ours`, or the account and group of the first thing in the
 * folder that is another's.
 */
export type HandoverState = Readonly<{ others: string; owner: string }>
export interface HandoverData {
  readonly units: readonly string[]
  /** Where its data is, for a service that keeps some. */
  readonly folder?: string
  /** Where theirs is, if that is elsewhere: files in it are brought along once they have stopped. */
  readonly from?: string
  readonly account: string
}

/** The name of a service's unit, as systemd.unit(5) has it. */
export const SERVICE_UNIT = /^[\w:.@\\-]+\.service$/

export const handoverKind: Kind<HandoverState, HandoverData> = {
  name: 'handover',
  summary:
    'Units of others whose work a service of ours goes on with: stopped and disabled, and their data made the service’s own.',
  probe: (tasks) => tasks.map(({ data }) => probe(data)).join('\n'),
  parse: (stdout, tasks) => {
    const parts = stdout.toString().split('\0')
    return new Map(
      tasks.map(({ key }, at) => [
        key,
        { others: othersIn(parts[2 * at] ?? ''), owner: ownerIn(parts[2 * at + 1] ?? '') },
      ]),
    )
  },
  converge: (change) => [handOver(change)],
  explain: ({ from, to }) => {
    if (from === null) return ''
    return [
      ...(from.others === to?.others ? [] : [from.others]),
      ...(from.owner === to?.owner ? [] : [`its data belongs to ${from.owner}`]),
    ].join(', ')
  },
}

/**
 * The work and data of these units go over to a service: for the one of its own name that means the data alone, as its unit is written anew.
 * Throws InputError on names and paths that a system wouldn't take.
 */
export const handedOver = (
  service: string,
  { units, folder, from, account }: HandoverData,
): Task<HandoverState, HandoverData> => {
  const odd = units.filter((unit) => !SERVICE_UNIT.test(unit))
  if (odd.length > 0)
    throw new InputError(
      odd.map((unit) => ({ where: `unit ${JSON.stringify(unit)}`, what: 'is not a service’s name' })),
    )
  return {
    kind: handoverKind,
    key: service,
    desired: { others: '', owner: 'ours' },
    data: {
      units: units.filter((unit) => unit !== service),
      folder: folder === undefined ? undefined : absolutePath(folder),
      from: from === undefined ? undefined : absolutePath(from),
      account: accountName(account),
    },
  }
}

/** What is in lost+found is the file system's. */
const probe = ({ units, folder, account }: HandoverData): string => `${
  units.length === 0 ? ':' : `systemctl show --property=Id,ActiveState,UnitFileState -- ${words(units)} 2>/dev/null`
}
printf '\\0'
${
  folder === undefined
    ? ':'
    : `if [ -d ${word(folder)} ]; then
  # Nothing is an account's that is not there yet.
  if getent passwd -- ${word(account)} >/dev/null; then set -- ! -user ${word(account)}; else set --; fi
  find -H ${word(folder)} -xdev -name lost+found -prune -o "$@" -printf '%u:%g\\n' -quit 2>/dev/null
fi`
}
printf '\\0'`

const othersIn = (said: string): string =>
  said
    .split(/\n\n+/)
    .flatMap((block) => {
      const { Id = '', ActiveState = '', UnitFileState = '' } = propertiesIn(block)
      if (!/^[\w:.@\\-]+$/.test(Id)) return []
      if (!['inactive', 'failed', ''].includes(ActiveState)) return [`${Id} runs`]
      return UnitFileState.startsWith('enabled') ? [`${Id} starts at boot`] : []
    })
    .join(', ')

const ownerIn = (said: string): string => /^([\w][\w.$-]*:[\w][\w.$-]*)$/m.exec(said)?.[1] ?? 'ours'

/**
 * `systemctl disable` takes the link to a unit file away that stands in an odd place, so its path is kept for the way back. Data is handed over while nothing
 * runs on it. chown(1) with -P and -h follows no link that the old account may have put there.
 */
const handOver = ({ task: { key, data }, from, to }: Change<HandoverState, HandoverData>): Step => {
  const { units, folder, from: old, account } = data
  const stops = from?.others !== to?.others
  const owner = from !== null && from.owner !== 'ours' && folder !== undefined ? from.owner : undefined
  const all = owner === undefined ? units : [...units, key]
  const kept = word(`${KEPT}/${key}`)
  return {
    title: [
      ...(stops ? [`stop and disable ${units.join(', ')}`] : []),
      ...(stops && old !== undefined ? [`bring ${old} along`] : []),
      ...(owner === undefined ? [] : [`hand ${folder} over to ${account}`]),
    ].join(', '),
    run: `( umask 077; mkdir -p ${KEPT} )
: >${kept}
for unit in ${words(all)}; do
  active=$(systemctl show --property=ActiveState --value -- "$unit")
  enabled=$(systemctl show --property=UnitFileState --value -- "$unit")
  path=$(readlink -f -- "$(systemctl show --property=FragmentPath --value -- "$unit")" || :)
  printf '%s %s %s %s\\n' "$unit" "\${active:--}" "\${enabled:--}" "\${path:--}" >>${kept}
done
for unit in ${words(units)}; do
  systemctl disable --quiet -- "$unit" 2>/dev/null || :
done
while read -r unit active enabled path; do
  case $active in inactive|failed|-) continue ;; esac
  systemctl stop -- "$unit" </dev/null
  systemctl reset-failed -- "$unit" </dev/null 2>/dev/null || :
done <${kept}${owner === undefined || folder === undefined ? '' : `\n${give(folder, `${account}:${account}`)}`}${
      stops && old !== undefined && folder !== undefined ? `\n${bring(old, folder)}` : ''
    }`,
    // Of a step that did not come to its end too.
    restore: `${owner === undefined || folder === undefined ? '' : `( ${give(folder, owner)}\n) || :\n`}while read -r unit active enabled path; do
  case $enabled in enabled*|linked*) if [ "$path" != - ]; then systemctl enable --quiet -- "$unit" </dev/null 2>/dev/null || systemctl enable --quiet -- "$path" </dev/null || :; fi ;; esac
  case $active in active|activating|reloading) systemctl start -- "$unit" </dev/null || : ;; esac
done <${kept}`,
    interrupts: stops || owner !== undefined,
  }
}

const KEPT = '/run/vestal/handover'

const give = (folder: string, account: string): string =>
  `${onlyRootsPath(folder)}chown -R -h -P ${word(account)} "$real"`

/** Plain files alone, read as the account that has them and written as the one that gets them. */
const bring = (from: string, to: string): string => `if [ -d ${word(from)} ]; then
${asOwner(from, 'set -eu\nfind . -maxdepth 1 -type f -print0 | tar --null --no-recursion --files-from=- -cf -')} >${word(BROUGHT)}
${asOwner(to, 'tar -xf - --no-same-owner --no-same-permissions')} <${word(BROUGHT)}
rm -f ${word(BROUGHT)}
fi`
const BROUGHT = `${KEPT}/brought.tar`
