import { z } from 'zod'
import { asOwner } from '../../lib/as-owner.ts'
import type { Mistake } from '../../lib/errors.ts'
import { BACKUPS, currentOf, LAST_RUN, undoOf } from '../../lib/host-paths.ts'
import { command } from '../../lib/kinds/command.ts'
import type { Connection, Host, Role, Unreadable } from '../../lib/model.ts'
import { rolesOn, scopeOf } from '../../lib/playbook.ts'
import { role, serviceOn } from '../../lib/role.ts'
import { word } from '../../lib/shell.ts'
import { understood } from '../../lib/understood.ts'
import { SNAPSHOTS, snapshotOf } from './data-snapshot.ts'
import { VERSIONS_HINT, versionOf } from './running-versions.ts'
import { type Released, releasedRoles, type Versions } from './settings.ts'

/** The way back of one host: what `readWayBack` found on it. */
export interface WayBack {
  readonly host: Host
  /** The newest run whose change can be taken back; '' for none. */
  readonly run: string
  /** The run that changed the host last. */
  readonly lastRun: string
  /** The versions that are switched to now. */
  readonly now: Versions
  /** Those before that run, where it changed them. */
  readonly before: Versions
  /** Programs whose earlier release is no longer there. */
  readonly gone: readonly string[]
  /** The keys of roles of whose data, as the earlier version wrote it, a snapshot is there. */
  readonly snapshots: readonly string[]
}

/** Reads the way back of a host from what earlier runs left there; changes nothing. */
export const readWayBack = async (
  connection: Connection,
  roles: readonly Role[],
  wanted: string | undefined,
): Promise<WayBack> => {
  const { host } = connection
  const { stdout } = await connection.exec(look(host, releasedRoles(roles), wanted), { within: '4m' })
  const lines = stdout.toString().split('\n')
  const all = (name: string): readonly string[] =>
    lines.filter((line) => line.startsWith(`${name}=`)).map((line) => line.slice(name.length + 1))
  const versions = (of: string): Versions =>
    Object.fromEntries(
      releasedRoles(roles).flatMap(({ key }) => all(`${of}-${key}`).map((version) => [key, versionOf(version)])),
    )
  return understood(
    host.name,
    'its way back',
    () => ({
      host,
      run: runIn(all('run')[0] ?? ''),
      lastRun: runIn(all('last')[0] ?? ''),
      now: versions('now'),
      before: versions('before'),
      gone: all('gone').map((one) => one.slice(0, 200)),
      snapshots: all('snapshot'),
    }),
    VERSIONS_HINT,
  )
}

/** Throws an Error for what is called like no run: it becomes part of a path that root works with. */
const runIn = (text: string): string => {
  if (text === '' || /^[\w-][\w.-]{0,200}$/.test(text)) return text
  throw new Error(`a run is called ${JSON.stringify(text.slice(0, 100))}`)
}

const look = (host: Host, roles: readonly Released[], wanted: string | undefined): string => `
newest() { ls -1t ${undoOf(host.machine.instance)} 2>/dev/null | sed -n 's/\\.[0-9]*\\.sh$//p' | head -n 1; }
run=${wanted === undefined ? '$(newest)' : word(wanted)}
if [ -e "${undoOf(host.machine.instance)}/$run.1.sh" ]; then printf 'run=%s\\n' "$run"; fi
if [ -r ${LAST_RUN} ]; then printf 'last=%s\\n' "$(cat ${LAST_RUN})"; fi
${roles.map((one) => lookAt(one, host)).join('\n')}
exit 0`

const lookAt = (one: Released, host: Host): string => {
  const { key, release } = one
  const link = currentOf(release.name, host.machine.instance)
  const folder = one.data?.snapshotFrom && rolesOn(host, [one]).length > 0 ? one.data.folder(one.varsOf(host)) : ''
  const snapshot = `if [ -d ${word(`${folder}/${SNAPSHOTS}`)}/vestal-"\${before##*/}" ]; then echo snapshot=${key}; fi`
  return `link=${word(link)}
if [ -L "$link" ]; then now=$(readlink "$link"); printf 'now-${key}=%s\\n' "\${now##*/}"; fi
if [ -n "$run" ] && [ -L "${BACKUPS}/$run$link" ]; then
  before=$(readlink "${BACKUPS}/$run$link")
  printf 'before-${key}=%s\\n' "\${before##*/}"
  if [ ! -d "$before" ]; then printf 'gone=%s %s\\n' ${word(release.name)} "\${before##*/}"; fi
  ${folder === '' ? '' : snapshot}
fi`
}

/**
 * Why hosts cannot go back: nothing to take back, changed since, a release that is gone, or data that the earlier version cannot read and no
 * snapshot that may be put in its place.
 */
