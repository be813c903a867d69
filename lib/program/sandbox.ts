import { unitPath } from './release.ts'

interface Setting {
  readonly value: string | readonly string[]
  /** The first version of systemd that knows it; an older one says so in its journal and goes on without it. */
  readonly since: number
  /** What a service can't do under it. */
  readonly forbids: string
}

/**
 * What no service of ours may do, unless its role says that its work needs it. Source of the versions: systemd.exec(5), "History", and systemd's
 * NEWS. `ProcSubset=pid` isn't here: it hides `/proc/sys/net/core/somaxconn`, without which Go lets 128 connections wait and not 4096.
 */
export const SANDBOX = {
  AmbientCapabilities: { value: '', since: 229, forbids: 'start with a privilege of root' },
  CapabilityBoundingSet: { value: '', since: 183, forbids: 'have or gain any privilege of root' },
  LockPersonality: { value: 'yes', since: 235, forbids: 'change the kernel’s execution domain' },
  MemoryDenyWriteExecute: { value: 'yes', since: 231, forbids: 'make memory that is written to executable' },
  NoNewPrivileges: { value: 'yes', since: 187, forbids: 'gain rights by a setuid program' },
  PrivateDevices: { value: 'yes', since: 209, forbids: 'open disks and other devices' },
  PrivateIPC: { value: 'yes', since: 248, forbids: 'share memory with other services (System V IPC, message queues)' },
  PrivateMounts: { value: 'yes', since: 239, forbids: 'let others see what it mounts' },
  PrivateTmp: { value: 'yes', since: 183, forbids: 'see the temporary files of others' },
  PrivateUsers: { value: 'yes', since: 232, forbids: 'act as an account other than its own and root’s shadow' },
  ProtectClock: { value: 'yes', since: 245, forbids: 'set the clock' },
  ProtectControlGroups: { value: 'yes', since: 232, forbids: 'change control groups' },
  ProtectHome: { value: 'yes', since: 214, forbids: 'see home folders' },
  ProtectHostname: { value: 'yes', since: 242, forbids: 'change the host’s name' },
  ProtectKernelLogs: { value: 'yes', since: 244, forbids: 'read the kernel’s log' },
  ProtectKernelModules: { value: 'yes', since: 232, forbids: 'load kernel modules' },
  ProtectKernelTunables: { value: 'yes', since: 232, forbids: 'change kernel settings' },
  ProtectProc: { value: 'invisible', since: 247, forbids: 'see the processes of other accounts' },
  ProtectSystem: { value: 'strict', since: 232, forbids: 'write outside its own folders' },
  RemoveIPC: { value: 'yes', since: 232, forbids: 'leave shared memory behind' },
  RestrictAddressFamilies: {
    value: 'AF_INET AF_INET6 AF_NETLINK AF_UNIX',
    since: 211,
    forbids: 'open raw packets, Bluetooth and other kinds of sockets',
  },
  RestrictNamespaces: { value: 'yes', since: 233, forbids: 'make namespaces' },
  RestrictRealtime: { value: 'yes', since: 231, forbids: 'keep the processor to itself' },
  RestrictSUIDSGID: { value: 'yes', since: 242, forbids: 'make setuid files' },
  SystemCallArchitectures: { value: 'native', since: 209, forbids: 'call the kernel as a 32-bit program' },
  SystemCallErrorNumber: { value: 'EPERM', since: 209, forbids: '' },
  SystemCallFilter: {
    value: ['@system-service', '~@privileged @resources @setuid'],
    since: 239,
    forbids: 'mount, trace, reboot, load modules, become another account, change ownership or priorities',
  },
  UMask: { value: '0027', since: 183, forbids: 'make files that everybody reads' },
} as const satisfies Readonly<Record<string, Setting>>

type SandboxName = keyof typeof SANDBOX

export interface Needs {
  /** Folders that it writes to; nothing in them is ever run. All else is read-only. */
  readonly writes?: readonly string[]
  /** Settings that its work needs otherwise, null to go without one. */
  readonly otherwise?: Readonly<Partial<Record<SandboxName | 'DevicePolicy', string | readonly string[] | null>>>
}

/**
 * Lines of a unit's [Service] section that leave a service only what its work needs. Where it may write, nothing can be run or loaded
 * (`NoExecPaths=`, systemd 248). An older systemd passes over lines that it doesn't know.
 */
export const sandbox = ({ writes = [], otherwise = {} }: Needs = {}): readonly string[] => {
  const usual = Object.fromEntries(Object.entries(SANDBOX).map(([name, { value }]) => [name, value]))
  const folders = writes.map(unitPath)
  return [
    ...Object.entries({ ...usual, ...otherwise }).flatMap(([name, value]) =>
      value === null ? [] : [value].flat().map((one) => `${name}=${one}`),
    ),
    ...(folders.length === 0 ? [] : [`ReadWritePaths=${folders.join(' ')}`]),
    `NoExecPaths=${[...folders, '-/dev/shm', '-/run', '-/tmp', '-/var/tmp'].join(' ')}`,
  ]
}
