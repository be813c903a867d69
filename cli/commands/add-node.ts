import { isDeepStrictEqual } from 'node:util'
import { parse } from 'yaml'
import type { Argv } from 'yargs'
import { groupOf } from '../../fleet/decommission.ts'
import { InputError, type Mistake } from '../../lib/errors.ts'
import { requireReady } from '../../lib/health/ready-to-join.ts'
import { addHost } from '../../lib/inventory/edit/add-host.ts'
import { loadInventory } from '../../lib/inventory/load.ts'
import { originOf, treeOf } from '../../lib/inventory/provenance.ts'
import type { Host, Inventory, Playbook, Role } from '../../lib/model.ts'
import { command } from '../command.ts'
import { inLab, type Opened, openContext } from '../context.ts'
import { fleetOptions, knownRoles, roleOption } from '../fleet-options.ts'
import { type ChangeFlags, givenCommas, listOption, NONE } from '../options.ts'
import { runOpened } from '../run-playbook.ts'

interface AddNodeFlags extends ChangeFlags {
  readonly name: string
  readonly host: string
  readonly role?: readonly string[]
  readonly group: readonly string[]
  readonly shard?: number
  readonly instance?: string
  readonly vars: readonly string[]
}

/**
 * Makes a machine part of the fleet: writes it to the inventory, once all of that and the machine itself have been looked at, and
 * lets it join. Done again with the same words it goes on where it was, and changes nothing once all is done.
 */
const addNodeCommand = async (
  flags: AddNodeFlags,
  book: (roles: readonly Role[], names: readonly string[]) => Playbook,
): Promise<number> => {
  await using context = await openContext({ ...flags, limit: undefined })
  const { roles } = context.inventory
  const before = context.inventory
  const vars = variablesOf(flags)
  const known = before.hosts.find(({ name }) => name === flags.name)
  if (known) requireSame(before, known, vars)
  const edits = addHost(flags.inventory, {
    name: flags.name,
    groups: groupsFor(before, {
      role: knownRoles(roles, flags.role ?? []).map(groupOf),
      group: [...flags.group, ...shardGroup(before, flags.shard)],
    }),
    vars,
  })
  const inventory = await loadInventory(flags.inventory, roles, { edits })
  const inside = await inLab(inventory.hosts)
  if (inside !== null) return inside
  const opened = context.over(inventory, inventory.hosts)
  await requireFresh(opened, flags.name)
  return await runOpened(book(roles, [flags.name]), opened, flags, {
    edits,
    write: 'first',
    resumeHint: `The inventory has ${flags.name}, unless no machine was changed. The same command goes on; vestal plan says what is left; vestal remove-node ${flags.name} takes it back.`,
  })
}

/** Looks at a machine that is to join. Throws HostError. */
export const requireFresh = async ({ inventory, connect }: Opened, name: string): Promise<void> => {
  const host = inventory.hosts.find((one) => one.name === name)
  if (!host) return
  await using connection = await connect(host)
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

/** The group of a shard. Throws InputError where the inventory has none of that name. */
const shardGroup = (inventory: Inventory, shard: number | undefined): readonly string[] => {
  if (shard === undefined) return []
  const group = `shard_${shard}`
  if (treeOf(inventory).groups.has(group)) return [group]
  throw new InputError([
    {
      where: '--shard',
      what: `there is no group \`${group}\``,
      fix: `Write \`${group}:\` below \`children:\` of prometheus; its hosts scrape nothing until vestal shards move gives it buckets.`,
    },
  ])
}

const variablesOf = ({ name, host, instance, vars }: AddNodeFlags): Readonly<Record<string, unknown>> => {
  const given = vars.map((word) => {
    const at = word.indexOf('=')
    const key = word.slice(0, at)
    if (at < 1 || !/^[A-Za-z_]\w*$/.test(key)) throw unreadable(word)
    return [key, valueIn(word.slice(at + 1), word)] as const
  })
  const variables: Readonly<Record<string, unknown>> = Object.fromEntries(given)
  const vestal = typeof variables.vestal === 'object' ? variables.vestal : {}
  return {
    ...(host !== name && { ansible_host: host }),
    ...variables,
    ...(instance !== undefined && { vestal: { ...vestal, instance } }),
  }
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

/** What of a mapping, which is joined with that of groups, was given for the host itself. */
const own = (joined: unknown, given: unknown): unknown =>
  Object.fromEntries(
    Object.entries(joined ?? {}).filter(([key]) => typeof given === 'object' && given !== null && key in given),
  )

/** Throws InputError where the inventory has that name already, for another machine or with other variables. */
const requireSame = (inventory: Inventory, host: Host, vars: Readonly<Record<string, unknown>>): void => {
  const mistakes = Object.entries(vars).flatMap(([name, value]): readonly Mistake[] =>
    isDeepStrictEqual(name === 'vestal' ? own(host.vars[name], value) : host.vars[name], value)
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

export default command({
  name: 'add-node',
  positionals: '<name>',
  summary: 'Make a machine part of the fleet',
  examples: [
    'vestal add-node am-4 -i inventory/ha --host 10.88.0.17 --role alertmanager',
    'vestal add-node prom-2c -i inventory/sharded --host 10.88.0.20 --shard 2',
    'vestal add-node prom-1c -i fleet --host 10.88.0.11 --shard 1 --instance s1',
  ],
  options: (args: Argv) =>
    fleetOptions(args)
      .positional('name', { type: 'string', demandOption: true, describe: 'What the inventory is to call the machine' })
      .option('host', {
        type: 'string',
        demandOption: true,
        requiresArg: true,
        describe: 'Where it is reached: an IP address or a name',
      })
      .option('role', roleOption('What it is for; commas separate'))
      .option('group', {
        ...listOption('Further groups of the inventory that it is to stand in; commas separate'),
        default: NONE,
        coerce: givenCommas,
      })
      .option('shard', {
        type: 'number',
        requiresArg: true,
        describe:
          'Which shard it is to be a replica of: it stands in the group shard_NUMBER, which the inventory has below prometheus',
      })
      .option('instance', {
        type: 'string',
        requiresArg: true,
        describe:
          'Which of several hosts on one machine it is to be: another Prometheus where one stands already, with units, folders and a version of its own',
      })
      .option('vars', {
        ...listOption('A variable of its own, as NAME=YAML; may be given again'),
        default: NONE,
      })
      .check(({ role, group, shard }) => {
        if (shard !== undefined && !(Number.isInteger(shard) && shard >= 0)) return '--shard takes a number from 0'
        return [role ?? [], group, shard ?? []].flat().length > 0
          ? true
          : '--role, --group or --shard says what the machine is for'
      }),
  run: addNodeCommand,
})
