/** What `check` reads of a host in one exec: facts, disks, who listens where. It changes nothing. */
import { randomBytes } from 'node:crypto'
import { compare } from '../engine/compare.ts'
import { factsProbe, parseFacts } from '../engine/facts.ts'
import { frame } from '../engine/frame.ts'
import { lockFunctions } from '../engine/lock.ts'
import { probeTasks, readTasks } from '../engine/probe.ts'
import { LinkError } from '../errors.ts'
import type { Connection, Facts, Needs, Refusal, Task } from '../model.ts'
import { taskId } from '../model.ts'
import { words } from '../shell.ts'
import { understood } from '../understood.ts'

export interface Survey {
  readonly facts: Facts
  /** How long the reading took: the clock's skew is known to half of it. */
  readonly ms: number
  readonly uid: number
  readonly memoryBytes: number
  /** By the folder that was asked about, of the file system it is or would be on. */
  readonly disks: ReadonlyMap<string, Disk>
  readonly listeners: readonly Listener[]
  /** Tasks of its roles that root will not do there as the host is. */
  readonly refused: readonly (Refusal & { readonly task: string })[]
  /** Whether SSH leads to its ports. */
  readonly forwards: boolean
  /** The host's own IP addresses; IPv6 ones as 32 hex digits. */
  readonly addresses: readonly string[]
  /** What names resolve to on the host. */
  readonly names: ReadonlyMap<string, readonly string[]>
}
export interface Disk {
  readonly freeBytes: number
  readonly sizeBytes: number
  readonly inodes: number
  readonly freeInodes: number
}
export interface Listener {
  readonly protocol: 'tcp' | 'udp'
  readonly port: number
  readonly pid: number
  /** The kernel's name of the process. */
  readonly name: string
  /** The systemd unit it belongs to, or ''. */
  readonly unit: string
  readonly command: readonly string[]
}

/** Something listens there on most hosts; it is asked for no more than whether it may be reached. */
const SSH_PORT = 22

export interface SurveyOptions {
  /** Names that are resolved on the host. */
  readonly names: readonly string[]
  /** Tasks that the host may refuse. */
  readonly tasks?: readonly Task[]
}

/** Throws LinkError where the link is lost, SudoError and HostError where the account can't do it or the answer makes no sense. */
export const surveyHost = async (
  connection: Connection,
  needs: Needs,
  { names, tasks = [] }: SurveyOptions,
): Promise<Survey> => {
  const marks = frame(randomBytes(8).toString('hex'))
  const parts = {
    facts: `${lockFunctions}\n${factsProbe}`,
    machine: machineScript(needs.folders ?? []),
    sockets: socketScript(needs),
    net: netScript(names),
  }
  const script = [
    ...Object.entries(parts).flatMap(([name, text]) => [marks.mark(name), `(\n${text}\n) </dev/null`]),
    ...probeTasks(tasks, marks),
  ]
  const sentAt = Date.now()
  const [{ stdout, stderr, code }, forwards] = await Promise.all([
    connection.exec([...script, marks.mark('end')].join('\n'), { within: '4m' }),
    connection.forwards(needs.ports?.[0]?.port ?? SSH_PORT),
  ])
  const receivedAt = Date.now()
  const read = marks.split(stdout)
  const body = (event: string): Buffer => read.find((one) => one.event === event)?.body ?? Buffer.alloc(0)
  if (!read.some(({ event }) => event === 'end')) {
    throw new LinkError(connection.host.name, `the reading was cut off (exit code ${code}): ${stderr.trim()}`)
  }
  return understood(connection.host.name, 'itself', () => ({
    facts: parseFacts(body('facts'), sentAt, receivedAt),
    ms: receivedAt - sentAt,
    ...machineOf(lines(body('machine'))),
    listeners: listenersOf(lines(body('sockets'))),
    refused: refusedOf(tasks, readTasks(connection.host.name, tasks, read)),
    forwards,
    ...netOf(lines(body('net'))),
  }))
}

const refusedOf = (tasks: readonly Task[], { states, refused }: ReturnType<typeof readTasks>): Survey['refused'] =>
  tasks.flatMap((task) => {
    const id = taskId(task)
    const one = refused.get(id)
    return one && compare(task, states.get(id) ?? null) ? [{ task: id, ...one }] : []
  })

const machineScript = (folders: readonly string[]): string => `printf 'uid %s\\n' "$(id -u)"
while read -r name value rest; do [ "$name" != MemTotal: ] || printf 'memory %s\\n' "$value"; done </proc/meminfo
for folder in ${words(folders)}; do
  at=$folder
  while [ ! -e "$at" ]; do at=\${at%/*}; at=\${at:-/}; done
  stat -f --printf='disk %a %S %b %c %d ' "$at" && printf '%s\\n' "$folder"
done`

