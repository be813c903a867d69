import { randomBytes } from 'node:crypto'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { InputError } from '../errors.ts'

/** What is known of a tarball since it was first seen. */
export interface Pin {
  readonly url: string
  readonly sha256: string
}

const schema = z.strictObject({
  version: z.literal(1),
  releases: z.record(z.string(), z.strictObject({ url: z.string(), sha256: z.string().regex(/^[0-9a-f]{64}$/) })),
})
const writes = new Map<string, Promise<unknown>>()

/** The lock file of an inventory: the checksum of each tarball when it was first seen. It is there to be committed. */
export const lockFile = (folder: string): string => join(folder, '.vestal.lock.json')

/** All pins, by build. A file that isn't there has none. Throws InputError on one that isn't a lock file. */
export const readPins = async (folder: string): Promise<Readonly<Record<string, Pin>>> => {
  const text = await readFile(lockFile(folder), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw broken(folder, error.message)
  })
  return text === null ? {} : parsePins(text, folder)
}

/**
 * Adds a pin, leaving all others, and one that the build has already. Returns the build's pin. The file is sorted, so that it compares well, and replaced
 * in one rename.
 */
export const addPin = (folder: string, build: string, pin: Pin): Promise<Pin> => {
  const turn = (writes.get(folder) ?? Promise.resolve()).catch(() => undefined).then(() => write(folder, build, pin))
  writes.set(folder, turn)
  return turn
}

const write = async (folder: string, build: string, pin: Pin): Promise<Pin> => {
  const before = await readPins(folder)
  const known = before[build]
  if (known !== undefined) return known
  const all = Object.entries({ ...before, [build]: { url: pin.url, sha256: pin.sha256 } })
  const sorted = Object.fromEntries(all.sort(([one], [other]) => (one < other ? -1 : 1)))
  const part = `${lockFile(folder)}.${randomBytes(4).toString('hex')}`
  try {
    await writeFile(part, `${JSON.stringify({ version: 1, releases: sorted }, null, 2)}\n`)
    await rename(part, lockFile(folder))
    return pin
  } catch (error) {
    throw broken(folder, `cannot be written: ${(error as Error).message}`)
  } finally {
    await rm(part, { force: true })
  }
}

const parsePins = (text: string, folder: string): Readonly<Record<string, Pin>> => {
  try {
    return schema.parse(JSON.parse(text)).releases
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message
    throw broken(folder, `is not a lock file: ${why}`)
  }
}

const broken = (folder: string, what: string): InputError =>
  new InputError([
    { where: lockFile(folder), what, fix: 'Take it from version control, or delete it to make it anew.' },
  ])
