import { dataOf, type Leaving, REMOVABLE, type Removable } from '../../fleet/decommission.ts'
import { InputError, type Mistake } from '../../lib/errors.ts'
import { removeHost } from '../../lib/inventory/edit/remove-host.ts'
import { loadInventory } from '../../lib/inventory/load.ts'
import { treeOf } from '../../lib/inventory/provenance.ts'
import type { Group } from '../../lib/inventory/read/groups.ts'
import type { Host, Inventory, Playbook } from '../../lib/model.ts'
import { shardOf } from '../../roles/prometheus/replicas.ts'
import { rolesFor } from '../../roles/registry.ts'
import { inLab } from '../context.ts'
import type { RemoveNodeFlags } from '../node-options.ts'
import { runOpened } from '../run-playbook.ts'

/**
 * Takes a machine, or a role of it, out of the fleet, and out of the inventory once that is done. Does nothing for a name that the
 * inventory doesn't have. Throws InputError where too few would be left, unless forced.
 */
export const removeNodeCommand = async (
  book: (leaving: Leaving) => Playbook,
  flags: RemoveNodeFlags,
): Promise<number> => {
  const roles = await rolesFor(flags.inventory)
  const before = await loadInventory(flags.inventory, roles)
  const host = before.hosts.find(({ name }) => name === flags.name)
  const leaving = REMOVABLE.filter((name) => host?.groups.includes(name) && (flags.role?.includes(name) ?? true))
  if (!host || (flags.role && leaving.length === 0)) return nothingToDo(flags)
  if (!flags.force) requireEnough(before, host, leaving)
  const all = REMOVABLE.every((name) => leaving.includes(name) || !host.groups.includes(name))
  const groups = all ? undefined : leaving.flatMap((name) => below(treeOf(before).groups.get(name)))
  const edits = removeHost(flags.inventory, { name: host.name, groups })
  const inventory = await loadInventory(flags.inventory, roles, { edits })
  requireNoMore(inventory, host, leaving)
  const inside = await inLab(before.hosts)
  if (inside !== null) return inside
  const hosts = flags.dead ? inventory.hosts : [...inventory.hosts, host]
  const data = dataOf(host, leaving)
  return runOpened(book({ host: flags.dead ? undefined : host, roles: leaving }), { inventory, hosts }, flags, {
    edits,
    write: 'last',
    goOn: `The inventory still has ${host.name} as it was. The same command goes on; vestal deploy takes ${host.name} in again.`,
    watched: flags.dead ? inventory : before,
    farewell:
      flags.dead || data.length === 0
        ? undefined
        : `Left on ${host.name}: ${data.join(', ')}, and its configuration in /etc.`,
  })
}

const nothingToDo = ({ name, role, json }: RemoveNodeFlags): number => {
  const what = role ? `${name} has no role ${role.join(', ')}` : `${name} is not in this inventory`
  process.stdout.write(
    json ? `${JSON.stringify({ vestal: 'remove-node/1', changed: false, what })}\n` : `${what}: nothing to do.\n`,
  )
  return 0
}

/** A group and all groups below it. */
const below = (group: Group | undefined): readonly string[] =>
  group ? [group.name, ...[...group.children].flatMap(below)] : []

const requireEnough = ({ hosts }: Inventory, host: Host, roles: readonly Removable[]): void => {
  const left = (group: string): readonly Host[] => hosts.filter((one) => one !== host && one.groups.includes(group))
  const mistakes: Mistake[] = []
  const refuse = (what: string, fix: string) =>
    mistakes.push({ where: host.name, what, fix: `${fix}, or give --force` })
  if (roles.includes('alertmanager')) {
    const members = left('alertmanager').length
    if (members === 0) refuse('is the last Alertmanager: nobody would be notified of anything', 'add another first')
    if (members === 2)
      refuse('would leave two Alertmanagers: when they lose sight of each other, both notify', 'add another first')
  }
  if (roles.includes('prometheus') && !left('prometheus').some((one) => shardOf(one) === shardOf(host)))
    refuse(`is the last Prometheus of shard ${shardOf(host)}: nothing would watch its targets`, 'add a replica first')
  if (mistakes.length > 0) throw new InputError(mistakes)
}

/** A role can come by another: a group of Alertmanagers inside the group of node_exporter. */
const requireNoMore = (inventory: Inventory, host: Host, leaving: readonly Removable[]): void => {
  const after = inventory.hosts.find(({ name }) => name === host.name)
  const lost = REMOVABLE.filter(
    (role) => host.groups.includes(role) && !leaving.includes(role) && !after?.groups.includes(role),
  )
  if (lost.length === 0) return
  throw new InputError([
    {
      where: host.name,
      what: `without ${leaving.join(' and ')} it would lose ${lost.join(' and ')} too: that comes by the same group`,
      fix: `write ${host.name} below hosts: of the group ${lost[0]} first, or give --role ${[...leaving, ...lost].join(',')}`,
    },
  ])
}
