/**
 * A backup is data from a machine that may be hostile. Nothing of its archives is sent as it came: they are read here, every entry is held
 * against what a service's data can be, and what is sent is written anew, so that no two programs can read it in two ways.
 */
import { createHash } from 'node:crypto'
import { closeSync, createReadStream, fstatSync, openSync, readSync } from 'node:fs'
import { posix } from 'node:path'
import { PassThrough, type Readable } from 'node:stream'
import { Header, Parser, type ReadEntry } from 'tar'
import { InputError, type Mistake } from '../../lib/errors.ts'

const BLOCK = 512
/** More than the largest TSDB has files: segments of its chunks are of 512 MiB. Their names are held in memory. */
const MOST_ENTRIES = 200_000
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
 * entry is neither a plain file nor a folder, has a name that `names` does not match or that leads elsewhere, has a set-id or sticky bit, is
 * longer than the archive or is there twice; and where the file is no whole, plain tar archive.
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
  const plain = lookAt(path)
  const file = createReadStream(path)
  const take = (entry: ReadEntry): void => {
    const name = posix.normalize(entry.path).replace(/\/$/, '')
    const problem = problemOf(entry, { name, names, seen, longest: plain.bytes })
    const header = problem ? null : headerOf(name, entry)
    if (problem) problems.push(`is refused: its entry ${JSON.stringify(entry.path.slice(0, LONGEST_PATH))} ${problem}`)
    if (problems.length >= MOST_NAMED) refuse()
    else if (!header || name === '.') entry.resume()
    else put(entry, name, header)
  }
  const put = (entry: ReadEntry, name: string, header: Buffer): void => {
    seen.set(name, typeOf(entry))
    out.write(header)
    entry.on('end', () => out.write(Buffer.alloc((BLOCK - (entry.size % BLOCK)) % BLOCK)))
    entry.pipe(out, { end: false })
  }
  const broken = (error: Error): void => {
    if (problems.length === 0) problems.push(`is not a whole tar archive: ${error.message}`)
    refuse()
  }
  /** A throw must not leave a handler: nobody would be there to take it. */
  const guarded = (entry: ReadEntry): void => {
    try {
      take(entry)
    } catch (error) {
      broken(error as Error)
    }
  }
  const parser = new Parser({ strict: true, onReadEntry: guarded })
  // What the parser does not know, or finds too long, it would leave out without a word.
  parser.on('ignoredEntry', guarded)
  parser.on('end', () => {
    if (problems.length > 0) refuse()
    else out.end(Buffer.alloc(2 * BLOCK))
  })
  parser.on('error', broken)
  file.on('error', broken)
  out.on('close', () => file.destroy())
  if (plain.isTar) file.pipe(parser)
  else broken(new Error('it does not begin as one'))
  return out
}

const FIX = 'No honest backup has that: find out who made it before you trust the machine it is from, or take another.'

/** Whether a file begins as a tar archive does: compressed ones would be unpacked without anybody asking, to whatever size. And its length. */
const lookAt = (path: string): { readonly isTar: boolean; readonly bytes: number } => {
  const head = Buffer.alloc(BLOCK)
  const file = openSync(path, 'r')
  try {
    const got = readSync(file, head, 0, BLOCK, 0)
    const text = head.toString('latin1')
    return {
      isTar: got === BLOCK && /^[.\w]/.test(text) && text.slice(257, 262) === 'ustar',
      bytes: fstatSync(file).size,
    }
  } finally {
    closeSync(file)
  }
}

interface Known {
  readonly name: string
  readonly names: RegExp | undefined
  readonly seen: ReadonlyMap<string, 'File' | 'Directory'>
  /** As long as the archive: no file in it can be longer. */
  readonly longest: number
}

const problemOf = (entry: ReadEntry, { name, names, seen, longest }: Known): string | null => {
  const { type, path, mode = 0, size } = entry
  if (!['File', 'OldFile', 'ContiguousFile', 'Directory'].includes(type)) return `is a ${type}`
  if (!(Number.isSafeInteger(size) && size >= 0 && size <= longest))
    return `says that it has ${size} bytes, and the archive has ${longest}`
  if (mode & 0o7000) return `has the mode ${mode.toString(8)}`
  if (seen.size >= MOST_ENTRIES) return `is beyond the first ${MOST_ENTRIES}`
  if (name === '.') return type === 'Directory' ? null : 'is no folder'
  if (path.startsWith('/') || name.split('/').includes('..')) return 'leads out of its folder'
  if (/[^\x20-\x7e]/.test(name) || Buffer.byteLength(name) > LONGEST_PATH) return 'has a name that no data has'
  if (name.startsWith('.vestal-') || (names && !names.test(name))) return 'is no part of this data'
  if (seen.has(name)) return 'is there twice'
  const again = new Header(headerOf(name, entry))
  if (again.path?.replace(/\/$/, '') !== name) return 'has a name that no data has'
  return name.split('/').some((_, at, parts) => seen.get(parts.slice(0, at).join('/')) === 'File')
    ? 'is inside a file'
    : null
}

const typeOf = ({ type }: ReadEntry): 'File' | 'Directory' => (type === 'Directory' ? 'Directory' : 'File')

const headerOf = (path: string, entry: ReadEntry): Buffer => {
  const block = Buffer.alloc(BLOCK)
  const type = typeOf(entry)
  const folder = type === 'Directory'
  new Header({
    path: folder ? `${path}/` : path,
    type,
    mode: folder ? 0o700 : 0o600,
    uid: 0,
    gid: 0,
    size: folder ? 0 : entry.size,
    mtime: timeOf(entry),
  }).encode(block)
  return block
}

/** When it was written, where that is a time that eleven octal digits of seconds can hold. */
const timeOf = ({ mtime }: ReadEntry): Date =>
  mtime && mtime.getTime() >= 0 && mtime.getTime() < 8 ** 11 * 1_000 ? mtime : new Date(0)
