import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Endpoint } from '../../lib/api/endpoint.ts'
import { HostError } from '../../lib/errors.ts'
import type { Host } from '../../lib/model.ts'
import { bringBack, SILENCES, silencesOf } from './bring-back-silences.ts'
import { type BackupFile, type Part, sha256Of } from './manifest.ts'
import * as scripts from './scripts.ts'
import { download, type Tools, upload, withLock } from './tools.ts'

/** A service with data of its own on a host. */
interface Holder {
  readonly host: Host
  readonly role: 'alertmanager' | 'prometheus'
  readonly version: string
  readonly endpoint: Endpoint
  /** Where its data stands on the host. */
  readonly data: string
}

const ALERTMANAGER_FILES = ['silences', 'nflog']
const SILENCES_FILE = 'silences.json'

/** Copies a service's data into a folder, while it goes on serving. Returns what was written. Throws HostError. */
export const backUp = async (
  tools: Tools,
  { host, role, version, endpoint, data }: Holder,
  folder: string,
): Promise<Part> => {
  const task = `backup ${role}`
  const isProm = role === 'prometheus'
  const files: BackupFile[] = []
  if (!isProm) files.push(await saveSilences(tools, endpoint, folder))
  try {
    const script = isProm ? scripts.stillTsdb(data) : scripts.stillAlertmanager(data)
    const { stdout } = await withLock(tools, host, { script, task })
    const bytes = Number(stdout.toString().trim().split('\n').at(-1)) || 0
    files.push(
      await download(tools, host, { script: scripts.handOver(data), task, path: join(folder, `${role}.tar`), bytes }),
    )
  } finally {
    await withLock(tools, host, { script: scripts.clearStage(data), task }).catch(() => undefined)
  }
  return { role, version, files }
}

/** Sends a service's data to its host and unpacks it beside what is in use, which stays in use. Throws HostError. */
export const prepareRestore = async (
  tools: Tools,
  { host, role, data }: Holder,
  { folder, part }: Saved,
): Promise<void> => {
  const archive = archiveOf(part)
  if (archive)
    await upload(tools, host, {
      script: scripts.takeIn(data, archive),
      task: `restore ${role}`,
      path: join(folder, archive.name),
    })
}

export interface Saved {
  readonly folder: string
  readonly part: Part
}

/** Puts what was prepared in the place of what is in use: the service stands still meanwhile. Throws HostError, everything put back. */
export const swapIn = async (tools: Tools, { host, role, data }: Holder, { part }: Saved): Promise<void> => {
  if (archiveOf(part))
    await withLock(tools, host, { script: scripts.swapIn(data, swapOf(role)), task: `restore ${role}` })
}

/** Takes a swap back: the service serves from what it had before. */
export const swapBack = async (tools: Tools, { host, role, data }: Holder): Promise<void> => {
  await withLock(tools, host, { script: scripts.swapBack(data, swapOf(role)), task: `restore ${role}` })
}

/** Ends a restore whose service serves: removes what was put aside, and makes silences that are not there yet. Returns how many it made. */
export const finishRestore = async (
  tools: Tools,
  { host, role, data, endpoint }: Holder,
  { folder, part }: Saved,
): Promise<number> => {
  const saved = part.files.some(({ name }) => name === SILENCES_FILE)
    ? SILENCES.parse(JSON.parse(readFileSync(join(folder, SILENCES_FILE), 'utf8')))
    : []
  await withLock(tools, host, { script: scripts.clearAside(data), task: `restore ${role}` })
  return role === 'alertmanager' ? bringBack(tools.reach, endpoint, saved) : 0
}

const archiveOf = ({ files, role }: Part): BackupFile | undefined => files.find(({ name }) => name === `${role}.tar`)

const swapOf = (role: Holder['role']) => ({
  unit: `${role}.service`,
  names: role === 'alertmanager' ? ALERTMANAGER_FILES : undefined,
})

const saveSilences = async ({ reach }: Tools, endpoint: Endpoint, folder: string): Promise<BackupFile> => {
  const path = join(folder, SILENCES_FILE)
  const text = `${JSON.stringify(await silencesOf(reach, endpoint), null, 2)}\n`
  try {
    writeFileSync(path, text, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    throw new HostError(endpoint.host.name, `${path}: ${error instanceof Error ? error.message : error}`)
  }
  return { name: SILENCES_FILE, bytes: Buffer.byteLength(text), sha256: await sha256Of(path) }
}
