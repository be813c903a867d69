import { createHash } from 'node:crypto'
import { onlyRootsWay } from '../as-owner.ts'
import { InputError } from '../errors.ts'
import type { Change, Kind, Step, Task } from '../model.ts'
import { bytesOf, type Content } from '../secret.ts'
import { word } from '../shell.ts'
import { absolutePath, accountName, octalMode } from './check.ts'
import { parseSha256, parseStat, printSha256, printStat, records, sections, setPaths } from './paths.ts'
import { moveBack, putBack, remove, replace } from './replace.ts'

/** `type` is `file`, `symlink`, `directory` or another of stat's words; `sha256` is empty where it isn't a file. */
export type FileState = Readonly<{ type: string; sha256: string; mode: string; owner: string; group: string }>
export interface FileData {
  readonly content?: Content
  readonly validate?: string
}
export interface FileOptions {
  readonly mode?: string
  readonly owner?: string
  /** Default: the owner's own group. */
  readonly group?: string
  /** POSIX sh that finds the new file under a temporary name beside the target in "$1"; when it fails, nothing is replaced. */
  readonly validate?: string
}

/** Files travel inside the script; what is larger belongs into a release. */
const LARGEST = 8 * 1024 * 1024

export const fileKind: Kind<FileState, FileData> = {
  name: 'file',
  summary:
    'A file with exactly this content, mode and owner, validated before it is put in place; or nothing at a path.',
  probe: (tasks) => {
    const paths = tasks.map(({ key }) => key)
    const hashed = tasks.filter(({ desired }) => desired !== null).map(({ key }) => key)
    return `${setPaths(paths)}
${printStat(paths)}
printf '#\\0'
${setPaths(hashed)}
${printSha256(hashed)}`
  },
  parse: (stdout) => {
    const [stats = [], hashes = []] = sections(records(stdout), '#')
    const sha256 = parseSha256(hashes)
    return new Map([...parseStat(stats)].map(([path, stat]) => [path, { ...stat, sha256: sha256.get(path) ?? '' }]))
  },
  converge: (change) => [step(change)],
  explain: ({ from, to, fields }) => {
    if (to === null) return `a ${from?.type} is there and must not be`
    if (from === null) return ''
    if (from.type !== 'file') return `a ${from.type} is in its place`
    return fields
      .map((field) =>
        field === 'sha256' ? 'content' : `${field} ${from[field as keyof FileState]} → ${to[field as keyof FileState]}`,
      )
      .join(', ')
  },
  text: ({ key, data: { content } }) => (content === undefined ? null : { path: key, content }),
}

/** A file with this content. Throws InputError on a path that isn't absolute, a mode that isn't octal or more than 8 MiB. */
export const file = (path: string, content: Content, options: FileOptions = {}): Task<FileState, FileData> => {
  const { mode = '0644', owner = 'root', group = owner, validate } = options
  const bytes = bytesOf(content)
  if (bytes.length > LARGEST) {
    throw new InputError([
      {
        where: `file ${path}`,
        what: `its content is ${bytes.length} bytes long; at most ${LARGEST} (8 MiB) can be sent`,
        fix: 'Split it, or deliver it as a release.',
      },
    ])
  }
  return {
    kind: fileKind,
    key: absolutePath(path),
    desired: {
      type: 'file',
      sha256: createHash('sha256').update(bytes).digest('hex'),
      mode: octalMode(mode),
      owner: accountName(owner),
      group: accountName(group),
    },
    data: { content, validate },
  }
}

/** Nothing at this path. What stands there is moved into the run's backup. Throws InputError on a path that isn't absolute. */
export const absent = (path: string): Task<FileState, FileData> => ({
  kind: fileKind,
  key: absolutePath(path),
  desired: null,
  data: {},
})

const step = ({ task: { key, data }, from, to, fields }: Change<FileState, FileData>): Step => {
  if (to === null) return { title: `remove ${key}`, run: remove(key), undo: moveBack(key) }
  const access = setAccess(key, to as FileState)
  if (from && !fields.includes('sha256') && !fields.includes('type')) {
    return { title: `set mode and owner of ${key}`, run: access, undo: setAccess(key, from) }
  }
  return {
    title: `write ${key}`,
    run: replace(key, makeFile(to as FileState, data.validate)),
    stdin: data.content ?? '',
    undo: putBack(key),
  }
}

/** Shell that creates "$new" from standard input: readable by root alone until its owner and mode are right. */
export const makeFile = ({ mode, owner, group }: Omit<FileState, 'sha256' | 'type'>, check?: string): string =>
  `umask 077
set -C
cat >"$new"
set +C
${owner === 'root' && group === 'root' ? '' : `chown -h ${word(`${owner}:${group}`)} "$new"\n`}chmod ${mode} "$new"
${check === undefined ? '' : `( set -- "$new"\n${check}\n)\n`}sync "$new"
`

/** Shell that sets owner and mode of what is already there; a link that has come to stand there meanwhile is not followed, nor one on the way. */
export const setAccess = (path: string, { mode, owner, group }: Omit<FileState, 'sha256' | 'type'>): string =>
  `${onlyRootsWay(path)}if [ -L ${word(path)} ]; then printf '%s is a link now\\n' ${word(path)} >&2; exit 1; fi
chown -h ${word(`${owner}:${group}`)} ${word(path)}
chmod ${mode} ${word(path)}`
