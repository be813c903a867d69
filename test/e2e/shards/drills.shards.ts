/** The drills of a fleet of shards with one place to ask, held on the example. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { held } from '../drill/held.ts'
import { GLOBAL, on, until } from './fleet.ts'

const folder = mkdtempSync(join(tmpdir(), 'vestal-drills-'))
const inventory = join(folder, 'global')

beforeAll(async () => {
  cpSync(GLOBAL, inventory, { recursive: true })
  const file = join(inventory, 'group_vars/alertmanager.yml')
  const { alertmanager } = parse(readFileSync(file, 'utf8'))
  alertmanager.cluster.peer_timeout = '2s'
  // Quick to be over.
  alertmanager.canary = { every: '1s', group_interval: '20s' }
  writeFileSync(file, stringify({ alertmanager }))
  await on(['deploy', '-y', '--no-watch-alerts'], 0, inventory)
  await until(
    'everything serves',
    async () => JSON.parse((await on(['status', '--json'], 0, inventory)).stdout).healthy,
    120_000,
  )
})
afterAll(() => rmSync(folder, { recursive: true }))

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