/** Sockets are found by port in proc(5)'s tables (0A: listens, 07: a bound UDP socket), their owners by the sockets' inodes. */
const socketScript = ({ ports = [] }: Needs): string => {
  if (ports.length === 0) return ':'
  const hex = [...new Set(ports.map(({ port }) => port.toString(16).toUpperCase().padStart(4, '0')))].join('|')
  const table = (protocol: string, state: string) =>
    `grep -hE '^ *[0-9]+: [0-9A-F]+:(${hex}) [0-9A-F]+:0000 ${state} ' /proc/net/${protocol} /proc/net/${protocol}6 2>/dev/null |
  while read -r n here there state q t r user late inode rest; do printf 'socket ${protocol} %s %s\\n' "\${here##*:}" "$inode"; done`
  return `sockets=$(${table('tcp', '0A')}
${table('udp', '07')})
[ -n "$sockets" ] || exit 0
printf '%s\\n' "$sockets"
inodes=$(printf '%s\\n' "$sockets" | while read -r a b c inode; do printf 'socket:[%s]\\n' "$inode"; done)
seen=
find /proc/[0-9]*/fd -maxdepth 1 -lname 'socket:*' -printf '%p %l\\n' 2>/dev/null | grep -F "$inodes" |
while read -r path link; do
  pid=\${path#/proc/}; pid=\${pid%%/*}
  printf 'owner %s %s\\n' "$pid" "$link"
  case $seen in *" $pid "*) continue ;; esac
  seen="$seen $pid "
  read -r name <"/proc/$pid/comm"
  unit=
  while IFS= read -r line; do case $line in *.service|*.service/*) unit=\${line%%.service*}.service; unit=\${unit##*/} ;; esac; done <"/proc/$pid/cgroup"
  printf 'process %s %s %s\\n' "$pid" "\${unit:--}" "$name"
  tr '\\0\\n' '\\n ' <"/proc/$pid/cmdline" | while IFS= read -r one; do printf 'word %s %s\\n' "$pid" "$one"; done
done`
}

const netScript = (
  names: readonly string[],
): string => `grep -B1 '/32 host LOCAL' /proc/net/fib_trie 2>/dev/null | while read -r bar address rest; do
  [ "$bar" != '|--' ] || printf 'address %s\\n' "$address"
done
while read -r address rest; do printf 'address %s\\n' "$address"; done </proc/net/if_inet6 2>/dev/null
for name in ${words(names)}; do
  getent ahosts "$name" | while read -r address rest; do printf 'name %s %s\\n' "$name" "$address"; done
done`

const lines = (body: Buffer): readonly (readonly string[])[] =>
  body
    .toString()
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split(' '))

const machineOf = (found: readonly (readonly string[])[]): Pick<Survey, 'uid' | 'memoryBytes' | 'disks'> => {
  const number = (name: string): number => count(found.find(([one]) => one === name)?.[1], name)
  const disks = found
    .filter(([name]) => name === 'disk')
    .map(([, free, block, size, inodes, freeInodes, ...path]): [string, Disk] => [
      path.join(' '),
      {
        freeBytes: count(free, 'disk') * count(block, 'disk'),
        sizeBytes: count(size, 'disk') * count(block, 'disk'),
        inodes: count(inodes, 'disk'),
        freeInodes: count(freeInodes, 'disk'),
      },
    ])
  return { uid: number('uid'), memoryBytes: number('memory') * 1024, disks: new Map(disks) }
}

/** What the kernel counts. Throws an Error for anything else. */
const count = (text: string | undefined, of: string): number => {
  if (text === undefined || !/^\d{1,20}$/.test(text))
    throw new Error(`its ${of} is ${JSON.stringify(text?.slice(0, 40))}`)
  return Number(text)
}

const listenersOf = (found: readonly (readonly string[])[]): readonly Listener[] => {
  const of = (kind: string) => found.filter(([one]) => one === kind).map(([, ...rest]) => rest)
  const owners = new Map(of('owner').map(([pid = '', inode = '']) => [inode, pid]))
  const processes = new Map(
    of('process').map(([pid = '', unit = '', ...name]) => [pid, { unit, name: name.join(' ') }]),
  )
  const commands = Map.groupBy(of('word'), ([pid]) => pid)
  const all = of('socket').map(([protocol, port = '', inode]): Listener => {
    const pid = owners.get(`socket:[${inode}]`) ?? ''
    const process = processes.get(pid)
    return {
      protocol: protocol === 'udp' ? 'udp' : 'tcp',
      port: Number.parseInt(port, 16),
      pid: Number(pid),
      name: process?.name ?? 'the kernel',
      unit: !process || process.unit === '-' ? '' : process.unit,
      command: (commands.get(pid) ?? []).map(([, ...words]) => words.join(' ')),
    }
  })
  return [...new Map(all.map((one) => [`${one.protocol} ${one.port} ${one.pid}`, one])).values()]
}

const netOf = (found: readonly (readonly string[])[]): Pick<Survey, 'addresses' | 'names'> => {
  const names = Map.groupBy(
    found.filter(([kind]) => kind === 'name'),
    ([, name = '']) => name,
  )
  const distinct = (rows: typeof found, at: number) => [...new Set(rows.flatMap((row) => row[at] ?? []))]
  return {
    addresses: distinct(
      found.filter(([kind]) => kind === 'address'),
      1,
    ),
    names: new Map([...names].map(([name, rows]) => [name, distinct(rows, 2)])),
  }
}
