import type { Files } from '../files.ts'
import { collectMistakes, type Mistakes } from '../mistakes.ts'
import type { Secrets } from '../yaml/secrets.ts'
import { parseSource, type Source } from '../yaml/source.ts'
import type { ReadVariable } from '../yaml/variable.ts'
import { isVault } from '../yaml/vault.ts'
import { hostsOf, type Tree } from './groups.ts'
import { iniSource, readIniFile } from './ini-file.ts'
import { looksLikeInventory, readInventoryFile } from './inventory-file.ts'
import { inventoryFiles } from './inventory-files.ts'
import { looksLikeList, readListFile } from './list-file.ts'
import { askScript } from './script.ts'

/** What reading files needs: the files, how to make variables, how to open vaults, where to tell mistakes. */
export interface Readers {
  readonly files: Files
  readonly variable: ReadVariable
  readonly secrets: Secrets
  readonly mistakes: Mistakes
  /** What scripts are run with. */
  readonly env: NodeJS.ProcessEnv
}

/** Reads the groups and hosts that a path names into the tree; false when part of it could not be read. */
export const readPath = (path: string, tree: Tree, readers: Readers): boolean => {
  const { sources, complete } = inventorySources(path, readers)
  const { variable, mistakes } = readers
  for (const source of sources) {
    const reading = { source, tree, variable, mistakes }
    if (source.format === 'ini') readIniFile(reading)
    else if (source.format === 'script') {
      const file = source.file.replace(/ --list$/, '')
      readListFile({ ...reading, hostVariables: (host) => askScript(file, ['--host', host], readers) })
    } else if (looksLikeList(source)) readListFile(reading)
    else readInventoryFile(reading)
  }
  return complete
}

/** The files behind a path that hold groups and hosts; `complete` is false when one of them could not be read. */
export const inventorySources = (
  path: string,
  { files, secrets, mistakes, env }: Omit<Readers, 'variable'>,
): { readonly sources: readonly Source[]; readonly complete: boolean } => {
  const sources: Source[] = []
  const found = inventoryFiles(path, { files, mistakes })
  const read = found.map(({ file, text: raw, nested, format }) => {
    if (format === 'ini') return sources.push(iniSource(file, raw)) > 0
    if (format === 'script') {
      const answer = askScript(file, ['--list'], { env, mistakes })
      if (answer) sources.push(answer)
      return answer !== undefined
    }
    const sealed = isVault(raw)
    const text = sealed ? secrets.openFile(file, raw) : raw
    if (text === undefined) return false
    if (nested && !/hosts|children|vars/.test(text)) return true
    // A sub-folder also holds rules and templates, which need not be YAML: only what mentions hosts is held to it.
    const unimportant = nested && !/^\s*(?:hosts|children|vars)\s*:/m.test(text)
    const source = parseSource({ file, text, sealed }, unimportant ? collectMistakes() : mistakes)
    if (source && (!nested || looksLikeInventory(source))) sources.push(source)
    return source !== undefined || unimportant
  })
  return { sources, complete: found.length > 0 && read.every(Boolean) }
}

/**
 * Blames hosts with variables of their own that are called as a group with other hosts is: Ansible gives such a host's variables to the group. Without,
 * or where the group is of that host alone, both names mean the same.
 */
export const blameDoubleNames = (tree: Tree, mistakes: Mistakes): void => {
  for (const { name, at, vars } of tree.hosts.values()) {
    const group = tree.groups.get(name)
    if (!group || vars.size === 0) continue
    const others = hostsOf(group).filter((one) => one !== name)
    if (others.length > 0)
      mistakes.add(at, {
        what: `\`${name}\` is both a host with variables of its own and a group with ${others[0]} in it, to which Ansible gives them`,
        fix: 'rename one of them',
      })
  }
}
