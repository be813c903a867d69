import { existsSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import type { ZodType } from 'zod'
import type { Host, Inventory, Role } from '../model.ts'
import { Secret } from '../secret.ts'
import { blameInstances } from './blame-instances.ts'
import { blameSettings } from './blame-settings.ts'
import {
  blameNearGroups,
  blameSharedAddresses,
  blameSharedMachines,
  blameUncertified,
  blameUnknown,
  blameUnset,
  checkVariable,
  hasRole,
} from './check-variables.ts'
import { CONNECTION } from './connection-vars.ts'
import { type FileEdit, filesWith } from './files.ts'
import { hide } from './hidden.ts'
import { hostReader } from './hosts.ts'
import type { Resolve, templateResolver } from './jinja/resolve.ts'
import { vestalVariable } from './machine.ts'
import { collectMistakes, type Mistakes } from './mistakes.ts'
import { effectiveVariables } from './precedence.ts'
import { remember } from './provenance.ts'
import { emptyTree, finishTree, groupsOf, hostsOf, type Member, type Tree } from './read/groups.ts'
import { folderOf } from './read/inventory-files.ts'
import { playbookFolders } from './read/playbook-folder.ts'
import { blameDoubleNames, readPath } from './read/read-path.ts'
import { blameNearMisses, varFoldersIn } from './read/var-files.ts'
import type { Include } from './schema/upstream-text.ts'
import { startChecks } from './schema/validate.ts'
import { settingsJoiner } from './settings.ts'
import { tlsVariable } from './tls.ts'
import { fileBehind, readSecrets } from './yaml/secrets.ts'
import { parseSource } from './yaml/source.ts'
import { isJinja, isTemplated } from './yaml/templating.ts'
import { type ReadVariable, type Variable, variableReader } from './yaml/variable.ts'

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
  given: readonly Role[],
  { env = process.env, edits = [] }: LoadOptions = {},
): Promise<Inventory> => {
  const mistakes = collectMistakes()
  // Those that exist by the settings of another are found anew: the inventory may have changed since.
  const roles = given.filter(({ of }) => of === undefined)
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
  const joined = settingsJoiner(includer(readers))
  const schemas = new Map<string, ZodType>([
    ...roles.map(({ key, vars }) => [key, vars as ZodType] as const),
    ['vestal', vestalVariable],
    ['tls', tlsVariable],
  ])
  const chosen = (effective: ReturnType<typeof effectiveVariables>): ReadonlyMap<string, Variable> =>
    new Map(
      [...effective].map(([name, layers]) => {
        const schema = schemas.get(name)
        return [name, schema ? joined(layers, schema) : (layers.at(-1) as Variable)]
      }),
    )
  const variables = new Map<string, ReadonlyMap<string, Variable>>()
  const folder = resolve(own[0] ?? '.')
  const written = new Map(
    [...tree.hosts.values()].map((member) => [member.name, chosen(effectiveVariables(tree, member, folders))]),
  )
  // What other hosts have in their variables is somebody else's to judge. Where no host has a role, there are no others.
  const claimed = new Set(
    [...tree.hosts.values()]
      .filter((member) =>
        hasRole({ groups: namesOfGroups(member), vars: claims(written.get(member.name), roles) }, roles),
      )
      .map(({ name }) => name),
  )
  const isOurs = (host: string): boolean => (roles.length > 0 && claimed.size === 0) || claimed.has(host)
  const readHost = hostReader({ checks, mistakes, env, folder, isOurs })
  const used = (name: string): boolean => schemas.has(name) || name in CONNECTION
  const templates = [...written.values()].some((all) => [...all].some(([name, one]) => used(name) && hasTemplate(one)))
    ? await templatesOf(tree, { hosts: written, env })
    : undefined
  const roleKeys = new Set(roles.map(({ key }) => key))
  const resolved = (
    host: string,
    all: ReadonlyMap<string, Variable>,
    heard: Mistakes | undefined,
  ): ReadonlyMap<string, Variable> =>
    templates
      ? new Map(
          [...all].map(([name, one]) => {
            const templated = roleKeys.has(name) ? isJinja : isTemplated
            return [name, used(name) ? templates(host, one, { templated, mistakes: heard }) : one]
          }),
        )
      : all
  // Whatever templates of other hosts come to is nobody's concern here.
  const others = startChecks(collectMistakes())
  const aside = new Map<Variable, unknown>()
  const hosts: readonly Host[] = [...tree.hosts.values()].map((member) => {
    const ours = isOurs(member.name)
    const its = resolved(member.name, written.get(member.name) ?? new Map(), ours ? mistakes : undefined)
    variables.set(member.name, its)
    const known = new Map<Variable, unknown>()
    for (const one of its.values()) {
      const heard = ours || !(hasTemplate(one) || roles.some(({ key, entries }) => entries && key === one.name))
      const read = heard ? values : aside
      if (!read.has(one)) read.set(one, checkVariable(one, { roles, checks: heard ? checks : others }))
      known.set(one, read.get(one))
    }
    if (ours) for (const one of its.values()) blameUnknown(one, roles, mistakes)
    return readHost(member, its, known)
  })
  const blaming = { mistakes, at: ({ name }: Host) => tree.hosts.get(name)?.at ?? paths.join(', ') }
  if (complete) {
    // With part of the files unread, what seems to be missing may be there.
    blameUnset(hosts, roles, blaming)
    blameSharedMachines(hosts, roles, blaming)
    blameNearMisses(folders, tree, mistakes)
  }
  mistakes.throwAny()
  if (hosts.length === 0)
    mistakes.add(paths.join(', '), { what: 'no host in this inventory', fix: 'name one below `hosts:`' })
  mistakes.throwAny()

  const inventory: Inventory = Object.freeze({
    name: paths.map((path) => basename(resolve(path))).join('+'),
    folder,
    hosts: Object.freeze(hosts),
    roles: roles.flatMap((role) => [role, ...(role.entries?.on(hosts) ?? [])]),
  })
  remember(inventory, { paths, tree, variables })
  for (const { machine } of hosts) hide(inventory, loginsIn(machine.releases))
  if (complete) {
    blameSharedAddresses(hosts, roles, blaming)
    blameInstances(inventory, blaming)
    blameUncertified(hosts, inventory.roles, blaming)
    blameNearGroups(hosts, roles, blaming)
    blameSettings(inventory, { mistakes, variables })
  }
  mistakes.throwAny()
  return inventory
}

