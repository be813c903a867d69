import type { Host, Inventory, Playbook, Role, Select } from '../../lib/model.ts'
import { playbook } from '../../lib/playbook.ts'
import type { Move } from '../../lib/sharding/table.ts'
import { prometheus } from '../../roles/prometheus/role.ts'
import { shardOf } from '../../roles/prometheus/shards.ts'
import { rolledRoles } from '../plays.ts'
import { firesWhatMoves, goesBack, hasLetGo, movesOf, scrapesWhatMoves, setsApart } from './moved.ts'

/**
 * New shards scrape what moves to them, beside the old ones, which set it apart, until each of their replicas was seen to. The inventory's table says
 * what moves. `overlapMs`: how long both scrape at least. `alertsMs`: how long alerts with a `for` are waited for at most.
 */
export const newShardsScrape = (
  inventory: Inventory,
  { overlapMs, alertsMs }: { readonly overlapMs: number; readonly alertsMs: number },
): Playbook => {
  const moves = movesOf(inventory)
  const [from, to] = [shards(inventory, moves, 'from'), shards(inventory, moves, 'to')]
  return playbook({
    name: 'shards-move',
    summary: 'New shards scrape what moves to them, beside the old ones.',
    onFailure: 'stop',
    plays: [
      {
        ...playOf(inventory.roles),
        name: 'New shards scrape too, and old ones set apart what moves',
        hosts: (host) => from(host) || to(host),
      },
      {
        name: 'What moves is set apart on its old shard',
        hosts: from,
        roles: [],
        after: ({ hosts: all }) => all.map((host) => setsApart(inventory, host)),
      },
      {
        name: 'Every target that moves is scraped by its new shard',
        hosts: to,
        roles: [],
        after: ({ hosts: all }) => all.map((host) => scrapesWhatMoves(inventory, host)),
      },
      {
        name: 'New shards can tell rates of what moves',
        hosts: to,
        roles: [],
        after: ({ hosts: all }) => all.map((host) => goesBack(inventory, host, overlapMs)),
      },
      {
        name: 'Every alert that moves fires on its new shard',
        hosts: to,
        roles: [],
        after: ({ hosts: all }) => all.map((host) => firesWhatMoves(inventory, host, alertsMs)),
      },
    ],
  })
}

/** New shards send alerts of what they were seen to scrape for long enough, beside the old ones: before these let go, as alerts would be nobody's. */
export const newShardsSend = (inventory: Inventory): Playbook =>
  playbook({
    name: 'shards-move',
    summary: 'New shards send alerts of what moves to them, beside the old ones.',
    onFailure: 'stop',
    plays: [
      {
        ...playOf(inventory.roles),
        name: 'New shards send alerts of what moves',
        hosts: shards(inventory, movesOf(inventory), 'to'),
      },
    ],
  })

/** Old shards let go of what new ones were seen to scrape; a host that is lost keeps no other from it. */
export const oldShardsLetGo = (inventory: Inventory): Playbook => {
  const hosts = shards(inventory, movesOf(inventory), 'from')
  return playbook({
    name: 'shards-move',
    summary: 'Old shards let go of what new ones scrape.',
    plays: [
      { ...playOf(inventory.roles), name: 'Old shards let go', hosts },
      {
        name: 'Nothing is scraped twice',
        hosts,
        roles: [],
        after: ({ hosts: all }) => all.map((host) => hasLetGo(inventory, host)),
      },
    ],
  })
}

/** The hosts that a playbook is about. */
export const hostsOf = ({ plays }: Playbook, { hosts }: Inventory): readonly Host[] =>
  hosts.filter((host) => plays.some((play) => play.hosts(host)))

/** The servers of the shards at one side of the moves. */
const shards = (inventory: Inventory, moves: readonly Move[], side: 'from' | 'to'): Select => {
  const some = new Set(moves.map((move) => String(move[side])))
  return (host) => host.groups.includes('prometheus') && some.has(shardOf(host, inventory))
}

const playOf = (roles: readonly Role[]) => {
  const rolled = rolledRoles(roles).find(({ role }) => role.key === prometheus.key)
  if (!rolled) throw new Error('there is no role prometheus')
  const { batch, apart, before } = rolled.rollout
  return { roles: rolled.roles, batch, apart, before }
}
