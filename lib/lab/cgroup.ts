/**
 * Every process of a lab lives in a control group of its own, so that which processes are the lab's is a fact
 * of the kernel's: it survives our exit, cannot name another's process, and is gone after a reboot.
 * Facts: Documentation/admin-guide/cgroup-v2.rst (cgroup.kill from Linux 5.14, cgroup.freeze from 5.2).
 */
import { spawn } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { run } from './command.ts'
import { boxFolder } from './places.ts'

interface MemberStart {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string | undefined>>
  /** The file that its output goes to, emptied first. */
  readonly log: string
}

/**
 * A second door to the box's unified tree, as it stands elsewhere on each box and is hidden inside `ip netns exec`.
 * It is the whole live tree, so it is kept out of every folder that someone may want to remove.
 */
export const cgroupTree = (): string => `${boxFolder}/cgroup`
/** The group of one member (a host, or the receiver) of a lab. */
export const memberGroup = (lab: string, member: string): string => `${cgroupTree()}/vestal-lab/${lab}/${member}`

/** Opens that door for a lab and makes the lab's own group, which keeps the door open until the lab is down. */
export const ensureLabGroup = async (lab: string): Promise<void> => {
  await openTree()
  mkdirSync(`${cgroupTree()}/vestal-lab/${lab}`, { recursive: true })
}

/** Binds the box's own unified tree, or mounts one where the box has none. */
const openTree = async (): Promise<void> => {
  const tree = cgroupTree()
  if (existsSync(`${tree}/cgroup.procs`)) return
  mkdirSync(tree, { recursive: true })
  const own = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
  const at = own.find(([, , type]) => type === 'cgroup2')?.[1]
  await run(at ? ['mount', '--bind', at, tree] : ['mount', '-t', 'cgroup2', 'none', tree])
}

/** Closes it again if no lab of this box is left. Returns whether that was so. */
export const removeCgroupTree = async (): Promise<boolean> => {
  const top = `${cgroupTree()}/vestal-lab`
  if (existsSync(top)) {
    if (subfolders(top).length > 0) return false
    rmdirSync(top)
  }
  if (existsSync(`${cgroupTree()}/cgroup.procs`)) await run(['umount', cgroupTree()])
  if (existsSync(cgroupTree())) rmdirSync(cgroupTree())
  return true
}

/**
 * Starts a program as a member of the lab, to live on after us. It is put into its group before it runs,
 * so that nothing it starts can be missed.
 */
export const startMember = (lab: string, member: string, argv: readonly string[], how: MemberStart): void => {
  const group = makeGroup(lab, member)
  const log = openSync(how.log, 'w')
  const child = spawn('sh', ['-euc', 'read -r go; exec "$@" </dev/null', 'sh', ...argv], {
    detached: true,
    stdio: ['pipe', log, log],
    cwd: how.cwd,
    env: how.env,
  })
  closeSync(log)
  writeFileSync(`${group}/launcher/cgroup.procs`, `${child.pid}`)
  child.stdin?.end('go\n')
  child.unref()
}

/** Whether any process of the member lives. */
export const isPopulated = (lab: string, member: string): boolean => events(lab, member).includes('populated 1')
export const isFrozen = (lab: string, member: string): boolean => events(lab, member).includes('frozen 1')

/** Stops every process of the member where it stands, or lets them go on. Returns once that is so. */
export const setFrozen = async (lab: string, member: string, frozen: boolean): Promise<void> => {
  writeFileSync(`${memberGroup(lab, member)}/cgroup.freeze`, frozen ? '1' : '0')
  while (isPopulated(lab, member) && isFrozen(lab, member) !== frozen) await sleep(10)
}

/** Kills every process of the member, frozen ones too, and removes its group. Returns when none is left. */
export const killGroup = async (lab: string, member: string): Promise<void> => {
  const group = memberGroup(lab, member)
  while (isPopulated(lab, member)) {
    if (existsSync(`${group}/cgroup.kill`)) writeFileSync(`${group}/cgroup.kill`, '1')
    else for (const pid of groupsUnder(group).flatMap(pidsOf)) kill(pid)
    await sleep(20)
  }
  if (existsSync(group)) for (const folder of groupsUnder(group).reverse()) rmdirSync(folder)
}

/** The processes of this very group, not of those below it. None if there is no such group. */
export const pidsOf = (group: string): number[] =>
  existsSync(group) ? readFileSync(`${group}/cgroup.procs`, 'utf8').split('\n').filter(Boolean).map(Number) : []

/** The lab's members that have a group, living or not. */
export const membersOf = (lab: string): string[] => {
  const folder = `${cgroupTree()}/vestal-lab/${lab}`
  return existsSync(folder) ? subfolders(folder) : []
}

/** Removes the lab's group, all members of which have been removed. */
export const removeLabGroup = (lab: string): void => {
  const folder = `${cgroupTree()}/vestal-lab/${lab}`
  if (existsSync(folder)) rmdirSync(folder)
}

/** Makes the member's group, with one in it for what starts it, and hands down the controllers that the box offers. */
const makeGroup = (lab: string, member: string): string => {
  const group = memberGroup(lab, member)
  mkdirSync(`${group}/launcher`, { recursive: true })
  const offered = readFileSync(`${cgroupTree()}/cgroup.controllers`, 'utf8').trim().split(' ').filter(Boolean)
  for (const folder of ['', '/vestal-lab', `/vestal-lab/${lab}`, `/vestal-lab/${lab}/${member}`])
    for (const controller of offered) tell(`${cgroupTree()}${folder}/cgroup.subtree_control`, `+${controller}`)
  return group
}

const events = (lab: string, member: string): string => {
  const path = `${memberGroup(lab, member)}/cgroup.events`
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}

const subfolders = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)

/** A group and all below it, parents first. */
const groupsUnder = (group: string): string[] => [
  group,
  ...subfolders(group).flatMap((name) => groupsUnder(`${group}/${name}`)),
]

const kill = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended by itself in between.
  }
}

const tell = (path: string, word: string): void => {
  try {
    writeFileSync(path, word)
  } catch {
    // A controller that cannot be handed down is one that the hosts do without.
  }
}
