/** The drills of a fleet of shards with one place to ask, held on the example. */
import { beforeAll, expect, test } from 'vitest'
import { bringUpShards } from '../drill/elsewhere.ts'
import { held } from '../drill/held.ts'
import { on } from './fleet.ts'

let inventory: string
beforeAll(async () => {
  inventory = await bringUpShards()
})

test('a whole shard is lost: no alert of another one is, and questions about it are answered again', async () => {
  const { alerts, drill } = await held(inventory, 'shard-lost', '--force')
  expect(drill.faults.map(({ host }) => host)).toEqual(['prom-3', 'prom-4'])
  expect(drill.figures.answered?.map(({ question }) => question)).toEqual(['A Prometheus of shard 0 answers queries'])
  expect(alerts?.withoutPath).toBeGreaterThan(0)
})

test.each(['query-lost', 'gateway-lost'])(
  '%s: questions are answered at the one address all the while',
  async (name) => {
    const { drill } = await held(inventory, name)
    expect(drill.figures.answered?.map(({ question }) => question)).toContain(
      'Queries are answered at 10.88.0.200:8090',
    )
  },
)

test('that takes a whole shard away is refused without --force', async () => {
  expect((await on(['drill', 'shard-lost'], 2, inventory)).stderr).toContain('every Prometheus of shard 1')
})
