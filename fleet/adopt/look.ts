/** What runs on a host and what it was started with, in one exec that changes nothing. What a host says is read here and nowhere else. */
import { posix } from 'node:path'
import { HostError } from '../../lib/errors.ts'
import type { Connection, Host } from '../../lib/model.ts'
import { propertiesIn } from '../../lib/properties.ts'
import { word } from '../../lib/shell.ts'
import { understood } from '../../lib/understood.ts'
import { commandFlags } from './command-flags.ts'
import { type Mounted, mountsIn, pathOnHost } from './mounts.ts'

/** A file as a host has it. */
export interface FoundFile {
  readonly path: string
  readonly mode: string
  readonly user: string
  readonly group: string
  /** Its text; undefined where it is no text, or larger than is read: `why` says which. */
  readonly text?: string
  readonly why?: string
}
/** A process that is, by its own `--version`, of a program of the Prometheus project's kind; or looks like one and isn't. */
export interface FoundProcess {
  readonly pid: number
  /** Its program's name and version as it says them, `2.42.0` for `2.42.0+ds`; null where it doesn't say so in the project's way. */
  readonly program: { readonly name: string; readonly version: string } | null
  /** Its file, links resolved. */
  readonly executable: string
  readonly user: string
  /** The systemd unit that it is of; of one in a container, what runs that and the container's number. Empty where it is of none. */
  readonly unit: string
  /** What runs it, where that is no unit of the host's: `docker`, or `another root file system`. */
  readonly container: string
  /** Of one in a container: what is mounted there and on the host, and whose its network is. */
  readonly mounted?: Mounted & { readonly network: 'host' | 'own' }
  readonly folder: string
  readonly command: readonly string[]
  /** What its own help says of paths that it takes without a flag: distributions have others than upstream. */
  readonly usual: ReadonlyMap<string, string>
}
export interface FoundUnit {
  readonly name: string
  /** systemd's properties of it. */
  readonly properties: Readonly<Record<string, string>>
  /** Its file, its drop-ins and its files of environment, in the order in which systemd reads them. */
  readonly paths: readonly string[]
  /** What else runs in it: the names of processes that the kernel has for them. */
  readonly others: readonly string[]
}
/** All that was seen on a host. */
export interface Look {
  readonly host: Host
  /** What it calls itself, and its addresses. */
  readonly names: readonly string[]
  readonly processes: readonly FoundProcess[]
  readonly units: readonly FoundUnit[]
  /** Unit files of such programs, of which nothing runs. */
  readonly idle: readonly string[]
  readonly files: ReadonlyMap<string, FoundFile>
  /** Folders of data by path: whose each is, and who else than root owns a folder on the way to it (`root` for nobody). */
  readonly folders: ReadonlyMap<string, { readonly user: string; readonly way: string }>
}

/** More than this of one file is not read: it is no configuration. */
const MOST_BYTES = 4 * 1024 * 1024
const MOST_OUTPUT = 64 * 1024 * 1024
const MOST_PROCESSES = 100
const MOST_FILES = 2_000

/** Looks at a host. Throws HostError where it can't be asked or says what makes no sense, LinkError where the link is lost. */
export const lookAt = async (connection: Connection): Promise<Look> => {
  const look = readAll(connection, await ran(connection, LOOK))
  const { files, folders } = await mountedIn(connection, look)
  return { ...look, files: new Map([...look.files, ...files]), folders: new Map([...look.folders, ...folders]) }
}

/** The configurations and folders of data of programs in containers, where the host itself has them: a path in a container is a stranger's. */
const mountedIn = async (connection: Connection, { processes }: Look): Promise<Pick<Look, 'files' | 'folders'>> => {
  const asked = processes.flatMap(({ mounted, program, command, usual, folder }) => {
    if (!mounted || !program) return []
    const { flags } = commandFlags(command)
    const paths = (names: readonly string[], otherwise?: string): readonly string[] => {
      const [named = otherwise] = names.map((name) => flags.get(name)?.at(-1) ?? usual.get(name)).filter(Boolean)
      const path = typeof named === 'string' ? pathOnHost(posix.resolve(folder, named), mounted) : undefined
      return path === undefined ? [] : [path]
    }
    return [
      ...paths(['config.file'], `${program.name}.yml`).map((path) => `maybe ${word(path)}`),
      ...paths(['web.config.file', 'web.config']).map((path) => `maybe ${word(path)}`),
      ...paths(['storage.tsdb.path', 'storage.path'], 'data').map((path) => `folder ${word(path)}`),
    ]
  })
  if (asked.length === 0) return { files: new Map(), folders: new Map() }
  const said = await ran(connection, `${FUNCTIONS}\n${FOLDERS}\n${asked.join('\n')}\nprintf 'end\\n'`)
  return understood(connection.host.name, 'what is mounted into containers', () => {
    const all = linesOf(said)
    const odd = all.find(([first = '']) => !['file', 'folder'].includes(first))
    if (odd) throw new Error(`it says ${JSON.stringify(odd[0]?.slice(0, 40))}`)
    return { files: filesIn(all), folders: foldersIn(all) }
  })
}

