import { isIP } from 'node:net'
import type { RequiredPort } from '../../lib/health/reachability.ts'
import type { Host, Inventory, RequiredPath } from '../../lib/model.ts'
import { rolesOn, scopeOf } from '../../lib/playbook.ts'

/** Ports that must be reached from other hosts, as the roles of those say, each with all that must reach it. */
export const requiredPortsOf = (inventory: Inventory): readonly RequiredPort[] => {
  const paths = inventory.hosts.flatMap((from) => pathsFrom(from, inventory).map((path) => ({ from, path })))
  const alike = Map.groupBy(paths, ({ path: { name, to, address, port } }) =>
    JSON.stringify([name, to.name, address, port]),
  )
  return [...alike.values()].flatMap((some) => {
    const [first] = some
    return first ? [{ ...first.path, from: some.map(({ from }) => from) }] : []
  })
}

/** Names, in place of addresses, by which other hosts reach one. */
export const namesToResolve = (inventory: Inventory): readonly string[] => [
  ...new Set(
    requiredPortsOf(inventory)
      .map(({ to }) => to.address)
      .filter((address) => isIP(address) === 0),
  ),
]

const pathsFrom = (host: Host, inventory: Inventory): readonly RequiredPath[] =>
  rolesOn(host, inventory.roles).flatMap((role) => role.reaches?.(scopeOf(role, host, inventory)) ?? [])
