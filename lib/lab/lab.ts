/** Labs of real machines on one box: up, down and what there is. */

import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import pLimit from 'p-limit'
import { InputError } from '../errors.ts'
import { ensureLabGroup, killGroup, membersOf, removeCgroupTree, removeLabGroup, setFrozen } from './cgroup.ts'
import { emulate, stopEmulating } from './emulation.ts'
import { enterLab, namespaceExists } from './enter.ts'
import { hostFolder, type Power, powerOf, startHost, systemOf, waitForHost } from './host.ts'
import { ensureImage } from './image.ts'
import { ensureHostKeys, ensureLabKey } from './keys.ts'
import { raiseLimits, restoreLimits } from './limits.ts'
import { withLock } from './lock.ts'
import { ensureMirror, ensureTemplates } from './mirror.ts'
import { ensureNetwork, removeNetwork } from './network.ts'
import { ensureObjectStore, removeObjectStore } from './object-store.ts'
import { checkRoot, claimRoot, isClaimed, removeEmpty, removeOwn } from './own.ts'
import { checkOwner, isOurs, ownerOf, releaseName, takeName } from './owner.ts'
import { ensureBoxPackages } from './packages.ts'
import {
  boxFolder,
  checkLabName,
  controllerNamespace,
  hostAddress,
  hostIndex,
  hostName,
  labFolder,
  labKey,
  labKnownHosts,
  labMirror,
  labRoot,
  mostHosts,
  receiverUrl,
  sharedFolder,
} from './places.ts'
import type { Progress } from './progress.ts'
import { ensureReceiver, removeReceiver } from './receiver.ts'
import { parseSystem, type System, systemName, usualGeneration } from './system.ts'

export interface LabHost {
  readonly name: string
  readonly address: string
  readonly power: Power
  /** The generation of Debian and the processor that it is made of: `bookworm-amd64`. Empty for a host of an older version's. */
  readonly system: string
}
export interface Lab {
  readonly name: string
  /** Whether its network is there. A lab that is not up may still hold hosts' disks, after a reboot of the box. */
  readonly up: boolean
  readonly hosts: readonly LabHost[]
  /** The private key that every account on the hosts lets in. */
  readonly key: string
  readonly knownHosts: string
  /** The folder of the release mirror, in upstream's layout. */
  readonly mirror: string
  /** Where to send notifications. */
  readonly receiver: string
}

export interface LabUp {
  readonly name?: string
  /** How many hosts there are to be, at least. */
  readonly hosts?: number
  /** What hosts are made of that are not the usual, by their names: `bullseye`, `trixie-arm64`. Those that exist keep what they are made of. */
  readonly systems?: Readonly<Record<string, string>>
  /** Whether the release mirror is to be made as well. */
  readonly mirror?: boolean
  readonly onProgress?: Progress
}

/**
 * Brings a lab up to this many hosts: makes what is missing, switches on what is off, thaws and plugs in what a drill
 * left so, and returns when each lets us in by SSH.
 * Throws InputError for a box that cannot hold a lab, a folder that is not the lab's and a name that another folder's lab has;
 * HostError for a host that does not come up.
 */
export const labUp = async ({
  name = 'default',
  hosts = 6,
  systems = {},
  mirror = true,
  onProgress = () => {},
}: LabUp): Promise<Lab> => {
  checkRequest({ name, hosts, systems })
  await ensureBoxPackages(onProgress)
  const wanted = await systemsOf({ name, hosts, systems })
  claimRoot()
  await withLock(lockOf(name), async () => {
    takeName(name)
    const key = await ensureLabKey()
    const templates = await ensureTemplates(onProgress)
    const foreign = [...new Set([...wanted.values()].filter(({ emulated }) => emulated).map(({ arch }) => arch))]
    for (const arch of foreign) await emulate(name, arch, onProgress)
    const machines = async () => {
      const images = new Map<string, string>()
      for (const system of wanted.values())
        if (!images.has(systemName(system)))
          images.set(systemName(system), await ensureImage({ key, templates, system }, onProgress))
      const imageOf = [...wanted].map(([host, system]) => [host, images.get(systemName(system)) ?? ''] as const)
      await ensureHosts({ name, images: new Map(imageOf), say: onProgress })
    }
    const releases = async () => {
      await ensureMirror(onProgress)
      for (const arch of foreign) await ensureMirror(onProgress, { arch })
    }
    await Promise.all([mirror ? releases() : undefined, machines()])
  })
  return describeLab(name)
}

/**
 * Takes a lab down: its machines, its network and its disks. What all labs share stays, and so does what the lab did not make.
 * Returns false if there was none. Throws InputError if the lab of this name is kept in another folder.
 */
export const labDown = async (name = 'default'): Promise<boolean> => {
  checkLabName(name)
  return withLock(lockOf(name), async () => {
    checkOwner(name)
    const kept = isClaimed() && existsSync(labFolder(name))
    if (!kept && ownerOf(name) === undefined) return false
    await removeReceiver(name)
    await removeObjectStore(name)
    await Promise.all(membersOf(name).map((member) => killGroup(name, member)))
    removeLabGroup(name)
    await removeNetwork(name)
    await stopEmulating(name)
    if (kept) removeDisks(name)
    releaseName(name)
    await withLock(boxLock, async () => {
      if (await removeCgroupTree()) restoreLimits()
    })
    return true
  })
}