const readAll = ({ host }: Connection, said: Buffer): Look =>
  understood(host.name, 'what runs there', () => readLook(host, said))

/** What configuration files name: a path or a pattern, as Prometheus and Alertmanager expand one. */
export interface Wanted {
  readonly pattern: string
  /** False: who owns it and who may read it is all that is asked. */
  readonly text: boolean
}

/** The files behind patterns, one list for each. Throws as `lookAt` does. */
export const filesBehind = async (
  connection: Connection,
  wanted: readonly Wanted[],
): Promise<readonly (readonly FoundFile[])[]> => {
  if (wanted.length === 0) return []
  const asked = wanted.map(
    (
      { pattern, text },
      at,
    ) => `printf 'ask %s\\n' ${at}\nIFS=\nset +f\npattern=${word(pattern)}\nfor one in $pattern; do
  if [ -f "$one" ]; then ${text ? 'file' : 'owner'} "$one"; fi
done`,
  )
  const said = await ran(connection, `${FUNCTIONS}\n${asked.join('\n')}\nprintf 'end\\n'`)
  return understood(connection.host.name, 'its files', () => {
    const found = wanted.map((): FoundFile[] => [])
    let at = -1
    for (const words of linesOf(said)) {
      if (words[0] === 'ask') at = numberIn(words[1], wanted.length - 1)
      else if (words[0] === 'file' && found[at]) found[at]?.push(fileIn(words))
      else throw new Error(`it says ${JSON.stringify(words[0]?.slice(0, 40))}`)
    }
    if (found.flat().length > MOST_FILES) throw new Error(`it has more than ${MOST_FILES} files there`)
    return found
  })
}

const ran = async (connection: Connection, script: string): Promise<Buffer> => {
  const { code, stdout, stderr } = await connection.exec(script, { within: '2m', most: MOST_OUTPUT })
  if (code !== 0) throw new HostError(connection.host.name, `it could not be looked at: ${stderr.trim().slice(0, 500)}`)
  return stdout
}

/** Each line is words; all that a host could choose freely is in base64. */
const FUNCTIONS = `LC_ALL=C
export LC_ALL
b() { printf '%s' "$1" | base64 -w0; }
owner() { printf 'file %s %s -\\n' "$(b "$1")" "$(stat -Lc '%a %U %G %s' -- "$1")"; }
file() { printf 'file %s %s +%s\\n' "$(b "$1")" "$(stat -Lc '%a %U %G %s' -- "$1")" "$(head -c ${MOST_BYTES} -- "$1" | base64 -w0)"; }
maybe() { if [ -f "$1" ]; then file "$1"; fi; }`

const FOLDERS = `way() {
  who=root at=$(readlink -f -- "$1")
  while at=\${at%/*}; [ -n "$at" ]; do
    one=$(stat -c %U -- "$at")
    [ "$one" = root ] || who=$one
  done
  printf '%s' "$who"
}
folder() { if [ -d "$1" ]; then printf 'folder %s %s %s\\n' "$(b "$1")" "$(stat -Lc %U -- "$1")" "$(way "$1")"; fi; }`

/** A program in a container is asked in there, as nobody, who can become nobody else: its image is a stranger's. The kernel lists what is mounted there. */
const INSIDE = `inside() { timeout 10 env -i PATH=/usr/bin:/bin setpriv --no-new-privs -- nsenter --target "$pid" --mount --uts --ipc --net --pid --root --wd --setuid=65534 --setgid=65534 -- /proc/self/fd/9 "$1" 9<"/proc/$pid/exe" 2>&1 || :; }
mounts() { grep -v ' - \\(proc\\|sysfs\\|tmpfs\\|cgroup2*\\|devpts\\|mqueue\\) ' "/proc/$1/mountinfo" 2>/dev/null | head -c 262144 | base64 -w0; }`

/**
 * Only a program of the host's own that has the Go package in it which prints versions for the Prometheus project is asked for its own: others may take `--version` for
 * anything. It is run as the account that runs it now, and as nobody where that is root, from the very file that the process has.
 */
