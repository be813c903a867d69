/** What a machine holds and runs, to be compared over time. */
import { onHost } from '../vestal.ts'

export interface Snapshot {
  /** Every file by path: type, mode, owner, size, times of content and of status, link text. */
  readonly files: ReadonlyMap<string, string>
  /** SHA-256 of every file below /etc, by path. */
  readonly etc: ReadonlyMap<string, string>
  /** Every process outside of SSH sessions: its id, start time and command line. */
  readonly processes: readonly string[]
  /** The InvocationID and main process of each of Vestal's services; systemd gives a new id at every start. */
  readonly services: Readonly<Record<string, string>>
}
export const SERVICES = ['prometheus', 'alertmanager', 'node_exporter'] as const

/**
 * Where a running machine writes by itself: its journal, logins and timers, and the services' own data. /proc, /sys, /dev and /run
 * are other file systems and not looked at, save what Vestal keeps in /run/vestal.
 */
const NOISE = [
  '/proc',
  '/sys',
  '/dev',
  '/run',
  '/var/log',
  '/var/lib/systemd',
  '/var/lib/prometheus/*',
  '/var/lib/alertmanager/*',
]

/** Reads all that, as root. */
export const snapshot = async (host: string): Promise<Snapshot> => {
  const printed = await onHost(
    host,
    `skip() { find "$@" -xdev \\( ${NOISE.map((path) => `-path '${path}'`).join(' -o ')} \\) -prune -o -printf '%p\\t%y %m %u:%g %s %T@ %C@ %l\\0'; }
skip /
if [ -e /run/vestal ]; then skip /run/vestal; fi
printf '#\\0'
find /etc -xdev -type f -exec sha256sum -z -- {} +
printf '#\\0'
ps -eww -o pid= -o lstart= -o cgroup:200= -o args= | grep -v -e '/ssh.service' -e '/user.slice' -e '\\[kworker' | tr '\\n' '\\0'
printf '#\\0'
for unit in ${SERVICES.join(' ')}; do
  printf '%s=%s %s\\0' $unit "$(systemctl show -P InvocationID $unit)" "$(systemctl show -P MainPID $unit)"
done`,
  )
  const [files = '', etc = '', processes = '', services = ''] = printed.split('#\0')
  return {
    files: pairs(files, '\t'),
    etc: new Map([...pairs(etc, '  ')].map(([sum, path]) => [path, sum])),
    processes: processes.split('\0').filter(Boolean),
    services: Object.fromEntries(pairs(services, '=')),
  }
}

/** The paths that came, went or changed in any way between two snapshots, in order. */
export const changedPaths = (before: Snapshot, after: Snapshot): readonly string[] =>
  [...new Set([...before.files.keys(), ...after.files.keys()])]
    .filter((path) => before.files.get(path) !== after.files.get(path))
    .sort()

const pairs = (records: string, between: string): ReadonlyMap<string, string> =>
  new Map(
    records
      .split('\0')
      .filter(Boolean)
      .map((record) => {
        const at = record.indexOf(between)
        return [record.slice(0, at), record.slice(at + between.length)]
      }),
  )
