import { createHash, randomBytes } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { InputError } from '../errors.ts'
import { checkProgram, listEntries } from './entries.ts'
import { openSource } from './open.ts'
import type { Source } from './source.ts'

/** A verified tarball on the controller, its length in bytes, and the names of the files in it. */
export interface Cached {
  readonly path: string
  readonly bytes: number
  readonly names: readonly string[]
}
/** A tarball that arrived, but with another checksum. */
export interface Mismatch {
  readonly got: string
  readonly bytes: number
}
export interface Wanted {
  readonly sha256: string
  readonly source: Source
  /** What it is called in errors. */
  readonly what: string
  /** It is a program itself and no tarball. */
  readonly single?: boolean
  readonly signal?: AbortSignal
}

/** Where verified tarballs are kept, each under its own checksum: `$XDG_CACHE_HOME` or `~/.cache`, then `vestal/releases`. */
export const cacheFolder = (): string =>
  join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'vestal', 'releases')

/**
 * A tarball out of the cache, or fetched into it: its checksum right, its entries safe to unpack (or, where it is a program itself, one for Linux). Throws InputError when it
 * cannot be fetched or an entry would leave its folder.
 */
export const cached = async (wanted: Wanted): Promise<Cached | Mismatch> =>
  (await fromCache(wanted.sha256)) ?? fetchInto(cacheFolder(), wanted)

const fromCache = async (sha256: string): Promise<Cached | null> => {
  const path = join(cacheFolder(), sha256)
  try {
    const names = JSON.parse(await readFile(`${path}.json`, 'utf8')) as string[]
    const hash = createHash('sha256')
    await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash)
    return hash.digest('hex') === sha256 ? { path, bytes: (await stat(path)).size, names } : null
  } catch {
    return null
  }
}

const fetchInto = async (
  folder: string,
  { sha256, source, what, single, signal }: Wanted,
): Promise<Cached | Mismatch> => {
  await mkdir(folder, { recursive: true })
  await sweep(folder)
  const path = join(folder, sha256)
  const part = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
  try {
    const { got, bytes } = await store(await openSource(source, what, signal), part, { what, signal })
    if (got !== sha256) return { got, bytes }
    const names = single ? await checkProgram(part, what) : await listEntries(part, what)
    await writeFile(`${part}.json`, JSON.stringify(names))
    await rename(`${part}.json`, `${path}.json`)
    await rename(part, path)
    return { path, bytes, names }
  } finally {
    await rm(part, { force: true })
    await rm(`${part}.json`, { force: true })
  }
}

const HOUR_MS = 3_600_000

/** A run that was killed leaves the part that it had fetched: one that nobody has written to for an hour. */
const sweep = async (folder: string): Promise<void> => {
  const parts = (await readdir(folder)).filter((name) => /^[0-9a-f]{64}\.\d+\.[0-9a-f]{8}(\.json)?$/.test(name))
  for (const part of parts.map((name) => join(folder, name))) {
    const found = await stat(part).catch(() => null)
    if (found && found.mtimeMs < Date.now() - HOUR_MS) await rm(part, { force: true })
  }
}

const store = async (
  from: NodeJS.ReadableStream,
  part: string,
  { what, signal }: Pick<Wanted, 'what' | 'signal'>,
): Promise<Mismatch> => {
  const hash = createHash('sha256')
  let bytes = 0
  const measure = new Transform({
    transform(piece: Buffer, _, done) {
      hash.update(piece)
      bytes += piece.length
      done(null, piece)
    },
  })
  try {
    await pipeline(from, measure, createWriteStream(part), { signal })
  } catch (error) {
    signal?.throwIfAborted()
    const why = `cannot be fetched: ${(error as Error).message}, after ${bytes} bytes`
    throw new InputError([{ where: what, what: why, fix: `Run again; look at the free space in ${cacheFolder()}.` }])
  }
  return { got: hash.digest('hex'), bytes }
}
