import { existsSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import type { Host, Inventory, Role } from '../model.ts'
import { startChecks } from './check.ts'
import { effectiveVariables } from './effective.ts'
import { hostReader } from './hosts.ts'
import { looksLikeInventory, readInventoryFile } from './inventory-file.ts'
import { folderOf, inventoryFiles } from './inventory-files.ts'
import { remember } from './memory.ts'
import { collectMistakes, type Mistakes } from './mistakes.ts'
import { readSecrets, type Secrets } from './secrets.ts'
import { blameSharedMachines, blameUnset, checkVariable } from './settings.ts'
import { parseSource } from './source.ts'
import { emptyTree, finishTree, type Tree } from './tree.ts'
import { varFolder } from './var-files.ts'
import { type ReadVariable, type Variable, variableReader } from './variable.ts'
import { isVault } from './vault.ts'

interface LoadOptions {
  /** Where `{ $env: NAME }`, HOME and ANSIBLE_VAULT_PASSWORD_FILE are looked up; default: this process's environment. */
  readonly env?: NodeJS.ProcessEnv
}

/**
 * Reads an inventory as `ansible-inventory -i PATH -i PATH …` does, checks every variable that Vestal knows, and freezes the result.
 * A path is a YAML file or a folder of them. Throws one InputError with all mistakes, each with its file, line and column.
 */
export const loadInventory = async (
  paths: readonly string[],
  roles: readonly Role[],
  { env = process.env }: LoadOptions = {},
): Promise<Inventory> => {
  const mistakes = collectMistakes()
  if (paths.length === 0) mistakes.add('--inventory', { what: 'no inventory given', fix: 'name one: -i inventory/ha' })
  const secrets = readSecrets(env, mistakes)
  const variable = variableReader(secrets, mistakes)
  const tree = emptyTree()
  const reading = { tree, variable, secrets, mistakes }
  const complete = paths.map((path) => readPath(path, reading)).every(Boolean)
  finishTree(tree)
  blameDoubleNames(tree, mistakes)

  const readers = { variable, secrets, mistakes }
  const folders = [...new Set(paths.filter((path) => existsSync(path)).map(folderOf))].map((folder) => ({
    groups: varFolder(join(folder, 'group_vars'), readers),
    hosts: varFolder(join(folder, 'host_vars'), readers),
  }))
  const checks = startChecks(mistakes)
  const checked = new Set<Variable>()
  const readHost = hostReader({ checks, mistakes, env })
  const variables = new Map<string, ReadonlyMap<string, Variable>>()
  const hosts: Host[] = []
  for (const member of tree.hosts.values()) {
    const own = effectiveVariables(tree, member, folders)
    variables.set(member.name, own)
    for (const one of own.values()) if (!checked.has(one)) checkVariable(one, { roles, checks, mistakes })
    for (const one of own.values()) checked.add(one)
    hosts.push(readHost(member, own))
  }
  if (complete) {
    const blaming = { mistakes, at: ({ name }: Host) => tree.hosts.get(name)?.at ?? { file: '', line: 1, column: 1 } }
    blameUnset(hosts, roles, blaming)
    blameSharedMachines(hosts, roles, blaming)
    for (const { groups } of folders) groups.blameNearMisses(new Set(tree.groups.keys()))
    for (const folder of folders) folder.hosts.blameNearMisses(new Set(tree.hosts.keys()))
  }
  mistakes.throwAny()
  if (hosts.length === 0)
    mistakes.add(paths.join(', '), { what: 'no host in this inventory', fix: 'name one below `hosts:`' })
  mistakes.throwAny()

  const inventory: Inventory = Object.freeze({
    name: paths.map((path) => basename(resolve(path))).join('+'),
    folder: resolve(folderOf(paths[0] ?? '.')),
    hosts: Object.freeze(hosts),
  })
  remember(inventory, { tree, variables })
  return inventory
}

interface Reading {
  readonly tree: Tree
  readonly variable: ReadVariable
  readonly secrets: Secrets
  readonly mistakes: Mistakes
}

/** Reads what stands at a path into the tree; false when part of it could not be read. */
const readPath = (path: string, { tree, variable, secrets, mistakes }: Reading): boolean => {
  const files = inventoryFiles(path, mistakes)
  const read = files.map(({ file, text: raw, nested }) => {
    const sealed = isVault(raw)
    const text = sealed ? secrets.openFile(file, raw) : raw
    // A sub-folder also holds rules and templates, which need not be YAML: only what mentions hosts is held to it.
    const unimportant = nested && !/^\s*(?:hosts|children|vars)\s*:/m.test(raw)
    const source =
      text === undefined ? undefined : parseSource({ file, text, sealed }, unimportant ? collectMistakes() : mistakes)
    if (source && (!nested || looksLikeInventory(source))) readInventoryFile({ source, tree, variable, mistakes })
    return source !== undefined || unimportant
  })
  return files.length > 0 && read.every(Boolean)
}

/** Ansible would give such a host's variables to the group. */
const blameDoubleNames = (tree: Tree, mistakes: Mistakes): void => {
  for (const { name, at } of tree.hosts.values())
    if (tree.groups.has(name))
      mistakes.add(at, { what: `\`${name}\` is both a host and a group`, fix: 'rename one of them' })
}