/** Reads files that stand in the place of a section, each once. */
const includer = ({
  mistakes,
  variable,
}: {
  readonly mistakes: Mistakes
  readonly variable: ReadVariable
}): Include => {
  const known = new Map<string, ReturnType<Include>>()
  return (secret) => {
    const file = fileBehind(secret)
    if (file === undefined) return undefined
    if (!known.has(file)) {
      const source = parseSource({ file, text: `${secret.reveal()}\n` }, mistakes)
      const root = source?.root ?? null
      known.set(
        file,
        source && root
          ? { value: variable(source, { name: '', key: root, value: root }).value(), source, node: root }
          : undefined,
      )
    }
    return known.get(file)
  }
}

/** What a host has for the roles that go by their variable. */
const claims = (variables: ReadonlyMap<string, Variable> = new Map(), roles: readonly Role[]): Host['vars'] =>
  Object.fromEntries(
    roles.filter(({ entries }) => entries).map(({ key }) => [key, variables.get(key)?.value()] as const),
  )

/** The password in a mirror's address, which other programs may show by itself. */
const loginsIn = (releases: string | Secret): readonly Secret[] => {
  const [, password] = releases instanceof Secret ? (/^\w+:\/\/[^:/@]*:([^/@]+)@/.exec(releases.reveal()) ?? []) : []
  return password === undefined ? [] : [new Secret(password)]
}

const namesOfGroups = (member: Member): readonly string[] => [...groupsOf(member)].map(({ name }) => name)

const hasTemplate = (variable: Variable): boolean =>
  (variable.layers ?? [variable]).some(({ source }) => /\{\{|\{%/.test(source.text))

/** By itself: a machine whose inventory has no templates does without. */
const templatesOf = async (
  tree: Tree,
  around: Pick<Parameters<typeof templateResolver>[0], 'hosts' | 'env'>,
): Promise<Resolve> => {
  const { templateResolver } = await import('./jinja/resolve.ts')
  return templateResolver({
    ...around,
    groups: Object.fromEntries(
      [...tree.groups.values()].map((group) => [
        group.name,
        group.name === 'all' ? [...tree.hosts.keys()] : hostsOf(group),
      ]),
    ),
    groupsOf: (host) => {
      const member = tree.hosts.get(host)
      return member ? [...namesOfGroups(member)].sort() : []
    },
  })
}
