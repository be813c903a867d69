import { isDeepStrictEqual } from 'node:util'
import { parse } from 'yaml'
import { InputError, type Mistake } from '../../lib/errors.ts'
import { requireReady } from '../../lib/health/ready-to-join.ts'
import { addHost } from '../../lib/inventory/edit/add-host.ts'
import { loadInventory } from '../../lib/inventory/load.ts'
import { originOf, treeOf } from '../../lib/inventory/provenance.ts'
import type { Host, Inventory, Playbook, Role } from '../../lib/model.ts'
import { rolesFor } from '../../roles/registry.ts'
import { connecting } from '../connecting.ts'
import { inLab } from '../context.ts'
import { type AddNodeFlags, knownRoles } from '../node-options.ts'
import type { CommonFlags } from '../options.ts'
import { runOpened } from '../run-playbook.ts'

/**
 * Makes a machine part of the fleet: writes it to the inventory, once all of that and the machine itself have been looked at, and
 * lets it join. Done again with the same words it goes on where it was, and changes nothing once all is done.
 */
export const addNodeCommand = async (
  book: (roles: readonly Role[], names: readonly string[]) => Playbook,
  flags: AddNodeFlags,
): Promise<number> => {
  const roles = await rolesFor(flags.inventory)
  const before = await loadInventory(flags.inventory, roles)
  const vars = variablesOf(flags)
  const known = before.hosts.find(({ name }) => name === flags.name)
  if (known) requireSame(before, known, vars)
  const edits = addHost(flags.inventory, {
    name: flags.name,
    groups: groupsFor(before, {
      role: knownRoles(roles, flags.role ?? []).map(({ group }) => group),
      group: flags.group,
    }),
    vars,
  })
  const inventory = await loadInventory(flags.inventory, roles, { edits })
  const inside = await inLab(inventory.hosts)
  if (inside !== null) return inside
  await lookAt(inventory, flags.name, flags)
  return runOpened(book(roles, [flags.name]), { inventory, hosts: inventory.hosts }, flags, {
    edits,
    write: 'first',
    goOn: `The inventory has ${flags.name}, unless no machine was changed. The same command goes on; vestal plan says what is left; vestal remove-node ${flags.name} takes it back.`,
  })
}

/** Looks at a machine that is to join. Throws HostError. */
export const lookAt = async (inventory: Inventory, name: string, flags: CommonFlags): Promise<void> => {
  const host = inventory.hosts.find((one) => one.name === name)
  if (!host) return
  await using connection = await connecting(flags)(host)
  await requireReady(host, inventory, connection)
}

/** The groups it must be written into: one that holds another of them comes by itself. */
const groupsFor = (
  inventory: Inventory,
  { role, group }: { readonly role: readonly string[]; readonly group: readonly string[] },
): readonly string[] => {
  const { groups } = treeOf(inventory)
  const wanted = [...new Set([...group, ...role])]
  const holds = (outer: string, inner: string): boolean =>
    [...(groups.get(outer)?.children ?? [])].some((child) => child.name === inner || holds(child.name, inner))
  return wanted.filter((one) => !wanted.some((other) => other !== one && holds(one, other)))
}

const variablesOf = ({ name, host, vars }: AddNodeFlags): Readonly<Record<string, unknown>> => {
  const given = vars.map((word) => {
    const at = word.indexOf('=')
    const key = word.slice(0, at)
    if (at < 1 || !/^[A-Za-z_]\w*$/.test(key)) throw unreadable(word)
    return [key, valueIn(word.slice(at + 1), word)] as const
  })
  return { ...(host !== name && { ansible_host: host }), ...Object.fromEntries(given) }
}

const valueIn = (text: string, word: string): unknown => {
  try {
    return parse(text)
  } catch {
    throw unreadable(word)
  }
}

const unreadable = (word: string): InputError =>
  new InputError([
    {
      where: '--vars',
      path: word,
      what: 'expected NAME=YAML',
      fix: 'a variable is given whole: --vars \'prometheus={version: 3.5.3, shard: "1"}\'; what many hosts share stands in group_vars',
    },
  ])

/** Throws InputError where the inventory has that name already, for another machine or with other variables. */
const requireSame = (inventory: Inventory, host: Host, vars: Readonly<Record<string, unknown>>): void => {
  const mistakes = Object.entries(vars).flatMap(([name, value]): readonly Mistake[] =>
    isDeepStrictEqual(host.vars[name], value)
      ? []
      : [
          {
            where: originOf(inventory, host.name, name) ?? 'inventory',
            path: name,
            what: `${host.name} is in the inventory already, with another value`,
            fix: 'choose another name, or give what stands there',
          },
        ],
  )
  if (mistakes.length > 0) throw new InputError(mistakes)
}
