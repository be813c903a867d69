import { expect, test } from 'vitest'
import { removable } from '../../../fleet/decommission.ts'
import type { Host, Play, Playbook } from '../../../lib/model.ts'
import { removeNode } from '../../../playbooks/remove-node.ts'
import { rollback } from '../../../playbooks/rollback.ts'
import { shippedRoles } from '../../../roles/registry.ts'
import { hostWith } from '../connection/host.ts'

const hostOf = (name: string, ...groups: readonly string[]): Host => ({ ...hostWith({ via: 'local' }), name, groups })
const hosts = [
  hostOf('am-1', 'alertmanager', 'node_exporter'),
  hostOf('am-2', 'alertmanager'),
  hostOf('prom-1', 'prometheus'),
]
const heldBy = ({ plays }: Playbook, name: string, batch: readonly Host[]) => {
  const play = plays.find((one) => one.name === name) as Play
  const scope = { inventory: { name: 'ha', folder: '/', hosts, roles: shippedRoles }, batch, hosts: batch }
  return play.members?.(scope).map((group) => group.map((host) => host.name))
}

// Their plays have roles that don't say themselves whose work they do.
test('a rollback of a member holds its group', () => {
  expect(heldBy(rollback(shippedRoles, []), 'Alertmanagers, one at a time', hosts.slice(0, 1))).toEqual([
    ['am-1', 'am-2'],
  ])
})

test('a member that leaves holds its group as it was, and no hosts of roles that wait for nobody', () => {
  const gone = hostOf('am-3', 'alertmanager', 'node_exporter')
  const book = removeNode(shippedRoles, { host: gone, roles: removable(shippedRoles) })
  const groups = heldBy(book, 'Its services stop', [gone])
  expect(groups).toContainEqual(['am-3', 'am-1', 'am-2'])
  expect(groups?.flat().filter((name) => name === 'am-1')).toHaveLength(1)
})
