/** What can be wrong with one machine, whatever it is for. */
import { showMilliseconds } from '../duration.ts'
import { archMistake, OLDEST_SYSTEMD, systemdMistake } from '../engine/facts.ts'
import { lockText } from '../engine/lock.ts'
import { type HostError, SudoError } from '../errors.ts'
import type { Host, Needs } from '../model.ts'
import type { Rule } from './finding.ts'
import type { Disk, Survey } from './survey.ts'

export interface HostFacts {
  readonly host: Host
  readonly needs: Needs
  readonly survey: Survey | HostError
}
export interface HostsFacts {
  readonly hosts: readonly HostFacts[]
}

/** Clocks further apart than this make silences and `for:` durations come out wrong. */
const LARGEST_SKEW_MS = 5_000
const MIB = 1024 * 1024
/** A release is some 200 MiB unpacked, and stands beside its tarball for a moment. */
const FULL_BYTES = 512 * MIB
const LOW_BYTES = 2048 * MIB

export const hostRules: readonly Rule<HostsFacts>[] = [
  {
    id: 'unreachable',
    severity: 'error',
    why: 'Nothing can be deployed there, and nothing is known of it.',
    fix: 'Try to log in by hand with the same user and key.',
    find: ({ hosts }) =>
      hosts.flatMap(({ host, survey }) =>
        survey instanceof Error && !(survey instanceof SudoError)
          ? [{ hosts: [host.name], what: survey.message, fix: survey.hint }]
          : [],
      ),
  },
  {
    id: 'sudo',
    severity: 'error',
    why: 'Packages, users, units and files below /etc are root’s.',
    fix: 'Set `ansible_become: true` and let the account use sudo, or log in as root.',
    find: ({ hosts }) => [
      ...hosts.flatMap(({ host, survey }) =>
        survey instanceof SudoError ? [{ hosts: [host.name], what: survey.message, fix: survey.hint }] : [],
      ),
      ...read(hosts, ({ survey: { uid } }) => (uid === 0 ? [] : [`scripts run there as user ${uid}, not as root`])),
    ],
  },
  {
    id: 'architecture',
    severity: 'error',
    why: 'The binaries for one processor do not start on another.',
    fix: 'Set `vestal: {arch: …}` for this host to what it is.',
    find: ({ hosts }) =>
      read(hosts, ({ host, survey: { facts } }) => [archMistake(host, facts)].filter((one) => one !== null)),
  },
  {
    id: 'systemd',
    severity: 'error',
    why: 'Services are systemd units, and what they have loaded is read from systemd’s times.',
    fix: `Use a system that runs systemd ${OLDEST_SYSTEMD} or later as PID 1.`,
    find: ({ hosts }) => read(hosts, ({ survey: { facts } }) => [systemdMistake(facts)].filter((one) => one !== null)),
  },
  {
    id: 'locked',
    severity: 'error',
    why: 'Another run is changing the host, or hangs there; a deploy would wait and then refuse.',
    fix: 'Wait for that run to end, or take the lock with `--break-lock`.',
    find: ({ hosts }) =>
      read(hosts, ({ survey: { facts } }) =>
        facts.lock ? [`${lockText(facts.lock)}, for ${ageOf(facts.lock.since)}`] : [],
      ),
  },
  {
    id: 'clock',
    severity: 'error',
    why: 'Silences start, end and overwrite each other by their timestamps, and alerts end by theirs: a host with another time undoes what the others do.',
    fix: 'Run an NTP client (chrony, systemd-timesyncd) on every host.',
    find: ({ hosts }) => {
      const usual = usualSkew(hosts)
      return read(hosts, ({ survey: { facts, ms } }) => {
        const off = facts.clockSkewMs - usual
        if (Math.abs(off) - ms / 2 <= LARGEST_SKEW_MS) return []
        const than = usual === 0 ? 'this machine’s' : 'most others’'
        return [`its clock is ${showMilliseconds(Math.abs(off))} ${off > 0 ? 'ahead of' : 'behind'} ${than}`]
      })
    },
  },
  {
    id: 'disk-full',
    severity: 'error',
    why: 'What a service cannot write it loses, samples and silences among it, and a release can’t be unpacked.',
    fix: 'Make room, or give the folder a larger file system.',
    find: ({ hosts }) =>
      disks(hosts, ({ freeBytes, inodes, freeInodes }) => {
        if (freeBytes < FULL_BYTES) return `only ${mib(freeBytes)} free (at least ${mib(FULL_BYTES)})`
        return inodes > 0 && freeInodes < 1_000 ? `only ${freeInodes} inodes free` : null
      }),
  },
  {
    id: 'disk-low',
    severity: 'warning',
    why: 'It will be full soon, and then samples and silences are lost.',
    fix: 'Make room, or give the folder a larger file system.',
    find: ({ hosts }) =>
      disks(hosts, ({ freeBytes }) =>
        freeBytes >= FULL_BYTES && freeBytes < LOW_BYTES
          ? `only ${mib(freeBytes)} free (better ${mib(LOW_BYTES)})`
          : null,
      ),
  },
  {
    id: 'retention-room',
    severity: 'warning',
    why: 'The disk is full before the oldest samples are removed.',
    fix: 'Let its role keep less than the file system holds, with room for a write-ahead log: `retention.size`.',
    find: ({ hosts }) =>
      read(hosts, ({ needs: { folders = [], roomBytes = 0 }, survey }) => {
        const size = survey.disks.get(folders[0] ?? '')?.sizeBytes
        return size !== undefined && roomBytes > size
          ? [`${folders[0]} may take ${mib(roomBytes)}, its file system has ${mib(size)}`]
          : []
      }),
  },
  {
    id: 'memory',
    severity: 'warning',
    why: 'The limits can’t all be used: the kernel ends processes before one is reached.',
    fix: 'Lower `memory_max`, or give the machine more memory.',
    find: ({ hosts }) =>
      read(hosts, ({ needs: { memoryBytes = 0 }, survey }) =>
        memoryBytes > survey.memoryBytes
          ? [`services may take ${mib(memoryBytes)}, the machine has ${mib(survey.memoryBytes)}`]
          : [],
      ),
  },
  {
    id: 'no-forwarding',
    severity: 'warning',
    why: 'Services are asked by a bash of the host instead, a few at a time; and no canary of a watched run comes back from it.',
    fix: 'Set `AllowTcpForwarding yes` in its sshd_config for this account (a `Match User` block does), and no `DisableForwarding`.',
    find: ({ hosts }) =>
      read(hosts, ({ survey: { forwards } }) => (forwards ? [] : ['its sshd forbids that ports are forwarded'])),
  },
  {
    id: 'way-of-another',
    severity: 'error',
    why: 'Who owns a folder can put a link in it while root works below: root works only where every folder on the way is its own, so a deploy ends before its first change.',
    fix: 'Let root own the folders on the way, or name another folder in the role’s settings.',
    find: ({ hosts }) =>
      hosts.flatMap(({ host, survey }) =>
        survey instanceof Error
          ? []
          : survey.refused.map(({ task, why, fix }) => ({ hosts: [host.name], what: `${task}: ${why}`, fix })),
      ),
  },
  {
    id: 'port-taken',
    severity: 'error',
    why: 'The service could not listen and would crash at start.',
    fix: 'Stop that program, or give the role another port with `listen`.',
    find: ({ hosts }) =>
      read(hosts, ({ needs: { ports = [] }, survey }) =>
        ports.flatMap(({ port, protocol, unit, until = [] }) =>
          survey.listeners
            .filter((one) => one.port === port && one.protocol === protocol && ![unit, ...until].includes(one.unit))
            .map(
              ({ name, pid, unit: of }) =>
                `${protocol} port ${port} of ${unit} is taken by ${name} (pid ${pid}${of ? `, ${of}` : ''})`,
            ),
        ),
      ),
  },
]