const LOOK = `${FUNCTIONS}
${FOLDERS}
${INSIDE}
flag() { tr '\\0' '\\n' <"/proc/$1/cmdline" | sed -n "s/^--\\{0,1\\}$2=//p;/^--\\{0,1\\}$2\\$/{n;p;}" | head -n 1; }
setting() {
  value=$(flag "$1" "$2")
  [ -n "$value" ] || value=$(printf '%s\\n' "$usual" | sed -n "s/^$2=//p" | head -n 1)
  printf '%s' "$value"
}
usually() { sed -n 's/^ *--\\(config\\.file\\|storage\\.tsdb\\.path\\|storage\\.path\\|collector\\.textfile\\.directory\\)="\\([^"]*\\)".*/\\1=\\2/p' | head -c 4000; }
asked() { timeout 10 env -i PATH=/usr/bin:/bin setpriv --reuid="$uid" --regid="$gid" --clear-groups --inh-caps=-all --no-new-privs -- /proc/self/fd/9 "$1" 9<"/proc/$pid/exe" 2>&1 || :; }
printf 'name %s\\n' "$(b "$(cat /proc/sys/kernel/hostname)")"
printf 'name %s\\n' "$(b "$(hostname -f 2>/dev/null)")"
grep -B1 '/32 host LOCAL' /proc/net/fib_trie 2>/dev/null | while read -r bar address rest; do
  [ "$bar" != '|--' ] || printf 'name %s\\n' "$(b "$address")"
done
root=$(stat -Lc %d:%i /)
units=
for cmd in $(grep -laE 'config\\.file|listen-address|storage\\.|collector\\.|prometheus|alertmanager|exporter' /proc/[0-9]*/cmdline 2>/dev/null | head -n ${MOST_PROCESSES}); do
  pid=\${cmd#/proc/} pid=\${pid%/cmdline}
  exe=$(readlink "/proc/$pid/exe") || continue
  goes=
  if grep -qaF prometheus/common/version "/proc/$pid/exe" 2>/dev/null; then goes=yes; fi
  case $goes\${exe##*/} in yes*|*prometheus*|*alertmanager*|*exporter*) ;; *) continue ;; esac
  ids=$(stat -Lc '%u %g' "/proc/$pid") || continue
  uid=\${ids% *} gid=\${ids#* }
  if [ "$uid" = 0 ]; then uid=65534 gid=65534; fi
  where=same
  if [ "$(stat -Lc %d:%i "/proc/$pid/root/" 2>/dev/null)" != "$root" ]; then where=other; fi
  version= usual=
  if [ -n "$goes" ] && [ "$where" = same ]; then
    version=$(asked --version | head -c 2000)
    usual=$(asked --help | usually)
  fi
  if [ -n "$goes" ] && [ "$where" = other ]; then
    version=$(inside --version | head -c 2000)
    usual=$(inside --help | usually)
    network=own
    if [ "$(readlink "/proc/$pid/ns/net")" = "$(readlink /proc/1/ns/net)" ]; then network=host; fi
    printf 'mounts %s %s =%s =%s\\n' "$pid" "$network" "$(mounts "$pid")" "$(mounts 1)"
  fi
  group=$(cat "/proc/$pid/cgroup" 2>/dev/null | head -c 4000)
  cwd=$(readlink "/proc/$pid/cwd")
  who=$(stat -Lc %U "/proc/$pid") || continue
  printf 'process %s %s %s =%s =%s =%s =%s =%s =%s\\n' "$pid" "$where" "$who" "$(b "$exe")" "$(b "$group")" "$(b "$cwd")" "$(head -c 65536 "/proc/$pid/cmdline" | base64 -w0)" "$(b "$version")" "$(b "$usual")"
  [ "$where" = same ] || continue
  for name in 'config\\.file' 'web\\.config\\.file' 'web\\.config'; do
    path=$(setting "$pid" "$name")
    case $path in '') ;; /*) maybe "$path" ;; *) maybe "$cwd/$path" ;; esac
  done
  for name in 'storage\\.tsdb\\.path' 'storage\\.path' 'collector\\.textfile\\.directory'; do
    path=$(setting "$pid" "$name")
    case $path in '') path=$cwd/data ;; /*) ;; *) path=$cwd/$path ;; esac
    folder "$path"
  done
  unit=$(printf '%s\\n' "$group" | sed -n 's|.*/\\([^/]*\\.service\\).*|\\1|p' | head -n 1)
  case " $units " in *" $unit "*) ;; *) units="$units $unit" ;; esac
done
for unit in $units; do
  show=$(systemctl show --property=Id,FragmentPath,DropInPaths,EnvironmentFiles,User,Group,UnitFileState,ActiveState,NeedDaemonReload,ControlGroup -- "$unit" 2>/dev/null)
  printf 'unit %s =%s\\n' "$(b "$unit")" "$(b "$show")"
  printf '%s\\n' "$show" | sed -n 's/^FragmentPath=//p;s/^EnvironmentFiles=\\(.*\\) (ignore_errors=.*/\\1/p' | while IFS= read -r path; do
    maybe "$path"
  done
  for path in $(printf '%s\\n' "$show" | sed -n 's/^DropInPaths=//p'); do maybe "$path"; done
  group=$(printf '%s\\n' "$show" | sed -n 's/^ControlGroup=//p')
  for pid in $(cat "/sys/fs/cgroup$group/cgroup.procs" "/sys/fs/cgroup/systemd$group/cgroup.procs" 2>/dev/null | head -n ${MOST_PROCESSES}); do
    printf 'with %s %s =%s\\n' "$(b "$unit")" "$pid" "$(b "$(cat "/proc/$pid/comm" 2>/dev/null)")"
  done
done
for path in $(grep -lsE '^ExecStart=.*(prometheus|alertmanager|_exporter)' /etc/systemd/system/*.service /usr/local/lib/systemd/system/*.service /usr/lib/systemd/system/*.service /run/systemd/system/*.service | head -n ${MOST_PROCESSES}); do
  printf 'idle %s\\n' "$(b "\${path##*/}")"
done
printf 'end\\n'`

