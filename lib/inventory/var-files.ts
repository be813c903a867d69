import { existsSync } from 'node:fs'
import { extname, join } from 'node:path'
import { isMap, isScalar } from 'yaml'
import { entriesIn, isFolder, readText, YAML_EXTENSIONS } from './inventory-files.ts'
import type { Mistakes } from './mistakes.ts'
import { editDistance } from './near.ts'
import type { Secrets } from './secrets.ts'
import { entriesOf, parseSource, positionOf, type Source } from './source.ts'
import type { ReadVariable, Variable } from './variable.ts'
import { isVault } from './vault.ts'

type Variables = ReadonlyMap<string, Variable>
/** `group_vars` or `host_vars` of one folder: what it holds for a name. Each file is read once, when first asked for. */
export interface VarFolder {
  of(name: string): Variables | undefined
  /** Blames files whose name is one slip away from one of `names`: nothing would ever read them. */
  blameNearMisses(names: ReadonlySet<string>): void
}
interface Readers {
  readonly variable: ReadVariable
  readonly secrets: Secrets
  readonly mistakes: Mistakes
}

/** Source: ansible-core, plugins/vars/host_group_vars.py and parsing/dataloader.py (find_vars_files). */
export const varFolder = (folder: string, readers: Readers): VarFolder => {
  const entries = existsSync(folder) && isFolder(folder) ? entriesIn(folder).map(({ name }) => name) : []
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
  return {
    of(name) {
      if (!read.has(name)) read.set(name, load(name))
      return read.get(name)
    },
    blameNearMisses(names) {
      for (const entry of entries) {
        const name = YAML_EXTENSIONS.includes(extname(entry))
          ? entry.slice(0, entry.length - extname(entry).length)
          : entry
        if (names.has(entry) || names.has(name) || name.length < 5) continue
        const near = [...names].find((one) => isSlipOf(name, one))
        if (near)
          readers.mistakes.add(join(folder, entry), {
            what: `belongs to nothing; did you mean \`${near}\`?`,
            fix: 'rename it',
          })
      }
    },
  }
}

/** One slip, and not in the number: `node-2` is another host than `node-1`, which this inventory need not have. */
const isSlipOf = (name: string, other: string): boolean =>
  editDistance(name, other) === 1 && name.replace(/\d/g, '') !== other.replace(/\d/g, '')

const variablesIn = (path: string, readers: Readers): Variables => {
  const all = new Map<string, Variable>()
  for (const file of varFiles(path)) {
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

const openSource = (file: string, { secrets, mistakes }: Readers): Source | undefined => {
  const raw = readText(file)
  const sealed = isVault(raw)
  const text = sealed ? secrets.openFile(file, raw) : raw
  return text === undefined ? undefined : parseSource({ file, text, sealed }, mistakes)
}

const varFiles = (path: string): readonly string[] =>
  isFolder(path)
    ? entriesIn(path).flatMap(({ name }) => {
        const inner = join(path, name)
        if (name.startsWith('.') || name.endsWith('~')) return []
        if (isFolder(inner)) return extname(name) ? [] : varFiles(inner)
        return YAML_EXTENSIONS.includes(extname(name)) ? [inner] : []
      })
    : [path]
