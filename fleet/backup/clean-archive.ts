/**
 * A backup is data from a machine that may be hostile. Nothing of its archives is sent as it came: they are read here, every entry is held
 * against what a service's data can be, and what is sent is written anew, so that no two programs can read it in two ways.
 */
import { createHash } from 'node:crypto'
import { closeSync, createReadStream, openSync, readSync } from 'node:fs'
import { posix } from 'node:path'
import { PassThrough, type Readable } from 'node:stream'
import { Header, Parser, type ReadEntry } from 'tar'
import { InputError, type Mistake } from '../../lib/errors.ts'

const BLOCK = 512
/** More than the largest TSDB has files. */
const MOST_ENTRIES = 1_000_000
/** How many problems of one archive are named. */
const MOST_NAMED = 5
/** POSIX pax, "ustar Interchange Format": a name is at most 100 bytes, or 255 with its folder apart. */
const LONGEST_PATH = 255

/** An archive as it is sent. */
export interface Clean {
  readonly bytes: number
  readonly sha256: string
}

/**
 * Reads an archive to its end. Returns length and checksum of what `cleaned` gives. Throws InputError, with the first few problems, where an
 * entry is neither a plain file nor a folder, has a name that `names` does not match or that leads elsewhere, has a set-id or sticky bit, or is
 * there twice; and where the file is no whole, plain tar archive.
 */
export const checkArchive = async (path: string, names: RegExp | undefined): Promise<Clean> => {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of cleaned(path, names)) {
    hash.update(chunk)
    bytes += (chunk as Buffer).length
  }
  return { bytes, sha256: hash.digest('hex') }
}

/** The archive written anew: the same files and folders, with no owner, name or mode but what they must have. Fails as `checkArchive` does. */
export const cleaned = (path: string, names: RegExp | undefined): Readable => {
  const out = new PassThrough({ highWaterMark: 256 * 1024 })
  const problems: string[] = []
  const seen = new Map<string, 'File' | 'Directory'>()
  const refuse = (): void => {
    file.destroy()
    out.destroy(new InputError(problems.map((what): Mistake => ({ where: path, what, fix: FIX }))))
  }
  const file = createReadStream(path)
  const parser = new Parser({ strict: true, onReadEntry: (entry) => take(entry) })
  const take = (entry: ReadEntry): void => {
    const name = posix.normalize(entry.path).replace(/\/$/, '')
    const problem = problemOf(entry, { name, names, seen })
    if (problem) problems.push(`is refused: its entry ${JSON.stringify(entry.path.slice(0, LONGEST_PATH))} ${problem}`)
    if (problems.length >= MOST_NAMED) refuse()
    else if (problem || name === '.') entry.resume()
    else put(entry, name)
  }
  const put = (entry: ReadEntry, name: string): void => {
    const type = entry.type === 'Directory' ? 'Directory' : 'File'
    seen.set(name, type)
    out.write(headerOf(name, type, entry))
    entry.on('end', () => out.write(Buffer.alloc((BLOCK - (entry.size % BLOCK)) % BLOCK)))
    entry.pipe(out, { end: false })
  }
  parser.on('end', () => {
    if (problems.length > 0) refuse()
    else out.end(Buffer.alloc(2 * BLOCK))
  })
  const broken = (error: Error): void => {
    if (problems.length === 0) problems.push(`is not a whole tar archive: ${error.message}`)
    refuse()
  }
  parser.on('error', broken)
  file.on('error', broken)
  if (isPlainTar(path)) file.pipe(parser)
  else broken(new Error('it does not begin as one'))
  return out
}

const FIX = 'No honest backup has that: find out who made it before you trust the machine it is from, or take another.'

/** Compressed ones would be unpacked without anybody asking, to whatever size. */
const isPlainTar = (path: string): boolean => {
  const head = Buffer.alloc(BLOCK)
  const file = openSync(path, 'r')
  try {
    const got = readSync(file, head, 0, BLOCK, 0)
    return got === BLOCK && /^[.\w]/.test(head.toString('latin1')) && head.toString('latin1', 257, 262) === 'ustar'
  } finally {
    closeSync(file)
  }
}

interface Known {
  readonly name: string
  readonly names: RegExp | undefined
  readonly seen: ReadonlyMap<string, 'File' | 'Directory'>
}

const problemOf = ({ type, path, mode = 0 }: ReadEntry, { name, names, seen }: Known): string | null => {
  if (!['File', 'OldFile', 'ContiguousFile', 'Directory'].includes(type)) return `is a ${type}`
  if (mode & 0o7000) return `has the mode ${mode.toString(8)}`
  if (seen.size >= MOST_ENTRIES) return `is beyond the first ${MOST_ENTRIES}`
  if (name === '.') return type === 'Directory' ? null : 'is no folder'
  if (path.startsWith('/') || name.split('/').includes('..')) return 'leads out of its folder'
  if (/[^\x20-\x7e]/.test(name) || Buffer.byteLength(name) > LONGEST_PATH) return 'has a name that no data has'
  if (name.startsWith('.vestal-') || (names && !names.test(name))) return 'is no part of this data'
  if (seen.has(name)) return 'is there twice'
  return name.split('/').some((_, at, parts) => seen.get(parts.slice(0, at).join('/')) === 'File')
    ? 'is inside a file'
    : null
}

const headerOf = (path: string, type: 'File' | 'Directory', { size, mtime }: ReadEntry): Buffer => {
  const block = Buffer.alloc(BLOCK)
  const folder = type === 'Directory'
  const header = new Header({
    path: folder ? `${path}/` : path,
    type,
    mode: folder ? 0o700 : 0o600,
    uid: 0,
    gid: 0,
    size: folder ? 0 : size,
    mtime: mtime && Math.abs(mtime.getTime()) < MOST_MS ? mtime : new Date(0),
  })
  if (header.encode(block)) throw new Error(`${path} needs more than a plain header`)
  return block
}

/** What eleven octal digits of seconds hold. */
const MOST_MS = 8 ** 11 * 1_000
