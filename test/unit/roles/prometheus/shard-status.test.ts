import { expect, test } from 'vitest'
import { HostError } from '../../../../lib/errors.ts'
import type { Reach } from '../../../../lib/model.ts'
import { moveBegun, moveDone, moveSeen } from '../../../../lib/sharding/move.ts'
import { evenOwners, tableOf, tableText } from '../../../../lib/sharding/table.ts'
import { bucketsText, withShard } from '../../../../roles/prometheus/shard-status.ts'
import { fleet, hostsFile, route } from '../fleet.ts'

const TWO = tableOf(evenOwners(2, 10))

test('buckets that come and go have their sign, and a shard without any drains', () => {
  const begun = moveBegun(TWO, [0, 0, 0, 2, 2, 0, 1, 1, 1, 1])
  expect([0, 1, 2].map((shard) => bucketsText(begun, shard))).toEqual(['5 +1 -2', '5 -1', '0 +2'])
  const gone = moveDone(moveSeen(moveBegun(TWO, new Array(10).fill(0))))
  expect([0, 1].map((shard) => bucketsText(gone, shard))).toEqual(['10', 'draining'])
})

test('a shard’s series are held against the mean of those that answer, once each', async () => {
  const hosts = (...names: readonly string[]) =>
    Object.fromEntries(names.map((name, at) => [name, { ansible_host: `10.0.0.${at}` }]))
  using made = await fleet({
    'hosts.yml': hostsFile(
      {
        prometheus: hosts('a', 'b', 'c', 'd'),
        shard_0: { a: {}, b: {} },
        shard_1: { c: {}, d: {} },
        alertmanager: { am: { ansible_host: '10.0.1.1' } },
      },
      { prometheus: { version: '3.5.3' }, alertmanager: { version: '0.33.1', config: route } },
    ),
    'shards.yml': tableText(TWO),
  })
  const series: Readonly<Record<string, number>> = { a: 300, b: 310, d: 100 }
  const reach: Reach = async ({ name }) => {
    const numSeries = series[name]
    if (numSeries === undefined) throw new HostError(name, 'is silent')
    const body = JSON.stringify({ data: { headStats: { numSeries } } })
    return { request: async () => ({ status: 200, headers: {}, body }) } as unknown as Awaited<ReturnType<Reach>>
  }
  const look = withShard(async () => ({ ready: true, alerts: 2 }), { host: made.host('a'), inventory: made.inventory })
  expect(await look(reach)).toEqual({ ready: true, alerts: 2, shows: { buckets: '5', series: '300', skew: '1.50' } })
  const starting = withShard(async () => ({ ready: false, replay: '1 of 2' }), {
    host: made.host('a'),
    inventory: made.inventory,
  })
  expect(await starting(reach)).toEqual({ ready: false, replay: '1 of 2' })
})
