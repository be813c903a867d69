import { expect, test } from 'vitest'
import type { Endpoint } from '../../../lib/api/endpoint.ts'
import { discoveredOf, targetsOf } from '../../../lib/api/prometheus.ts'
import type { Host, Reach } from '../../../lib/model.ts'
import { leavingJob } from '../../../lib/sharding/leaving.ts'

const endpoint = { host: { name: 'h' } as Host, port: 9090 } as Endpoint
const target = (pool: string, address: string) => ({
  scrapePool: pool,
  scrapeUrl: `http://${address}/metrics`,
  health: 'up',
  lastScrape: '2026-01-01T00:00:00Z',
  labels: { job: 'app', instance: address },
  discoveredLabels: { __address__: address, job: pool },
})
const dropped = (pool: string, address: string) => ({ discoveredLabels: { __address__: address, job: pool } })
const answering = (data: object): Reach => {
  const body = JSON.stringify({ data })
  return async () =>
    ({ request: async () => ({ status: 200, headers: {}, body }) }) as unknown as Awaited<ReturnType<Reach>>
}

test('a target that leaves is one of its job, whichever job scrapes it meanwhile', async () => {
  const leaving = leavingJob('app')
  // Of four targets the first stays, the second leaves, and two are another shard's.
  const found = await discoveredOf(
    answering({
      activeTargets: [target('app', 'a:1'), target(leaving, 'a:2')],
      droppedTargets: [dropped('app', 'a:2'), dropped(leaving, 'a:1')],
      droppedTargetCounts: { app: 3, [leaving]: 3 },
    }),
    endpoint,
  )
  expect(found.active.map(({ scrapePool, discoveredLabels }) => [scrapePool, discoveredLabels.job])).toEqual([
    ['app', 'app'],
    ['app', 'app'],
  ])
  expect(found).toMatchObject({ dropped: [dropped('app', 'a:2')], counts: { app: 2 } })
})

test('which targets leave is said, and a job that is called otherwise leaves nothing', async () => {
  const activeTargets = [leavingJob('app'), 'app', 'app (moving) 2', 'moving'].map((pool) => target(pool, 'a:1'))
  const found = await targetsOf(answering({ activeTargets }), endpoint)
  expect(found.map(({ leaving, scrapePool }) => [leaving, scrapePool])).toEqual([
    [true, 'app'],
    [false, 'app'],
    [false, 'app (moving) 2'],
    [false, 'moving'],
  ])
})
