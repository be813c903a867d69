import compare from 'semver/functions/compare.js'
import { z } from 'zod'
import type { Mistake } from '../../lib/errors.ts'
import { command } from '../../lib/kinds/command.ts'
import type { Connection, Host, Role } from '../../lib/model.ts'
import { rolesOn, scopeOf } from '../../lib/playbook.ts'
import { role } from '../../lib/role.ts'
import { word, words } from '../../lib/shell.ts'
import { UNREADABLE } from '../../roles/alertmanager/known-issues.ts'
import { isOneWay } from '../../roles/prometheus/known-issues.ts'
import { prometheus } from '../../roles/prometheus/role.ts'
import { PROGRAMS, type Versions } from './settings.ts'

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
  /** True where a snapshot of the data as the earlier Prometheus wrote it is there. */
  readonly snapshot: boolean
}

const UNDO = '/var/lib/vestal/undo'
const BACKUPS = '/var/lib/vestal/backups'

/** Reads the way back of a host from what earlier runs left there; changes nothing. */
export const readWayBack = async (connection: Connection, wanted: string | undefined): Promise<WayBack> => {
  const { host } = connection
  const storage = host.groups.includes('prometheus') ? prometheus.varsOf(host).storage_dir : ''
  const { stdout } = await connection.exec(look(wanted, storage))
  const lines = stdout.toString().split('\n')
  const all = (name: string): readonly string[] =>
    lines.filter((line) => line.startsWith(`${name}=`)).map((line) => line.slice(name.length + 1))
  const versions = (of: string): Versions =>
    Object.fromEntries(PROGRAMS.flatMap((name) => all(`${of}-${name}`).map((version) => [name, version])))
  return {
    host,
    run: all('run')[0] ?? '',
    lastRun: all('last')[0] ?? '',
    now: versions('now'),
    before: versions('before'),
    gone: all('gone'),
    snapshot: all('snapshot').length > 0,
  }
}

const look = (wanted: string | undefined, storage: string): string => `
newest() { ls -1t ${UNDO} 2>/dev/null | sed -n 's/\\.[0-9]*\\.sh$//p' | head -n 1; }
run=${wanted === undefined ? '$(newest)' : word(wanted)}
if [ -e "${UNDO}/$run.1.sh" ]; then printf 'run=%s\\n' "$run"; fi
if [ -r /var/lib/vestal/last-run ]; then printf 'last=%s\\n' "$(cat /var/lib/vestal/last-run)"; fi
for name in ${words([...PROGRAMS])}; do
  link=/opt/vestal/$name/current
  if [ -L "$link" ]; then now=$(readlink "$link"); printf 'now-%s=%s\\n' "$name" "\${now##*/}"; fi
  if [ -n "$run" ] && [ -L "${BACKUPS}/$run$link" ]; then
    before=$(readlink "${BACKUPS}/$run$link")
    printf 'before-%s=%s\\n' "$name" "\${before##*/}"
    if [ ! -d "$before" ]; then printf 'gone=%s %s\\n' "$name" "\${before##*/}"; fi
    if [ "$name" = prometheus ] && [ -d ${word(`${storage}/snapshots`)}/vestal-"\${before##*/}" ]; then echo snapshot=yes; fi
  fi
done
exit 0`

/**
 * Why hosts cannot go back: nothing to take back, changed since, a release that is gone, or data that the earlier version cannot read and no
 * snapshot that may be put in its place.
 */
export const barred = (ways: readonly WayBack[], restoreData: boolean): readonly Mistake[] =>
  ways.flatMap(({ host, run, lastRun, now, before, gone, snapshot }): readonly Mistake[] => {
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
    const [newer, older] = [now.prometheus, before.prometheus]
    if (newer && older && isOneWay(older, newer) && !(restoreData && snapshot))
      bars.push({
        where,
        what: `Prometheus ${older} cannot read what ${newer} has written (2.55 is the oldest that can)`,
        fix: snapshot
          ? 'Say --restore-data: the snapshot from before the upgrade takes the place of the data, which is kept beside it. What was scraped since is then not seen.'
          : 'There is no snapshot from before. Go to 2.55 by rolling-upgrade, or stay.',
      })
    const [silences, reader] = [now.alertmanager, before.alertmanager]
    if (silences && reader && UNREADABLE.includes(silences) && compare(reader, silences) < 0)
      bars.push({
        where,
        what: `Alertmanager ${reader} cannot read the silences that ${silences} has written (alertmanager#5330)`,
        fix: 'Go to 0.32.3 or 0.33.1 first, which write what older ones read.',
      })
    return bars
  })

/** Takes a host's change back, by the way that the run itself left there; asks afterwards whether the roles serve, whatever they run. */
export const earlierState = (ways: readonly WayBack[], roles: readonly Role[]): Role =>
  role({
    name: 'earlier-state',
    summary: 'What a host ran before a run changed it.',
    vars: z.looseObject({}),
    tasks({ host }) {
      const way = ways.find((one) => one.host.name === host.name)
      return way
        ? [command(`take back what run ${way.run} changed`, goBack(way), { unless: gone(way), interrupts: true })]
        : []
    },
    healthy: ({ host, inventory }) => rolesOn(host, roles).flatMap((one) => one.serves(scopeOf(one, host, inventory))),
  })

const gone = ({ run }: WayBack): string => `[ ! -e ${UNDO}/${word(run)}.1.sh ]`

/** Newest part first. A part that was taken back is gone, so that a rollback that was cut off can go on. */
const goBack = (way: WayBack): string => `run=${word(way.run)}
${dataBack(way)}number=1
while [ -e "${UNDO}/$run.$((number + 1)).sh" ]; do number=$((number + 1)); done
while [ "$number" -ge 1 ]; do
  sh "${UNDO}/$run.$number.sh"
  rm -f "${UNDO}/$run.$number.sh"
  number=$((number - 1))
done`

/** The data of the newer version goes where the snapshot was. */
const dataBack = ({ host, now, before, snapshot }: WayBack): string => {
  const [newer, older] = [now.prometheus, before.prometheus]
  if (!snapshot || !newer || !older || !isOneWay(older, newer)) return ''
  const { storage_dir } = prometheus.varsOf(host)
  return `systemctl stop prometheus.service
cd ${word(storage_dir)}
aside=snapshots/vestal-${newer}
if [ ! -d "$aside" ]; then
  mkdir "$aside.new"
  chown --reference=. "$aside.new"
  chmod --reference=. "$aside.new"
  find . -mindepth 1 -maxdepth 1 ! -name snapshots -exec mv -t "$aside.new" -- {} +
  mv -T "$aside.new" "$aside"
  find ${word(`snapshots/vestal-${older}`)} -mindepth 1 -maxdepth 1 -exec mv -t . -- {} +
  rmdir ${word(`snapshots/vestal-${older}`)}
fi
`
}
