/** An adoption as files: an inventory, its group_vars and host_vars, the files that they name, and each secret in a file of its own. */
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { InputError } from '../../lib/errors.ts'
import { CONNECTION } from '../../lib/inventory/connection-vars.ts'
import { referenceOf } from '../../lib/inventory/yaml/secrets.ts'
import type { Host } from '../../lib/model.ts'
import type { Adoption } from './adopt.ts'
import { identityOf, type Reference, type Tree, type TreeMap, writeYaml } from './yaml-tree.ts'

/** Throws InputError where something is at the path already: nothing is written over. */
export const refuseExisting = (folder: string): void => {
  if (existsSync(folder))
    throw new InputError([
      {
        where: folder,
        what: 'is there already, and nothing is written over',
        fix: 'Name another folder, or move it away.',
      },
    ])
}

/** Writes the folder, in one rename. Returns its files, below it. Throws InputError where it is there already or can't be written. */
export const writeAdoption = (folder: string, adoption: Adoption): readonly string[] => {
  refuseExisting(folder)
  const path = resolve(folder)
  const staging = `${path}.vestal-new-${randomBytes(4).toString('hex')}`
  const files = filesOf(adoption)
  try {
    mkdirSync(staging, { recursive: true, mode: 0o700 })
    for (const [name, { text, mode }] of files) {
      mkdirSync(dirname(join(staging, name)), { recursive: true, mode: 0o700 })
      writeFileSync(join(staging, name), text, { mode, flag: 'wx' })
    }
    refuseExisting(folder)
    renameSync(staging, path)
  } catch (error) {
    rmSync(staging, { recursive: true, force: true })
    if (error instanceof InputError) throw error
    throw new InputError([
      { where: folder, what: `cannot be written: ${error instanceof Error ? error.message : error}` },
    ])
  }
  return [...files.keys()].sort()
}

interface OutFile {
  readonly text: string
  readonly mode: number
}

/** The files of an adoption by their path in the folder. */
export const filesOf = ({ hosts, groups, files }: Adoption): ReadonlyMap<string, OutFile> => {
  const odd = hosts.map(({ host }) => host.name).filter((name) => !/^[\w.:@-]+$/.test(name))
  if (odd.length > 0)
    throw new InputError(
      odd.map((name) => ({
        where: `host ${JSON.stringify(name)}`,
        what: 'can be no file’s name',
        fix: 'Give it another, and ansible_host.',
      })),
    )
  const secrets = secretFiles()
  const out = new Map<string, OutFile>()
  const put = (name: string, tree: Tree): void => {
    const text = writeYaml(tree, secrets.referenceFrom(name))
    out.set(name, { text: `${HEADER}${text}`, mode: 0o640 })
  }
  const login = loginVariables(hosts.map(({ host }) => host))
  const members = (names: readonly string[]): TreeMap => Object.fromEntries(names.map((name) => [name, null]))
  put('hosts.yml', {
    all: {
      hosts: Object.fromEntries(hosts.map(({ host }) => [host.name, orNull(login.hosts.get(host.name) ?? {})])),
      ...(groups.size > 0 && {
        children: Object.fromEntries([...groups].map(([name, group]) => [name, { hosts: members(group.hosts) }])),
      }),
    },
  })
  if (Object.keys(login.all).length > 0) put('group_vars/all.yml', login.all)
  for (const [name, { vars }] of groups) put(`group_vars/${name}.yml`, vars)
  for (const { host, vars } of hosts) if (Object.keys(vars).length > 0) put(`host_vars/${host.name}.yml`, vars)
  for (const [name, text] of files) out.set(name, { text, mode: 0o640 })
  for (const [name, text] of secrets.all()) out.set(`secrets/${name}`, { text, mode: 0o600 })
  return out
}

const HEADER = '# What ran when vestal adopt looked.\n'
const orNull = (map: TreeMap): Tree => (Object.keys(map).length > 0 ? map : null)

/** How hosts are reached, as the inventory had it that they came from: what all have, and each host's own. */
const loginVariables = (
  hosts: readonly Host[],
): { readonly all: TreeMap; readonly hosts: ReadonlyMap<string, TreeMap> } => {
  const names = [...Object.keys(CONNECTION), 'vestal']
  const own = new Map(
    hosts.map(({ name, vars, link }): [string, TreeMap] => {
      const chosen = Object.entries(vars).filter(
        ([one, value]) => names.includes(one) && value !== undefined && value !== null,
      )
      const asWritten = chosen.map(([one, value]): [string, Tree] => [
        one,
        /private_key_file$/.test(one) && link.keyFile !== undefined ? link.keyFile : value,
      ])
      return [name, Object.fromEntries(asWritten)]
    }),
  )
  const shared = names.filter((one) => {
    const values = new Set([...own.values()].map((vars) => identityOf(vars[one])))
    return one !== 'ansible_host' && values.size === 1 && ![...own.values()].some((vars) => vars[one] === undefined)
  })
  const [first = {}] = own.values()
  const pick = (vars: TreeMap, keep: (name: string) => boolean): TreeMap =>
    Object.fromEntries(Object.entries(vars).filter(([name]) => keep(name)))
  return {
    all: pick(first, (name) => shared.includes(name)),
    hosts: new Map([...own].map(([host, vars]) => [host, pick(vars, (name) => !shared.includes(name))])),
  }
}

/** Each secret in one file, however often it is used; named after the first place that it is used in. */
const secretFiles = () => {
  const names = new Map<string, string>()
  const nameFor = (value: string, path: readonly string[]): string => {
    const before = names.get(value)
    if (before !== undefined) return before
    const plain =
      path
        .map((part) => part.replaceAll(/[^\w-]/g, '_'))
        .join('-')
        .slice(0, 120) || 'secret'
    const taken = new Set(names.values())
    let name = plain
    for (let at = 2; taken.has(name); at += 1) name = `${plain}-${at}`
    names.set(value, name)
    return name
  }
  return {
    /** For a file of the inventory: references start at its folder. */
    referenceFrom:
      (file: string): Reference =>
      (secret, path) => {
        const known = referenceOf(secret)
        if (known && '$env' in known) return { $env: known.$env }
        return { $file: `${'../'.repeat(file.split('/').length - 1)}secrets/${nameFor(secret.reveal(), path)}` }
      },
    // One line end at the end of such a file is none of the secret's.
    all: () => [...names].map(([value, name]): [string, string] => [name, value.endsWith('\n') ? `${value}\n` : value]),
  }
}
