import { setVariable } from '../../lib/inventory/edit/set-variable.ts'
import type { FileEdit } from '../../lib/inventory/files.ts'
import { loadInventory } from '../../lib/inventory/load.ts'
import type { Host, Inventory } from '../../lib/model.ts'
import { isOn, scopeOf } from '../../lib/playbook.ts'
import { settingsUnder } from '../../lib/role.ts'
import type { Versions } from './settings.ts'

interface InventoryToBe {
  /** The inventory as it would be with the new versions, checked; nothing is written yet. */
  readonly inventory: Inventory
  readonly edits: readonly FileEdit[]
}

/**
 * An inventory with other versions, for every host that has the program's variable. Throws InputError where no host has it, a version makes
 * no sense, or its value cannot be written.
 */
export const withVersions = async (
  inventory: Inventory,
  { paths, versions }: { readonly paths: readonly string[]; readonly versions: Versions },
): Promise<InventoryToBe> => {
  let edits: readonly FileEdit[] = []
  for (const [key, version] of Object.entries(versions)) {
    const hosts = inventory.hosts.filter((host) => isVersioned(host, key, inventory)).map(({ name }) => name)
    edits = setVariable(inventory, { hosts, path: [...key.split('.'), 'version'], value: version }, edits).edits
  }
  const changed = edits.filter(({ before, after }) => before !== after)
  if (changed.length === 0) return { inventory, edits: [] }
  return { inventory: await loadInventory(paths, inventory.roles, { edits: changed }), edits: changed }
}

/** Whether a host has a version of a program in its settings, and runs it by that: what a package brings has none. */
const isVersioned = (host: Host, key: string, inventory: Inventory): boolean => {
  if (settingsUnder(host.vars, `${key}.version`) === undefined) return false
  const role = inventory.roles.find((one) => one.key === key)
  if (!role?.instance || !isOn(role, host)) return true
  return role.instance(scopeOf(role, host, inventory)).current !== undefined
}
