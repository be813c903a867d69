/** The example inventory with one place to ask, as it is. */
import { beforeAll, expect, test } from 'vitest'
import { addressOf, ask, at, numberOf, on, until } from './fleet.ts'

const query = `${addressOf('query-1')}:10904`

beforeAll(() => on(['deploy', '-y', '--no-watch-alerts']))

test('it is whole, and a second deploy changes nothing', async () => {
  expect((await on(['deploy', '-y', '--no-watch-alerts'])).stdout).toMatch(/: 0 changed,/)
  expect(JSON.parse((await on(['status', '--json'])).stdout).healthy).toBe(true)
})

test('replicas and shards are one series each to who asks, and all copies to who wants them', async () => {
  // Every shard scrapes the Alertmanagers.
  const others = 'up{job!="alertmanager"}'
  const [whole, copies] = [await ask(query, others), await ask(query, others, { dedup: 'false' })]
  expect(whole.warnings).toBeUndefined()
  const labels = (of: typeof whole) => new Set(of.data?.result.flatMap(({ metric }) => Object.keys(metric)))
  expect(['replica', 'shard'].filter((label) => labels(whole).has(label))).toEqual([])
  expect(['replica', 'shard'].filter((label) => labels(copies).has(label))).toEqual(['replica', 'shard'])
  const of = (answer: typeof whole) => answer.data?.result.length ?? 0
  expect(of(whole)).toBeGreaterThanOrEqual(20)
  // Two replicas of the one shard that has the target.
  expect(of(copies)).toBe(2 * of(whole))
  expect(new Set(whole.data?.result.map(({ metric }) => `${metric.job} ${metric.instance}`)).size).toBe(of(whole))
})

test('an answer that lacks a replica says so and names it, or is an error to who wants none in part', async () => {
  const before = numberOf(await ask(query, 'count(up)'))
  await at('prom-2', 'systemctl stop thanos-sidecar')
  try {
    const answer = await ask(query, 'count(up)')
    expect(numberOf(answer)).toBe(before)
    expect(answer.warnings?.join()).toContain('prom-2')
    const refused = await ask(query, 'count(up)', { partial_response: 'false' })
    expect([refused.status, refused.error]).toEqual(['error', expect.stringContaining('prom-2')])
    // Long after Thanos itself has noticed: it would then be left out without a word.
    await new Promise((done) => setTimeout(done, 12_000))
    expect((await ask(query, 'count(up)')).warnings?.join()).toContain('prom-2')
    const status = JSON.parse((await on(['status', '--json'], 1)).stdout)
    const query1 = status.instances.find(
      (one: { instance: string; role: string }) => one.instance === 'query-1' && one.role === 'thanos-query',
    )
    expect([query1.shows.endpoints, query1.failing.join()]).toEqual([
      '5/6',
      expect.stringContaining('10.88.0.12:10901'),
    ])
  } finally {
    await at('prom-2', 'systemctl start thanos-sidecar')
  }
  await until('the answer is whole again', async () => !(await ask(query, 'count(up)')).warnings, 30_000)
})