const readLook = (host: Host, said: Buffer): Look => {
  const all = linesOf(said)
  const of = (kind: string) => all.filter(([first]) => first === kind)
  const odd = all.find(
    ([first = '']) => !['name', 'process', 'mounts', 'unit', 'with', 'file', 'folder', 'idle'].includes(first),
  )
  if (odd) throw new Error(`it says ${JSON.stringify(odd[0]?.slice(0, 40))}`)
  const mounted = new Map(of('mounts').map(mountedOf))
  const processes = of('process')
    .map(processIn)
    .map((one) => (mounted.has(one.pid) ? { ...one, mounted: mounted.get(one.pid) } : one))
  const known = new Set(processes.map(({ pid }) => pid))
  const others = of('with')
    .map(([, unit, pid, name]) => ({ unit: textIn(unit), pid: numberIn(pid, 4_194_304), name: textIn(name?.slice(1)) }))
    .filter(({ pid, name }) => !known.has(pid) && name !== '')
  const units = of('unit').map(([, name, show]) => {
    const unit = textIn(name)
    const names = others.filter((one) => one.unit === unit).map((one) => one.name)
    return { ...unitIn(unit, textIn(show?.slice(1))), others: [...new Set(names)] }
  })
  const running = new Set(units.flatMap(({ name, properties }) => [name, properties.Id ?? '']))
  return {
    host,
    names: [...new Set([host.name, host.address, ...of('name').map(([, name]) => textIn(name).trim())])].filter(
      (name) => name !== '' && !/^127\.|^(localhost|::1)$/.test(name),
    ),
    processes,
    units,
    idle: [...new Set(of('idle').map(([, name]) => textIn(name)))].filter((name) => !running.has(name)),
    files: filesIn(all),
    folders: foldersIn(all),
  }
}

const filesIn = (all: readonly (readonly string[])[]): Look['files'] =>
  new Map(all.flatMap((words) => (words[0] === 'file' ? [fileIn(words)] : [])).map((one) => [one.path, one]))

const foldersIn = (all: readonly (readonly string[])[]): Look['folders'] =>
  new Map(
    all
      .filter(([first]) => first === 'folder')
      .map(([, path, user, way]) => [
        posix.normalize(textIn(path)).replace(/(?<=.)\/$/, ''),
        { user: accountIn(user), way: accountIn(way) },
      ]),
  )

const mountedOf = ([, pid, network, inside, host]: readonly string[]): readonly [
  number,
  NonNullable<FoundProcess['mounted']>,
] => [
  numberIn(pid, 4_194_304),
  {
    inside: mountsIn(textIn(inside?.slice(1))),
    host: mountsIn(textIn(host?.slice(1))),
    network: network === 'host' ? 'host' : 'own',
  },
]

/** The lines of an answer that came whole. Throws an Error for one that didn't. */
const linesOf = (said: Buffer): readonly (readonly string[])[] => {
  const all = said
    .toString('latin1')
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split(' '))
  if (all.at(-1)?.[0] !== 'end') throw new Error('its answer was cut off')
  return all.slice(0, -1)
}