/** Returns every lab of this box, up or not. */
export const labList = (): Lab[] => labNames().map(describeLab)

export const describeLab = (name: string): Lab => ({
  name,
  up: isOurs(name) && namespaceExists(controllerNamespace(name)),
  hosts: hostsOf(name).map((host) => ({
    name: host,
    address: hostAddress(hostIndex(host)),
    power: isOurs(name) ? powerOf(name, host) : 'off',
    system: systemOf(name, host),
  })),
  key: labKey(),
  knownHosts: labKnownHosts(),
  mirror: labMirror(),
  receiver: receiverUrl,
})

interface Wanted {
  readonly name: string
  /** The image of each host that there is to be, for those that have no disk yet. */
  readonly images: ReadonlyMap<string, string>
  readonly say: Progress
}

type Asked = Required<Pick<LabUp, 'name' | 'hosts' | 'systems'>>

/** The hosts that there are to be: those that exist, and as many as were asked for. */
const namesOf = ({ name, hosts }: Asked): readonly string[] => [
  ...new Set([...hostsOf(name), ...Array.from({ length: hosts }, (_, i) => hostName(i + 1))]),
]

/** What each host is made of. Throws InputError for what the lab can't make, and for a host that exists and is made of something else. */
const systemsOf = async (asked: Asked): Promise<ReadonlyMap<string, System>> => {
  const all = new Map<string, System>()
  for (const host of namesOf(asked)) {
    const is = systemOf(asked.name, host)
    const system = await parseSystem(asked.systems[host] ?? (is || usualGeneration), `--system ${host}`)
    if (is !== '' && is !== systemName(system))
      throw new InputError([
        { where: `--system ${host}`, what: `${host} exists, and is made of ${is}`, fix: 'Take the lab down first.' },
      ])
    all.set(host, system)
  }
  return all
}

const ensureHosts = async ({ name, images, say }: Wanted): Promise<void> => {
  const all = [...images.keys()]
  await ensureHostKeys(all)
  await withLock(boxLock, async () => {
    mkdirSync(labFolder(name), { recursive: true })
    await ensureLabGroup(name)
    raiseLimits(labNames().reduce((sum, lab) => sum + hostsOf(lab).length, all.length))
  })
  await ensureNetwork(name, all)
  await ensureReceiver(name)
  await ensureObjectStore(name)
  const off = all.filter((host) => powerOf(name, host) === 'off')
  if (off.length > 0) say(`booting ${off.length === 1 ? off[0] : `${off.length} hosts`}`)
  const few = pLimit(cpus().length * 4)
  let booted = 0
  await Promise.all(
    all.map((host) =>
      few(async () => {
        if (powerOf(name, host) === 'frozen') await setFrozen(name, host, false)
        if (off.includes(host)) await startHost(name, host, images.get(host))
        await waitForHost(name, host)
        if (off.includes(host)) say(`${host} is up (${++booted} of ${off.length})`)
      }),
    ),
  )
}

const checkRequest = (asked: Asked): void => {
  const { name, hosts, systems } = asked
  checkLabName(name)
  if (!Number.isInteger(hosts) || hosts < 1 || hosts > mostHosts)
    throw new InputError([{ where: '--hosts', what: `${hosts} is not a number of hosts from 1 to ${mostHosts}` }])
  const names = namesOf(asked)
  const unknown = Object.keys(systems).find((host) => !names.includes(host))
  if (unknown !== undefined)
    throw new InputError([
      { where: '--system', what: `the lab has no host ${unknown}`, fix: `Its hosts are ${names.join(', ')}.` },
    ])
  checkRoot()
  checkOwner(name)
  if (labNames().some((lab) => isOurs(lab) && namespaceExists(controllerNamespace(lab)) && enterLab(lab) === null))
    throw new InputError([{ where: 'lab up', what: "runs inside a lab's network already", fix: 'Run it outside.' }])
}

/** What the lab keeps of its own: disks, the hosts' shared folder, the receiver's files and what a fault that was cut off left. */
const removeDisks = (name: string): void => {
  const folder = labFolder(name)
  for (const host of hostsOf(name)) removeOwn(hostFolder(name, host))
  removeEmpty(join(folder, 'hosts'))
  removeOwn(sharedFolder(name))
  for (const file of readdirSync(folder)) if (/^(receiver\.log|hostkey-\w+)$/.test(file)) removeOwn(join(folder, file))
  removeEmpty(folder)
}

const labNames = (): string[] => namesIn(join(labRoot(), 'labs'), checkLabName)

const hostsOf = (lab: string): string[] => {
  const folder = join(hostFolder(lab, 'lab-1'), '..')
  return namesIn(folder, hostIndex).sort((a, b) => hostIndex(a) - hostIndex(b))
}

/** The names in a folder that `check` does not throw for: others are not the lab's. */
const namesIn = (folder: string, check: (name: string) => unknown): string[] => {
  if (!existsSync(folder)) return []
  return readdirSync(folder).filter((name) => {
    try {
      check(name)
      return true
    } catch {
      return false
    }
  })
}

/** Held for what all labs of the box share. */
const boxLock = `${boxFolder}.lock`

/** The box's, as labs of one name in two folders are in each other's way. */
const lockOf = (name: string): string => join(boxFolder, 'locks', checkLabName(name))
