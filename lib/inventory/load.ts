import { existsSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import type { ZodType } from 'zod'
import type { Host, Inventory, Role } from '../model.ts'
import { Secret } from '../secret.ts'
import { blameSettings } from './blame-settings.ts'
import {
  blameNearGroups,
  blameSharedAddresses,
  blameSharedMachines,
  blameUnknown,
  blameUnset,
  checkVariable,
  hasRole,
} from './check-variables.ts'
import { type FileEdit, filesWith } from './files.ts'
import { hide } from './hidden.ts'
import { hostReader } from './hosts.ts'
import { vestalVariable } from './machine.ts'
import { collectMistakes } from './mistakes.ts'
import { effectiveVariables } from './precedence.ts'
import { remember } from './provenance.ts'
import { emptyTree, finishTree, groupsOf, type Member } from './read/groups.ts'
import { folderOf } from './read/inventory-files.ts'
import { playbookFolders } from './read/playbook-folder.ts'
import { blameDoubleNames, readPath } from './read/read-path.ts'
import { blameNearMisses, varFoldersIn } from './read/var-files.ts'
import { startChecks } from './schema/validate.ts'
import { settingsJoiner } from './settings.ts'
import { readSecrets } from './yaml/secrets.ts'
import { type Variable, variableReader } from './yaml/variable.ts'

interface LoadOptions {
  /** Where `{ $env: NAME }`, HOME and ANSIBLE_VAULT_PASSWORD_FILE are looked up; default: this process's environment. */
  readonly env?: NodeJS.ProcessEnv
  /** Edits of its files that are not written yet: the inventory as it would be. */
  readonly edits?: readonly FileEdit[]
}

/**
 * Reads an inventory as `ansible-inventory -i PATH -i PATH …` does, checks every variable that Vestal knows, and freezes the result.
 * A path is a YAML file or a folder of them. Throws one InputError with all mistakes, each with its file, line and column.
 */
export const loadInventory = async (
  paths: readonly string[],
  roles: readonly Role[],
  { env = process.env, edits = [] }: LoadOptions = {},
): Promise<Inventory> => {
  const mistakes = collectMistakes()
  if (paths.length === 0) mistakes.add('--inventory', { what: 'no inventory given', fix: 'name one: -i inventory/ha' })
  const secrets = readSecrets(env, mistakes)
  const readers = { files: filesWith(edits), secrets, mistakes, env, variable: variableReader(secrets) }
  const tree = emptyTree()
  const complete = paths.map((path) => readPath(path, tree, readers)).every(Boolean)
  finishTree(tree)
  blameDoubleNames(tree, mistakes)

  const own = paths.filter((path) => existsSync(path)).map(folderOf)
  const folders = varFoldersIn([...own, ...playbookFolders(own, readers.files)], readers)
  const checks = startChecks(mistakes)
  const values = new Map<Variable, unknown>()
  const joined = settingsJoiner()
  const schemas = new Map([...roles.map(({ key, vars }) => [key, vars] as const), ['vestal', vestalVariable] as const])
  const chosen = (effective: ReturnType<typeof effectiveVariables>): ReadonlyMap<string, Variable> =>
    new Map(
      [...effective].map(([name, layers]) => {
        const schema = schemas.get(name)
        return [name, schema ? joined(layers, schema as ZodType) : (layers.at(-1) as Variable)]
      }),
    )
  const variables = new Map<string, ReadonlyMap<string, Variable>>()
  // What other hosts have in their variables is somebody else's to judge. Where no host has a role, there are no others.
  const given = [...tree.hosts.values()].map(namesOfGroups).some((groups) => hasRole({ groups }, roles))
  const isOurs = (groups: readonly string[]): boolean => (roles.length > 0 && !given) || hasRole({ groups }, roles)
  const readHost = hostReader({ checks, mistakes, env, isOurs })
  const hosts: readonly Host[] = [...tree.hosts.values()].map((member) => {
    const its = chosen(effectiveVariables(tree, member, folders))
    variables.set(member.name, its)
    const groups = namesOfGroups(member)
    for (const one of its.values()) if (!values.has(one)) values.set(one, checkVariable(one, { roles, checks }))
    if (isOurs(groups)) for (const one of its.values()) blameUnknown(one, roles, mistakes)
    return readHost(member, its, values)
  })
  if (complete) {
    // With part of the files unread, what seems to be missing may be there.
    const blaming = { mistakes, at: ({ name }: Host) => tree.hosts.get(name)?.at ?? paths.join(', ') }
    blameUnset(hosts, roles, blaming)
    blameSharedMachines(hosts, roles, blaming)
    blameSharedAddresses(hosts, roles, blaming)
    blameNearGroups(hosts, roles, blaming)
    blameNearMisses(folders, tree, mistakes)
  }
  mistakes.throwAny()
  if (hosts.length === 0)
    mistakes.add(paths.join(', '), { what: 'no host in this inventory', fix: 'name one below `hosts:`' })
  mistakes.throwAny()

  const inventory: Inventory = Object.freeze({
    name: paths.map((path) => basename(resolve(path))).join('+'),
    folder: resolve(folderOf(paths[0] ?? '.')),
    hosts: Object.freeze(hosts),
    roles,
  })
  remember(inventory, { paths, tree, variables })
  for (const { machine } of hosts) hide(inventory, loginsIn(machine.releases))
  if (complete) blameSettings(inventory, { mistakes, variables })
  mistakes.throwAny()
  return inventory
}

/** The password in a mirror's address, which other programs may show by itself. */
const loginsIn = (releases: string | Secret): readonly Secret[] => {
  const [, password] = releases instanceof Secret ? (/^\w+:\/\/[^:/@]*:([^/@]+)@/.exec(releases.reveal()) ?? []) : []
  return password === undefined ? [] : [new Secret(password)]
}

const namesOfGroups = (member: Member): readonly string[] => [...groupsOf(member)].map(({ name }) => name)
