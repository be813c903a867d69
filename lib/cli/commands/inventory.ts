import Table from 'cli-table3'
import deploy from '../../../playbooks/deploy.ts'
import { inventoryJson } from '../../inventory/json.ts'
import { rolesOf } from '../../playbook.ts'
import { openInventory } from '../open-inventory.ts'
import type { CommonFlags } from '../options.ts'

/** Prints the inventory as Vestal understands it; `--json` in the shape of `ansible-inventory --list`. Touches no machine. */
export const inventory = async (flags: CommonFlags): Promise<number> => {
  const { inventory: loaded, hosts } = await openInventory(flags, rolesOf(deploy))
  if (flags.json) {
    process.stdout.write(`${JSON.stringify(inventoryJson(loaded), null, 2)}\n`)
    return 0
  }
  const table = new Table({ head: ['host', 'address', 'groups'], style: { head: [], border: [], compact: true } })
  for (const host of hosts) table.push([host.name, host.address, host.groups.join(' ')])
  process.stdout.write(`${table.toString()}\n`)
  return 0
}
