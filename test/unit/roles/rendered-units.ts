/** The units of every shipped role, as example inventories have them. */
import { join } from 'node:path'
import { loadInventory } from '../../../lib/inventory/load.ts'
import type { UnitData } from '../../../lib/kinds/unit.ts'
import type { Inventory } from '../../../lib/model.ts'
import { fleet, fleetOf, hostsFile, roles } from './fleet.ts'

/** Texts by name, such as `prometheus.service`. */
export const renderedUnits = async (): Promise<ReadonlyMap<string, string>> => {
  const load = (name: string) =>
    loadInventory([join(import.meta.dirname, '../../../inventory', name)], roles, { env: SECRETS })
  using floating = await fleet({ 'hosts.yml': GATEWAY })
  const inventories = [...(await Promise.all(['ha', 'global', 'cortex'].map(load))), floating.inventory]
  return new Map(inventories.flatMap(unitsOf))
}

const SECRETS = { VESTAL_S3_ACCESS_KEY: 'x', VESTAL_S3_SECRET_KEY: 'x' }

const GATEWAY = hostsFile(
  { gateway: { 'gw-1': { ansible_host: '10.0.0.1' }, 'gw-2': { ansible_host: '10.0.0.2' } } },
  { gateway: { floating: { address: '10.0.0.9/24', interface: 'eth0' } } },
)

const unitsOf = (inventory: Inventory): readonly (readonly [string, string])[] => {
  const { tasks } = fleetOf(inventory)
  return inventory.hosts.flatMap((host) =>
    roles
      .filter(({ group }) => group !== undefined && host.groups.includes(group))
      .flatMap((role) => tasks(role.name, host.name))
      .filter(({ kind, key }) => kind.name === 'unit' && key.endsWith('.service'))
      .map(({ key, data }) => [key, (data as UnitData).text] as const),
  )
}