/** Every host that could be surveyed, and what is said of it. */
const read = (hosts: readonly HostFacts[], say: (one: HostFacts & { readonly survey: Survey }) => readonly string[]) =>
  hosts.flatMap(({ host, needs, survey }) =>
    survey instanceof Error ? [] : say({ host, needs, survey }).map((what) => ({ hosts: [host.name], what })),
  )

const disks = (hosts: readonly HostFacts[], say: (disk: Disk) => string | null) =>
  read(hosts, ({ survey }) =>
    [...survey.disks].flatMap(([folder, disk]) => {
      const what = say(disk)
      return what === null ? [] : [`${folder}: ${what}`]
    }),
  )

const ageOf = (since: string): string => {
  const at = Date.parse(since)
  return Number.isNaN(at) ? 'a time that is not known' : showMilliseconds(Math.max(0, Date.now() - at))
}

/** How far most hosts are from this machine's clock: where they agree among each other, it is this one that is off. */
const usualSkew = (hosts: readonly HostFacts[]): number => {
  const skews = hosts
    .flatMap(({ survey }) => (survey instanceof Error ? [] : [survey.facts.clockSkewMs]))
    .sort((one, other) => one - other)
  const middle = skews[Math.floor(skews.length / 2)] ?? 0
  return skews.length >= 3 && Math.abs(middle) > LARGEST_SKEW_MS ? middle : 0
}

const mib = (bytes: number): string =>
  bytes >= 1024 * MIB ? `${(bytes / 1024 / MIB).toFixed(1)} GiB` : `${Math.round(bytes / MIB)} MiB`
