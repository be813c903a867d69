/**
 * An empty Debian 12 as a machine of its own: its own root, processes and control groups, and the box's network. What is brought up in it
 * (a lab too) is seen by nobody else, and all of it ends when it is closed.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { attempt, type Outcome, run } from '../../lib/lab/command.ts'
import { suites, transportOptions, writeSources } from '../../lib/lab/debian.ts'
import { ensureBoxPackages } from '../../lib/lab/packages.ts'
import { installNode, type StockNode } from './node.ts'

const cache = join(homedir(), '.cache/vestal-test/install')
/** Nothing but what Debian itself needs, and the certificates that a registry is asked with. */
const PACKAGES = ['ca-certificates']

export interface Debian {
  /** Its root, as the box sees it. */
  readonly root: string
  /** Runs a line as root's shell would, from `/`, and returns what became of it. */
  sh(line: string): Promise<Outcome>
  close(): Promise<void>
}

/** Starts an empty Debian with this Node. `lab` is a folder of the box for what labs keep, so that a later Debian need not fetch it again. */
export const startDebian = async (lab: string, node: StockNode): Promise<Debian> => {
  const root = mkdtempSync(join(dirname(await ensureBase()), 'root-'))
  execFileSync('cp', ['-a', '--reflink=auto', `${await ensureBase()}/.`, root])
  installNode(node, root)
  await likeTheBox(root)
  writeFileSync(join(root, 'etc/hosts'), '127.0.0.1 localhost\n')
  for (const folder of ['var/lib/vestal-lab', 'box']) mkdirSync(join(root, folder), { recursive: true })
  mkdirSync(lab, { recursive: true })
  const group = join(unifiedTree(), `vestal-install-${process.pid}-${Date.now()}`)
  mkdirSync(group)
  const machine = spawn('sh', ['-euc', BOOT], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: SYSTEM_PATH, ROOT: root, LAB: lab, GROUP: group, INSIDE },
  })
  let closing: Promise<void> | undefined
  const end = async () => {
    machine.kill('SIGKILL')
    if (machine.exitCode === null && machine.signalCode === null) await once(machine, 'close')
    await removeGroups(group)
    rmSync(root, { recursive: true, force: true })
  }
  const close = () => (closing ??= end())
  try {
    const init = await initOf(machine)
    const enter = ['nsenter', `--target=${init}`, '--mount', '--pid', '--cgroup', '--ipc', '--uts', '--']
    const env = Object.entries({ HOME: '/root', PATH: USER_PATH, LANG: 'C.UTF-8', TERM: 'dumb', NO_COLOR: '1' })
    const clean = ['env', '-i', ...env.map(([name, value]) => `${name}=${value}`)]
    return {
      root,
      sh: (line) => attempt(['sh', '-euc', JOIN, 'sh', `${group}/cgroup.procs`, ...enter, ...clean, 'sh', '-c', line]),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Who enters must be in its control groups too, to move what it starts within them. */
const JOIN = 'echo $$ >"$1"; shift; exec "$@"'

const SYSTEM_PATH = '/usr/sbin:/usr/bin:/sbin:/bin'
const USER_PATH = `/usr/local/sbin:/usr/local/bin:${SYSTEM_PATH}`

/** The machine dies with its first process, and that with the process that started it. */
const BOOT = `echo $$ >"$GROUP/cgroup.procs"
exec setpriv --pdeathsig KILL unshare --mount --propagation private --pid --fork --kill-child --cgroup --ipc --uts sh -euc "$INSIDE"`

const INSIDE = `mount --bind "$ROOT" "$ROOT"
cd "$ROOT"
mount --bind "$LAB" var/lib/vestal-lab
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 none sys/fs/cgroup
mount --rbind /dev dev
mount -t tmpfs tmpfs run
hostname debian
pivot_root . box
exec chroot . sh -euc 'umount -l /box; rmdir /box; echo up; exec sleep infinity'`

const initOf = async (machine: ChildProcess): Promise<string> => {
  const [said] = await Promise.race([once(machine.stdout ?? machine, 'data'), once(machine, 'close')])
  if (`${said}`.trim() !== 'up') throw new Error(`the empty Debian did not come up: ${said}`)
  return readFileSync(`/proc/${machine.pid}/task/${machine.pid}/children`, 'utf8').trim()
}

/** What a Debian that is installed by hand is told: where the archive and the registry are, and whom to trust, as the box knows it. */
const likeTheBox = async (root: string): Promise<void> => {
  for (const name of ['etc/resolv.conf', 'etc/ssl/certs/ca-certificates.crt']) {
    rmSync(join(root, name), { force: true })
    cpSync(`/${name}`, join(root, name), { dereference: true })
  }
  const settings = ['registry', 'proxy', 'https-proxy', 'noproxy']
  const known = await Promise.all(
    settings.map(async (name) => [name, (await run(['npm', 'config', 'get', name])).trim()] as const),
  )
  const lines = known.filter(([, value]) => value !== '' && value !== 'null').map(([name, value]) => `${name}=${value}`)
  writeFileSync(
    join(root, 'root/.npmrc'),
    [...lines, 'cafile=/etc/ssl/certs/ca-certificates.crt', 'update-notifier=false', ''].join('\n'),
  )
}

/** Builds the empty Debian once. */
const ensureBase = async (): Promise<string> => {
  const base = join(cache, `debian-${suites[0]}`)
  if (existsSync(base)) return base
  await ensureBoxPackages(console.log)
  mkdirSync(cache, { recursive: true })
  const draft = mkdtempSync(join(cache, '.draft-'))
  try {
    await writeSources(join(draft, 'archive.sources'), suites.slice(0, 1))
    writeFileSync(join(draft, 'apt.conf'), await transportOptions())
    await run([
      ...['setpriv', '--pdeathsig', 'KILL', 'unshare', '--mount', '--propagation', 'private'],
      ...['--pid', '--fork', '--kill-child', '--mount-proc'],
      ...['mmdebstrap', '--quiet', '--mode=root', '--variant=minbase', `--aptopt=${join(draft, 'apt.conf')}`],
      ...[`--include=${PACKAGES.join(',')}`, suites[0], join(draft, 'root'), join(draft, 'archive.sources')],
    ])
    renameSync(join(draft, 'root'), base)
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
  return base
}

/** Where the box has its unified control groups. */
const unifiedTree = (): string => {
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
  const at = mounts.find(([, , type]) => type === 'cgroup2')?.[1]
  if (at === undefined) throw new Error('the box has no unified control groups mounted')
  return at
}

/** A group goes once none of its processes is left. */
const removeGroups = async (group: string): Promise<void> => {
  for (const below of readdirSync(group, { withFileTypes: true }))
    if (below.isDirectory()) await removeGroups(join(group, below.name))
  for (let tries = 100; tries > 0; tries -= 1) {
    try {
      return rmdirSync(group)
    } catch {
      await sleep(50)
    }
  }
}
