import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { HostError, InputError } from '../../lib/errors.ts'
import type { RoleData, SpokenData } from '../../lib/model.ts'
import { serviceOn } from '../../lib/role.ts'
import type { StatefulService } from '../stateful-services.ts'
import { type Clean, checkArchive, cleaned } from './clean-archive.ts'
import { type BackupFile, type Part, sha256Of } from './manifest.ts'
import * as scripts from './scripts.ts'
import { download, type Tools, upload, withLock } from './tools.ts'

/** More than any service has said here: what one may answer is less. */
const MOST_SAID_BYTES = 64 * 1024 * 1024

/** Copies a service's data into a folder, while it goes on serving. Returns what was written. Throws HostError. */
export const backUp = async (tools: Tools, service: StatefulService, folder: string): Promise<Part> => {
  const { host, version, data, folder: at } = service
  const name = service.role.key
  const task = `backup ${name}`
  const files: BackupFile[] = []
  if (data.spoken) files.push(await saveSpoken(tools, service, { spoken: data.spoken, folder }))
  try {
    const { stdout } = await withLock(tools, host, { script: scripts.still(at, data), task })
    const bytes = Number(stdout.toString().trim().split('\n').at(-1)) || 0
    files.push(
      await download(tools, host, { script: scripts.handOver(at), task, path: join(folder, `${name}.tar`), bytes }),
    )
  } finally {
    await withLock(tools, host, { script: scripts.clearStage(at), task }).catch(() => undefined)
  }
  return { role: name, version, files }
}

/** Sends a service's data to its host and unpacks it beside what is in use, which stays in use. Throws HostError. */
export const prepareRestore = async (
  tools: Tools,
  { host, role, data, folder: at }: StatefulService,
  { folder, clean }: Saved,
): Promise<void> => {
  if (clean)
    await upload(tools, host, {
      script: scripts.takeIn(at, clean),
      task: `restore ${role.key}`,
      name: `${role.key}.tar`,
      stream: cleaned(join(folder, `${role.key}.tar`), data.archived),
      bytes: clean.bytes,
    })
}

/** Reads the files of a part to their ends, before any machine is touched. Throws InputError where one holds what no data has. */
export const checkSaved = async ({ data }: StatefulService, saved: Omit<Saved, 'clean'>): Promise<Saved> => {
  const said = spokenOf(data, saved)
  if (said) checkSpoken(said)
  const archive = archiveOf(saved.part)
  return archive ? { ...saved, clean: await checkArchive(join(saved.folder, archive.name), data.archived) } : saved
}

export interface Saved {
  readonly folder: string
  readonly part: Part
  /** Its archive as it is sent; undefined where it has none. */
  readonly clean?: Clean
}

/** Puts what was prepared in the place of what is in use: the service stands still meanwhile. Throws HostError, everything put back. */
export const swapIn = async (tools: Tools, service: StatefulService, { part }: Saved): Promise<void> => {
  const { host, role, folder } = service
  if (archiveOf(part))
    await withLock(tools, host, { script: scripts.swapIn(folder, swapOf(service)), task: `restore ${role.key}` })
}

/** Takes a swap back: the service serves from what it had before. */
export const swapBack = async (tools: Tools, service: StatefulService): Promise<void> => {
  const { host, role, folder } = service
  await withLock(tools, host, { script: scripts.swapBack(folder, swapOf(service)), task: `restore ${role.key}` })
}

/** Ends a restore whose service serves: removes what was put aside, and brings back what is no file. Returns what that did, in words. */
export const finishRestore = async (
  tools: Tools,
  { host, role, data, scope, folder: at }: StatefulService,
  { folder, part }: Saved,
): Promise<string> => {
  const said = spokenOf(data, { folder, part })
  const text = said && readFileSync(said.path, 'utf8')
  await withLock(tools, host, { script: scripts.clearAside(at), task: `restore ${role.key}` })
  if (!said || text === undefined) return ''
  try {
    return await said.spoken.bringBack(scope, tools.reach, text)
  } catch (error) {
    if (error instanceof HostError) throw error
    throw new HostError(host.name, `${said.path} cannot be brought back: ${(error as Error).message}`, {
      task: `restore ${role.key}`,
    })
  }
}

interface Said {
  readonly spoken: SpokenData
  readonly path: string
}

const spokenOf = ({ spoken }: RoleData, { folder, part }: Omit<Saved, 'clean'>): Said | undefined =>
  spoken && part.files.some(({ name }) => name === spoken.file)
    ? { spoken, path: join(folder, spoken.file) }
    : undefined

const checkSpoken = ({ spoken, path }: Said): void => {
  try {
    const { size } = statSync(path)
    if (size > MOST_SAID_BYTES) throw new Error(`it is ${size} bytes long`)
    spoken.check(readFileSync(path, 'utf8'))
  } catch (error) {
    const why = (error as Error).message.replaceAll(/\s+/g, ' ').slice(0, 200)
    throw new InputError([{ where: path, what: `cannot be brought back: ${why}`, fix: 'take another backup' }])
  }
}

const archiveOf = ({ files, role }: Part): BackupFile | undefined => files.find(({ name }) => name === `${role}.tar`)

const swapOf = ({ host, role, data }: StatefulService) => ({
  unit: `${serviceOn(role, host)}.service`,
  names: data.names,
})

const saveSpoken = async (
  { reach }: Tools,
  { host, scope }: StatefulService,
  { spoken, folder }: { readonly spoken: SpokenData; readonly folder: string },
): Promise<BackupFile> => {
  const path = join(folder, spoken.file)
  const text = await spoken.save(scope, reach)
  try {
    writeFileSync(path, text, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    throw new HostError(host.name, `${path}: ${error instanceof Error ? error.message : error}`)
  }
  return { name: spoken.file, bytes: Buffer.byteLength(text), sha256: await sha256Of(path) }
}
