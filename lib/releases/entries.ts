import { open } from 'node:fs/promises'
import { posix } from 'node:path'
import { list } from 'tar'
import { InputError } from '../errors.ts'

/** What is looked at of an entry: node-tar's names. */
interface Entry {
  readonly path: string
  readonly type: string
  readonly linkpath?: string
}

/**
 * The names of the plain files in a gzipped tarball. Throws InputError when it cannot be read to its end, or when an entry is neither
 * file, folder nor link, or would be unpacked, or point, outside its folder.
 */
export const listEntries = async (path: string, what: string): Promise<readonly string[]> => {
  const entries: Entry[] = []
  try {
    await list({
      file: path,
      strict: true,
      onReadEntry: ({ path, type, linkpath }) => entries.push({ path, type, linkpath }),
    })
  } catch (error) {
    const why = `is not a whole gzipped tarball: ${(error as Error).message}`
    throw new InputError([
      { where: what, what: why, fix: 'Fetch it into the mirror again, and take its checksum again.' },
    ])
  }
  const mistakes = entries.flatMap((entry) => {
    const problem = problemOf(entry)
    return problem
      ? [{ where: what, what: `is refused: its entry ${JSON.stringify(entry.path)} ${problem}`, fix: HARMFUL }]
      : []
  })
  if (mistakes.length > 0) throw new InputError(mistakes)
  return entries.filter(({ type }) => type === 'File' || type === 'OldFile').map(({ path }) => posix.normalize(path))
}

/** Nothing to list of a file that is a program itself. Throws InputError where it is none for Linux: an error page, a tarball. */
export const checkProgram = async (path: string, what: string): Promise<readonly string[]> => {
  await using file = await open(path)
  const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0)
  if (bytesRead === 4 && buffer.equals(ELF)) return []
  throw new InputError([
    {
      where: what,
      what: 'is no program for Linux',
      fix: 'Fetch it into the mirror again, and take its checksum again.',
    },
  ])
}

/** How every program for Linux begins (elf(5), `e_ident`). */
const ELF = Buffer.from([0x7f, 0x45, 0x4c, 0x46])

const HARMFUL = 'No honest release has that. Find out who made the tarball before you trust anything from there.'

const problemOf = ({ path, type, linkpath = '' }: Entry): string | null => {
  if (outside(path)) return 'would be unpacked outside its folder'
  if (type === 'SymbolicLink') {
    return outside(posix.join(posix.dirname(path), linkpath)) || linkpath.startsWith('/')
      ? `links outside its folder, to ${JSON.stringify(linkpath)}`
      : null
  }
  if (type === 'Link') return outside(linkpath) ? `links outside its folder, to ${JSON.stringify(linkpath)}` : null
  return ['File', 'OldFile', 'ContiguousFile', 'Directory', 'GNUDumpDir'].includes(type) ? null : `is a ${type}`
}

const outside = (path: string): boolean => {
  const plain = posix.normalize(path)
  return plain.startsWith('/') || plain === '..' || plain.startsWith('../')
}
