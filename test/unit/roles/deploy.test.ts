import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadInventory } from '../../../lib/inventory/load.ts'
import type { Gate, Inventory, Play } from '../../../lib/model.ts'
import { taskId } from '../../../lib/model.ts'
import deploy from '../../../playbooks/deploy.ts'
import { fleet, fleetOf, hostsFile, roles, route } from './fleet.ts'

const play = (start: string): Play => {
  const found = deploy.plays.find(({ name }) => name.startsWith(start))
  if (!found) throw new Error(`no play ${start}`)
  return found
}
/** The gates before a batch of these hosts, as `host: question`. */
const gatesBefore = (start: string, inventory: Inventory, batch: readonly string[]): readonly string[] => {
  const hosts = inventory.hosts.filter(play(start).hosts)
  const chosen = hosts.filter(({ name }) => batch.includes(name))
  const gates: readonly Gate[] = play(start).before?.({ inventory, hosts, batch: chosen }) ?? []
  return gates.map(({ host, name }) => `${host}: ${name}`)
}
const shards = () =>
  fleet({
    'hosts.yml': hostsFile(
      {
        prometheus: {
          'a-1': { ansible_host: '10.0.0.1' },
          'a-2': { ansible_host: '10.0.0.2' },
          'b-1': { ansible_host: '10.0.0.3', prometheus: { version: '3.5.3', shard: 'b' } },
        },
        alertmanager: { 'am-1': { ansible_host: '10.0.0.4' }, 'am-2': { ansible_host: '10.0.0.5' } },
      },
      { prometheus: { version: '3.5.3' }, alertmanager: { version: '0.33.1', config: route } },
    ),
  })

describe('before something is interrupted', () => {
  test('a Prometheus’s twin must be scraping, and a replica of another shard does not matter', async () => {
    using made = await shards()
    expect(gatesBefore('Prometheus', made.inventory, ['a-1'])).toEqual([
      'a-2: Prometheus is ready, its WAL replayed',
      'a-2: Prometheus has scraped every target since it started',
    ])
    expect(gatesBefore('Prometheus', made.inventory, ['b-1'])).toEqual([])
  })

  test('all other Alertmanagers must send notifications', async () => {
    using made = await shards()
    expect(gatesBefore('Alertmanagers', made.inventory, ['am-2'])).toEqual(['am-1: Alertmanager sends notifications'])
  })

  test('replicas of one shard are kept apart', async () => {
    using made = await shards()
    const apart = play('Prometheus').apart
    expect(['a-1', 'a-2', 'b-1'].map((name) => apart?.(made.host(name), made.inventory))).toEqual(['0', '0', 'b'])
  })
})

describe.each(['ha', 'sharded', 'single-site'])('inventory/%s', (name) => {
  const load = () => loadInventory([join(import.meta.dirname, '../../../inventory', name)], roles, { env: {} })

  test('needs no setting from outside, and no two roles want one thing in two ways', async () => {
    const { inventory, tasks } = fleetOf(await load())
    for (const host of inventory.hosts) {
      const all = roles
        .filter(({ group }) => group === undefined || host.groups.includes(group))
        .flatMap((role) => tasks(role.name, host.name))
      for (const [id, same] of Map.groupBy(all, taskId))
        expect({ id, wanted: same.map(({ desired }) => desired) }).toEqual({
          id,
          wanted: same.map(() => same[0]?.desired),
        })
      expect(all.map(taskId)).toContain('service node_exporter')
    }
  })
})
