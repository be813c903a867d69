import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { InputError, type Mistake } from '../../lib/errors.ts'

/** No name leads out of the host's folder, or is hidden in it. */
const FILE = z.strictObject({ name: z.string().regex(/^\w[\w.-]*$/), bytes: z.number(), sha256: z.string() })
const MANIFEST = z.strictObject({
  vestal: z.literal('backup/1'),
  host: z.string(),
  run: z.string(),
  /** RFC 3339, the controller's clock. */
  at: z.string(),
  parts: z.array(z.strictObject({ role: z.string(), version: z.string(), files: z.array(FILE) })),
})

export type BackupFile = z.infer<typeof FILE>
/** What a host's folder of a backup holds, each file with its length and checksum. */
export type Manifest = z.infer<typeof MANIFEST>
export type Part = Manifest['parts'][number]

export const MANIFEST_NAME = 'manifest.json'

/**
 * The manifests of a backup, by host, every file held against its checksum. Throws InputError, with every mistake, for a folder that is no
 * backup, a host that was not finished, and files that are missing or are not what was backed up.
 */
export const readBackup = async (folder: string): Promise<ReadonlyMap<string, Manifest>> => {
  if (!existsSync(folder))
    throw new InputError([
      { where: folder, what: 'there is no such folder', fix: 'give the one that `vestal backup` was given' },
    ])
  const names = readdirSync(folder).filter((name) => existsSync(join(folder, name, MANIFEST_NAME)))
  const mistakes: Mistake[] = []
  if (names.length === 0) mistakes.push({ where: folder, what: 'holds no backup of any host' })
  const found = await Promise.all(names.map((name) => readManifest(join(folder, name), mistakes)))
  if (mistakes.length > 0) throw new InputError(mistakes)
  return new Map(found.flatMap((manifest) => (manifest ? [[manifest.host, manifest]] : [])))
}

/** A file's checksum, as hexadecimal. */
export const sha256Of = async (path: string): Promise<string> => {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk)
  return hash.digest('hex')
}

const readManifest = async (folder: string, mistakes: Mistake[]): Promise<Manifest | undefined> => {
  const path = join(folder, MANIFEST_NAME)
  const parsed = MANIFEST.safeParse(jsonIn(path))
  if (!parsed.success) {
    mistakes.push({ where: path, what: 'is no manifest of a backup that this version understands' })
    return undefined
  }
  for (const { name, bytes, sha256 } of parsed.data.parts.flatMap(({ files }) => files)) {
    const file = join(folder, name)
    if (!existsSync(file)) mistakes.push({ where: file, what: 'is missing', fix: 'take another backup' })
    else if ((await sha256Of(file)) !== sha256)
      mistakes.push({
        where: file,
        what: `is not the file of ${bytes} bytes that was backed up`,
        fix: 'take another backup',
      })
  }
  return parsed.data
}

const jsonIn = (path: string): unknown => {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}
