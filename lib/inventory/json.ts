import type { Inventory } from '../model.ts'
import { Secret } from '../secret.ts'
import { withSecrets } from './check-variables.ts'
import { originOf, treeOf, variableOf } from './provenance.ts'
import { referenceOf } from './yaml/secrets.ts'
import type { Variable } from './yaml/variable.ts'

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }
export interface GroupJson {
  readonly hosts?: readonly string[]
  readonly children?: readonly string[]
}
export interface InventoryJson {
  readonly _meta: { readonly hostvars: Readonly<Record<string, Readonly<Record<string, Json>>>> }
  readonly [group: string]: GroupJson | InventoryJson['_meta']
}

/**
 * The inventory in the shape of `ansible-inventory --list`. A secret shows as the reference that the inventory has for it
 * (`{ $env: NAME }`), or as "[secret]". Source of the shape: ansible-core, cli/inventory.py (json_inventory).
 */
export const inventoryJson = (inventory: Inventory): InventoryJson => {
  const here = new Set(inventory.hosts.map(({ name }) => name))
  const groups = [...treeOf(inventory).groups.values()].map(({ name, hosts, children }): [string, GroupJson] => [
    name,
    {
      hosts: name === 'all' ? [] : [...hosts].filter((host) => here.has(host)),
      children: [...children].map((child) => child.name),
    },
  ])
  const hostvars = inventory.hosts
    .filter(({ vars }) => Object.keys(vars).length > 0)
    .map(
      ({ name, vars }) =>
        [name, mapValues(vars, (value, key) => jsonOf(asWritten(value, variableOf(inventory, name, key))))] as const,
    )
  return {
    _meta: { hostvars: Object.fromEntries(hostvars) },
    ...Object.fromEntries(
      groups.map(([name, group]) => [name, withoutEmpty(group)] as const).filter(([, group]) => group),
    ),
  }
}

/** As Ansible has it, with its secrets hidden; settings that were put together from several places as they are. */
const asWritten = (value: unknown, variable: Variable | undefined): unknown =>
  variable?.written ? withSecrets(variable.written(), value, { sameKeys: true }) : value

/** Where each variable of each host was written: `file:line:column`. */
export const inventoryOrigins = (inventory: Inventory): Readonly<Record<string, Readonly<Record<string, string>>>> =>
  Object.fromEntries(
    inventory.hosts.map(({ name, vars }) => [
      name,
      mapValues(vars, (_, variable) => originOf(inventory, name, variable) ?? ''),
    ]),
  )

const withoutEmpty = (group: GroupJson): GroupJson | undefined => {
  const filled = Object.entries(group).filter(([, names]) => names.length > 0)
  return filled.length > 0 ? Object.fromEntries(filled) : undefined
}

const jsonOf = (value: unknown): Json => {
  if (value instanceof Secret) return (referenceOf(value) ?? value.toJSON()) as Json
  if (Array.isArray(value)) return value.map(jsonOf)
  if (typeof value === 'object' && value !== null) return mapValues(value, jsonOf)
  return value as Json
}

const mapValues = <T, U>(record: object, map: (value: T, key: string) => U): Record<string, U> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]))