const processIn = ([, pid, where, user, exe, group, cwd, command, version, usual]: readonly string[]): FoundProcess => {
  const cgroup = textIn(group?.slice(1))
  const unit = /\/([^/\n]+\.service)(?:\/|$)/m.exec(cgroup)?.[1] ?? ''
  const inside = /docker|containerd|kubepods|libpod|lxc|podman/.exec(cgroup)?.[0]
  const engine = inside === 'libpod' ? 'podman' : inside
  const [, number] = /([0-9a-f]{12})[0-9a-f]{52}/.exec(cgroup) ?? []
  return {
    pid: numberIn(pid, 4_194_304),
    program: programIn(textIn(version?.slice(1))),
    executable: textIn(exe?.slice(1)).replace(/ \(deleted\)$/, ''),
    user: accountIn(user),
    unit: unitOf({ unit, engine: number === undefined ? undefined : engine, number, other: where !== 'same', pid }),
    container: engine ?? (where === 'same' ? '' : 'another root file system'),
    folder: textIn(cwd?.slice(1)),
    command: textIn(command?.slice(1)).replace(/\0$/, '').split('\0'),
    usual: new Map(
      textIn(usual?.slice(1))
        .split('\n')
        .flatMap((line): readonly (readonly [string, string])[] => {
          const [, name, value] = /^([a-z.]{1,40})=(.{1,4000})$/.exec(line) ?? []
          return name === undefined || value === undefined ? [] : [[name, value]]
        }),
    ),
  }
}

interface Whose {
  readonly unit: string
  readonly engine?: string
  readonly number?: string
  readonly other: boolean
  readonly pid?: string
}
/** What a process is known by to people: its unit, or its container. */
const unitOf = ({ unit, engine, number, other, pid }: Whose): string => {
  if (engine !== undefined) return `${engine} ${number}`
  return unit === '' && other ? `process ${numberIn(pid, 4_194_304)}` : unit
}

/** `NAME, version VERSION (branch: …`, as prometheus/common's version.Print has it; distributions add `+ds` to versions. */
const programIn = (said: string): FoundProcess['program'] => {
  const [, name, version] =
    /^([a-z][\w-]{0,60}), version v?(\d+\.\d+\.\d+(?:-(?:rc|alpha|beta)[\w.]{0,20})?)/m.exec(said) ?? []
  return name === undefined || version === undefined ? null : { name: name.replaceAll('-', '_'), version }
}

const unitIn = (name: string, show: string): Omit<FoundUnit, 'others'> => {
  const properties = propertiesIn(show)
  const environment = show
    .split('\n')
    .flatMap((line) => /^EnvironmentFiles=(.*) \(ignore_errors=/.exec(line)?.[1] ?? [])
  return {
    name,
    properties,
    paths: [properties.FragmentPath ?? '', ...(properties.DropInPaths ?? '').split(' '), ...environment].filter(
      Boolean,
    ),
  }
}

const fileIn = ([, path, mode, user, group, size, content = '-']: readonly string[]): FoundFile => {
  const bytes = numberIn(size, Number.MAX_SAFE_INTEGER)
  if (!/^[0-7]{1,5}$/.test(mode ?? '')) throw new Error(`a file's mode is ${JSON.stringify(mode?.slice(0, 40))}`)
  const about = {
    path: posix.normalize(textIn(path)),
    mode: (mode ?? '').padStart(4, '0'),
    user: accountIn(user),
    group: accountIn(group),
  }
  if (content === '-') return about
  if (bytes > MOST_BYTES) return { ...about, why: `is larger than ${MOST_BYTES / 1024 / 1024} MiB` }
  const raw = bytesIn(content.slice(1))
  const text = raw.toString('utf8')
  return raw.includes(0) || !Buffer.from(text).equals(raw) ? { ...about, why: 'is no text' } : { ...about, text }
}

const bytesIn = (text = ''): Buffer => {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw new Error('it says what is no base64')
  return Buffer.from(text, 'base64')
}

/** Text in UTF-8; what is no UTF-8 is shown as such, and won't be found by that name again. */
const textIn = (text?: string): string => bytesIn(text).toString('utf8')

const accountIn = (text = ''): string => {
  if (!/^[\w][\w.$-]{0,60}$/.test(text)) throw new Error(`an account is called ${JSON.stringify(text.slice(0, 40))}`)
  return text
}

const numberIn = (text: string | undefined, most: number): number => {
  if (text === undefined || !/^\d{1,16}$/.test(text) || Number(text) > most)
    throw new Error(`a number is ${JSON.stringify(text?.slice(0, 40))}`)
  return Number(text)
}