export const barred = (ways: readonly WayBack[], roles: readonly Role[], restoreData: boolean): readonly Mistake[] =>
  ways.flatMap((way): readonly Mistake[] => {
    const { host, run, lastRun, gone, snapshots } = way
    const where = `host ${host.name}`
    if (run === '')
      return [
        { where, what: 'has no change that can be taken back', fix: 'Set the version in the inventory and deploy.' },
      ]
    if (lastRun !== run && !/-rollback-[0-9a-f]{4}$/.test(lastRun))
      return [
        {
          where,
          what: `was changed by run ${lastRun} after run ${run}, whose way back would write over that`,
          fix: 'Set the version in the inventory and deploy.',
        },
      ]
    const bars: Mistake[] = gone.map((what) => ({
      where,
      what: `${what} is no longer installed`,
      fix: 'Set the version in the inventory and deploy.',
    }))
    for (const one of releasedRoles(roles)) {
      const unreadable = unreadableBy(one, way)
      const snapshot = snapshots.includes(one.key)
      if (!unreadable || (restoreData && snapshot)) continue
      bars.push({
        where,
        what: `${one.title ?? one.name} ${way.before[one.key]} cannot read ${unreadable.what}`,
        fix: fixOf(unreadable, { snapshot, possible: one.data?.snapshotFrom !== undefined }),
      })
    }
    return bars
  })

/** Why the earlier version of a role could not read the data on a host. */
const unreadableBy = ({ key, data }: Released, { now, before }: WayBack): Unreadable | null => {
  const [wrote, reader] = [now[key], before[key]]
  return (wrote !== undefined && reader !== undefined && data?.unreadable?.({ wrote, reader })) || null
}

const fixOf = (
  { instead }: Unreadable,
  { snapshot, possible }: { readonly snapshot: boolean; readonly possible: boolean },
): string => {
  if (snapshot)
    return 'Say --restore-data: the snapshot from before the upgrade takes the place of the data, which is kept beside it. What was scraped since is then not seen.'
  return possible ? `There is no snapshot from before. ${instead}` : instead
}

/** Takes a host's change back, by the way that the run itself left there; asks afterwards whether the roles serve, whatever they run. */
export const earlierState = (ways: readonly WayBack[], roles: readonly Role[]): Role =>
  role({
    name: 'earlier-state',
    summary: 'What a host ran before a run changed it.',
    vars: z.looseObject({}),
    tasks({ host }) {
      const way = ways.find((one) => one.host.name === host.name)
      return way
        ? [
            command(`take back what run ${way.run} changed`, goBack(way, roles), {
              unless: gone(way),
              interrupts: true,
            }),
          ]
        : []
    },
    healthy: ({ host, inventory }) => rolesOn(host, roles).flatMap((one) => one.serves(scopeOf(one, host, inventory))),
  })

const gone = ({ host, run }: WayBack): string => `[ ! -e ${undoOf(host.machine.instance)}/${word(run)}.1.sh ]`

/** Newest part first. A part that was taken back is gone, so that a rollback that was cut off can go on. */
const goBack = (way: WayBack, roles: readonly Role[]): string => `run=${word(way.run)}
undo=${undoOf(way.host.machine.instance)}
${releasedRoles(roles)
  .map((one) => dataBack(one, way))
  .join('')}number=1
while [ -e "$undo/$run.$((number + 1)).sh" ]; do number=$((number + 1)); done
while [ "$number" -ge 1 ]; do
  sh "$undo/$run.$number.sh"
  rm -f "$undo/$run.$number.sh"
  number=$((number - 1))
done`

/** The data of the newer version goes where the snapshot was. */
const dataBack = (one: Released, way: WayBack): string => {
  const { host, now, before, snapshots } = way
  if (!one.data || !snapshots.includes(one.key) || !unreadableBy(one, way)) return ''
  const [older, newer] = [snapshotOf(before[one.key] ?? ''), snapshotOf(now[one.key] ?? '')]
  const exchange = `set -eu
aside=${word(newer)}
if [ ! -d "$aside" ]; then
  mkdir "$aside.new"
  chmod --reference=. "$aside.new"
  find . -mindepth 1 -maxdepth 1 ! -name ${SNAPSHOTS} -exec mv -t "$aside.new" -- {} +
  mv -T "$aside.new" "$aside"
  find ${word(older)} -mindepth 1 -maxdepth 1 -exec mv -t . -- {} +
  rmdir ${word(older)}
fi`
  return `systemctl stop ${word(`${serviceOn(one, host)}.service`)}
${asOwner(one.data.folder(one.varsOf(host)), exchange)}
`
}
