import type { Argv } from 'yargs'
import { dataOf, groupOf, type Leaving, type Removable, removable } from '../../fleet/decommission.ts'
import { InputError, type Mistake } from '../../lib/errors.ts'
import { removeHost } from '../../lib/inventory/edit/remove-host.ts'
import { loadInventory } from '../../lib/inventory/load.ts'
import { treeOf } from '../../lib/inventory/provenance.ts'
import type { Group } from '../../lib/inventory/read/groups.ts'
import type { Host, Inventory, Playbook, Role } from '../../lib/model.ts'
import { isSameMachine } from '../../lib/one-machine.ts'
import { isOn, rolesOn } from '../../lib/playbook.ts'
import { print } from '../../lib/report/print.ts'
import { command } from '../command.ts'
import { inLab, openContext } from '../context.ts'
import { fleetOptions, knownRoles, roleOption } from '../fleet-options.ts'
import type { ChangeFlags } from '../options.ts'
import { runOpened } from '../run-playbook.ts'

interface RemoveNodeFlags extends ChangeFlags {
  readonly name: string
  readonly role?: readonly string[]
  readonly dead: boolean
  readonly force: boolean
}

/**
 * Takes a machine, or a role of it, out of the fleet, and out of the inventory once that is done. Does nothing for a name that the
 * inventory doesn't have. Throws InputError where too few would be left, unless forced.
 */
const removeNodeCommand = async (
  flags: RemoveNodeFlags,
  book: (roles: readonly Role[], leaving: Leaving) => Playbook,
): Promise<number> => {
  await using context = await openContext({ ...flags, limit: undefined })
  const { roles } = context.inventory
  const before = context.inventory
  const host = before.hosts.find(({ name }) => name === flags.name)
  const wanted = flags.role && knownRoles(roles, flags.role)
  const own = host ? rolesOn(host, removable(roles)) : []
  const leaving = own.filter((role) => wanted?.includes(role) ?? true)
  if (!host || (wanted && leaving.length === 0)) return nothingToDo(flags)
  // A machine that is gone is so under all its names.
  const others = flags.dead && !wanted ? before.hosts.filter((one) => one !== host && isSameMachine(one, host)) : []
  if (!flags.force) requireEnough(before, host, leaving)
  if (!flags.force) for (const one of others) requireEnough(before, one, rolesOn(one, removable(roles)))
  const groups =
    leaving.length === own.length
      ? undefined
      : leaving.map(groupOf).flatMap((group) => below(treeOf(before).groups.get(group)))
  const edits = others.reduce(
    (sofar, { name }) => removeHost(flags.inventory, { name }, sofar),
    removeHost(flags.inventory, { name: host.name, groups }),
  )
  const inventory = await loadInventory(flags.inventory, roles, { edits })
  requireNoMore(inventory, host, { leaving, own })
  const inside = await inLab(before.hosts)
  if (inside !== null) return inside
  const hosts = flags.dead ? inventory.hosts : [...inventory.hosts, host]
  const data = dataOf(host, leaving)
  const opened = context.over(inventory, hosts)
  return await runOpened(book(roles, { host: flags.dead ? undefined : host, roles: leaving }), opened, flags, {
    edits,
    write: 'last',
    resumeHint: `The inventory still has ${host.name} as it was. The same command goes on; vestal deploy takes ${host.name} in again.`,
    watched: flags.dead ? inventory : before,
    successMessage:
      flags.dead || data.length === 0
        ? undefined
        : `Left on ${host.name}: ${data.join(', ')}, and its configuration in /etc.`,
  })
}

const nothingToDo = ({ name, role, json }: RemoveNodeFlags): number => {
  const what = role ? `${name} has no role ${role.join(', ')}` : `${name} is not in this inventory`
  print(json ? JSON.stringify({ vestal: 'remove-node/1', changed: false, what }) : `${what}: nothing to do.`)
  return 0
}

/** A group and all groups below it. */
const below = (group: Group | undefined): readonly string[] =>
  group ? [group.name, ...[...group.children].flatMap(below)] : []

const requireEnough = (inventory: Inventory, host: Host, roles: readonly Removable[]): void => {
  const mistakes = roles.flatMap((role): readonly Mistake[] => {
    const few = role.minimum?.(
      host,
      inventory.hosts.filter((one) => one !== host && isOn(role, one)),
      inventory,
    )
    return few ? [{ where: host.name, what: few.what, fix: `${few.fix}, or give --force` }] : []
  })
  if (mistakes.length > 0) throw new InputError(mistakes)
}

/** A role can come by another: a group of Alertmanagers inside the group of node_exporter. */
const requireNoMore = (
  inventory: Inventory,
  host: Host,
  { leaving, own }: { readonly leaving: readonly Removable[]; readonly own: readonly Removable[] },
): void => {
  const after = inventory.hosts.find(({ name }) => name === host.name)
  const lost = own.filter((role) => !leaving.includes(role) && !(after && isOn(role, after)))
  const [first] = lost
  if (!first) return
  const names = (roles: readonly Removable[]): readonly string[] => roles.map(({ name }) => name)
  throw new InputError([
    {
      where: host.name,
      what: `without ${names(leaving).join(' and ')} it would lose ${names(lost).join(' and ')} too: that comes by the same group`,
      fix: `write ${host.name} below hosts: of the group ${first.group} first, or give --role ${names([...leaving, ...lost]).join(',')}`,
    },
  ])
}

export default command({
  name: 'remove-node',
  positionals: '<name>',
  summary: 'Take a machine, or a role of it, out of the fleet',
  examples: ['vestal remove-node am-4 -i inventory/ha'],
  options: (args: Argv) =>
    fleetOptions(args)
      .positional('name', { type: 'string', demandOption: true, describe: 'The machine, as the inventory calls it' })
      .option('role', roleOption('Take only these roles away; commas separate'))
      .option('dead', {
        type: 'boolean',
        default: false,
        describe: 'The machine is gone, with all hosts that are instances on it: it is never connected to',
      })
      .option('force', {
        type: 'boolean',
        default: false,
        describe: 'Even the last of its kind, or where two Alertmanagers are left',
      }),
  run: removeNodeCommand,
})
