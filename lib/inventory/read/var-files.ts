import { extname, join } from 'node:path'
import { isMap, isScalar } from 'yaml'
import { editDistance } from '../did-you-mean.ts'
import type { Files } from '../files.ts'
import { isFolder, YAML_EXTENSIONS } from '../files.ts'
import type { Mistakes } from '../mistakes.ts'
import { entriesOf, parseSource, positionOf, type Source } from '../yaml/source.ts'
import type { Variable } from '../yaml/variable.ts'
import { isVault } from '../yaml/vault.ts'
import type { Tree } from './groups.ts'
import type { Readers } from './read-path.ts'

type Variables = ReadonlyMap<string, Variable>
/** `group_vars` or `host_vars` of one folder. */
export interface VarFolder {
  readonly folder: string
  /** The names of what stands in it. */
  readonly entries: readonly string[]
  /** What it holds for a group or host. Each file is read once, when first asked for. */
  of(name: string): Variables | undefined
}
/** Both, beside one of the inventory's paths. */
export interface VarFolders {
  readonly groups: VarFolder
  readonly hosts: VarFolder
}

/** The `group_vars` and `host_vars` of folders, one pair for each, in order. */
export const varFoldersIn = (folders: readonly string[], readers: Readers): readonly VarFolders[] => {
  const known = new Map<string, VarFolders>()
  return folders.map((folder) => {
    const found = known.get(folder) ?? {
      groups: varFolder(join(folder, 'group_vars'), readers),
      hosts: varFolder(join(folder, 'host_vars'), readers),
    }
    known.set(folder, found)
    return found
  })
}

/** Blames files whose name is one slip away from a group's or host's: nothing would ever read them. */
export const blameNearMisses = (folders: readonly VarFolders[], tree: Tree, mistakes: Mistakes): void => {
  for (const { groups, hosts } of folders) {
    blameIn(groups, new Set(tree.groups.keys()), mistakes)
    blameIn(hosts, new Set(tree.hosts.keys()), mistakes)
  }
}

const blameIn = ({ folder, entries }: VarFolder, names: ReadonlySet<string>, mistakes: Mistakes): void => {
  for (const entry of entries) {
    const extension = extname(entry)
    const name = YAML_EXTENSIONS.includes(extension) ? entry.slice(0, entry.length - extension.length) : entry
    if (names.has(entry) || names.has(name) || name.length < 5) continue
    const near = [...names].find((one) => isSlipOf(name, one))
    if (near)
      mistakes.add(join(folder, entry), { what: `belongs to nothing; did you mean \`${near}\`?`, fix: 'rename it' })
  }
}

/** One slip, and not in the number: `node-2` is another host than `node-1`, which this inventory need not have. */
const isSlipOf = (name: string, other: string): boolean =>
  Math.abs(name.length - other.length) <= 1 &&
  editDistance(name, other) === 1 &&
  name.replace(/\d/g, '') !== other.replace(/\d/g, '')

/** Source: ansible-core, plugins/vars/host_group_vars.py and parsing/dataloader.py (find_vars_files). */
const varFolder = (folder: string, readers: Readers): VarFolder => {
  const entries = isFolder(folder) ? readers.files.names(folder) : []
  const present = new Set(entries)
  const read = new Map<string, Variables | undefined>()
  const load = (name: string): Variables | undefined => {
    const [first, ...others] = YAML_EXTENSIONS.map((extension) => name + extension).filter((one) => present.has(one))
    if (first === undefined) return undefined
    for (const other of others)
      readers.mistakes.add(join(folder, other), {
        what: `never read, because ${join(folder, first)} is there too`,
        fix: isFolder(join(folder, first)) ? 'move it into that folder' : 'put both into one file',
      })
    return variablesIn(join(folder, first), readers)
  }
  const of = (name: string): Variables | undefined => {
    if (!read.has(name)) read.set(name, load(name))
    return read.get(name)
  }
  return { folder, entries, of }
}

const variablesIn = (path: string, readers: Readers): Variables => {
  const all = new Map<string, Variable>()
  for (const file of varFiles(path, readers.files)) {
    const source = openSource(file, readers)
    if (!source?.root || (isScalar(source.root) && source.root.value === null)) continue
    if (!isMap(source.root)) {
      const where = positionOf(source, source.root)
      readers.mistakes.add(where, { what: 'expected variables (a mapping of names to values)' })
      continue
    }
    for (const entry of entriesOf(source, source.root)) all.set(entry.name, readers.variable(source, entry))
  }
  return all
}

const openSource = (file: string, { secrets, mistakes, files }: Readers): Source | undefined => {
  const raw = files.text(file)
  const sealed = isVault(raw)
  const text = sealed ? secrets.openFile(file, raw) : raw
  return text === undefined ? undefined : parseSource({ file, text, sealed }, mistakes)
}

const varFiles = (path: string, files: Files): readonly string[] =>
  isFolder(path)
    ? files.names(path).flatMap((name) => {
        const inner = join(path, name)
        if (name.startsWith('.') || name.endsWith('~')) return []
        if (isFolder(inner)) return extname(name) ? [] : varFiles(inner, files)
        return YAML_EXTENSIONS.includes(extname(name)) ? [inner] : []
      })
    : [path]
