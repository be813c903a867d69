import { InputError } from '../../lib/errors.ts'
import { renameHost } from '../../lib/inventory/edit/remove-host.ts'
import { setHostVariable } from '../../lib/inventory/edit/set-variable.ts'
import type { FileEdit } from '../../lib/inventory/files.ts'
import { loadInventory } from '../../lib/inventory/load.ts'
import type { Inventory, Playbook, Role } from '../../lib/model.ts'
import { rolesFor } from '../../roles/registry.ts'
import { inLab } from '../context.ts'
import type { ReplaceNodeFlags } from '../node-options.ts'
import { runOpened } from '../run-playbook.ts'
import { lookAt } from './add-node.ts'

/**
 * Puts a new machine in the place of one that is gone: the same groups and variables, another address, the name kept or new. The
 * old one is never connected to. Done again with the same words it goes on, and changes nothing once all is done.
 */
export const replaceNodeCommand = async (
  book: (roles: readonly Role[], name: string) => Playbook,
  flags: ReplaceNodeFlags,
): Promise<number> => {
  const roles = await rolesFor(flags.inventory)
  const before = await loadInventory(flags.inventory, roles)
  const edits = editsFor(before, flags)
  const inventory = await loadInventory(flags.inventory, roles, { edits })
  const inside = await inLab(inventory.hosts)
  if (inside !== null) return inside
  await lookAt(inventory, flags.new, flags)
  return runOpened(book(roles, flags.new), { inventory, hosts: inventory.hosts }, flags, {
    edits,
    write: 'first',
    goOn: `The inventory has ${flags.new} in the place of ${flags.old}, unless no machine was changed. The same command goes on; vestal plan says what is left.`,
  })
}

const editsFor = (inventory: Inventory, flags: ReplaceNodeFlags): readonly FileEdit[] => {
  const found = (name: string) => inventory.hosts.find((host) => host.name === name)
  const [old, taken] = [found(flags.old), found(flags.new)]
  if (flags.new !== flags.old && taken) {
    if (!old && taken.link.address === flags.host) return []
    const what = `${flags.new} is in the inventory already`
    throw new InputError([{ where: flags.new, what, fix: 'choose another name; remove-node takes a machine out' }])
  }
  if (!old)
    throw new InputError([
      { where: flags.old, what: 'no host is called that', fix: 'vestal inventory lists the hosts' },
    ])
  const moved =
    old.link.address === flags.host
      ? []
      : setHostVariable(inventory, { host: flags.old, name: 'ansible_host', value: flags.host })
  return flags.new === flags.old ? moved : renameHost(flags.inventory, { name: flags.old, to: flags.new }, moved)
}
