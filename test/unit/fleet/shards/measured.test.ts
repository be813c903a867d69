import { expect, test } from 'vitest'
import { measureFleet } from '../../../../fleet/shards/measured.ts'
import { planFleet } from '../../../../fleet/shards/plan.ts'
import { HostError, InputError } from '../../../../lib/errors.ts'
import type { Reach } from '../../../../lib/model.ts'
import { moveBegun } from '../../../../lib/sharding/move.ts'
import { evenOwners, type ShardTable, tableOf, tableText } from '../../../../lib/sharding/table.ts'
import { fleet, hostsFile, route } from '../../roles/fleet.ts'

const TWO = tableOf(evenOwners(2))

/** Two shards, the first of two replicas. */
const twoShards = (table: ShardTable | null = TWO) =>
  fleet({
    'hosts.yml': hostsFile(
      {
        prometheus: {
          'p-0a': { ansible_host: '10.0.0.1' },
          'p-0b': { ansible_host: '10.0.0.2' },
          'p-1': { ansible_host: '10.0.0.3' },
        },
        shard_0: { 'p-0a': {}, 'p-0b': {} },
        shard_1: { 'p-1': {} },
        alertmanager: { am: { ansible_host: '10.0.0.4' } },
      },
      {
        prometheus: {
          version: '3.5.3',
          scrape_configs: [
            { job_name: 'app', static_configs: [{ targets: ['a:1'] }] },
            {
              job_name: 'probe',
              relabel_configs: [
                { source_labels: ['__address__'], target_label: '__param_target' },
                { target_label: '__address__', replacement: 'prober:9115' },
              ],
            },
          ],
        },
        alertmanager: { version: '0.33.1', config: route },
      },
    ),
    ...(table && { 'shards.yml': tableText(table) }),
  })

const target = (address: string, more: { readonly job?: string; readonly interval?: string } = {}) => {
  const { job = 'app', interval = '15s' } = more
  return {
    scrapePool: job,
    scrapeUrl: `http://${address}/metrics`,
    health: 'up',
    lastScrape: '2026-01-01T00:00:00Z',
    scrapeInterval: interval,
    labels: { instance: address, job },
    discoveredLabels: { __address__: address, job },
  }
}
interface Says {
  readonly active: readonly ReturnType<typeof target>[]
  /** The series of each instance, as the text that the server answers. */
  readonly series: Readonly<Record<string, string>>
}
const reachOf =
  (says: Readonly<Record<string, Says>>): Reach =>
  async (host) => {
    const said = says[host.name]
    if (!said) throw new HostError(host.name, 'is silent')
    const result = Object.entries(said.series).map(([instance, value]) => ({
      metric: { instance, job: said.active.find(({ labels }) => labels.instance === instance)?.labels.job ?? '' },
      value: [1_700_000_000.5, value],
    }))
    const request = async ({ path }: { readonly path: string }) => ({
      status: 200,
      headers: {},
      body: JSON.stringify({
        data: path.startsWith('/api/v1/query')
          ? { resultType: 'vector', result }
          : { activeTargets: said.active, droppedTargets: [] },
      }),
    })
    return { request } as unknown as Awaited<ReturnType<Reach>>
  }

const ONE: Says = {
  active: [target('a:1'), target('b:1', { interval: '1m30s' })],
  series: { 'a:1': '300', 'b:1': '90' },
}
/** One that is down, and one that is up and has no samples. */
const OTHER: Says = {
  active: [target('c:1'), { ...target('d:1'), health: 'down' }, target('e:1')],
  series: { 'c:1': '20', 'd:1': '0', 'e:1': '0' },
}

test('each target counts once, by the most that a replica says of it; one that is down and gave nothing as the middle one of its job', async () => {
  using made = await twoShards()
  const behind: Says = { active: ONE.active, series: { 'a:1': '200', 'b:1': '95' } }
  const { targets, unmeasured, silent } = await measureFleet(
    made.inventory,
    reachOf({ 'p-0a': ONE, 'p-0b': behind, 'p-1': OTHER }),
  )
  expect(targets.map(({ name, series, samplesPerSecond }) => [name, series, samplesPerSecond])).toEqual([
    ['app http://a:1/metrics', 305, 305 / 15],
    ['app http://b:1/metrics', 100, 100 / 90],
    ['app http://c:1/metrics', 25, 25 / 15],
    ['app http://d:1/metrics', 100, 100 / 15],
    ['app http://e:1/metrics', 5, 5 / 15],
  ])
  expect([unmeasured, silent]).toEqual([1, []])
})

test('a probe is what it probes', async () => {
  using made = await twoShards()
  const probes: Says = { active: [target('site:443', { job: 'probe' })], series: {} }
  const { targets } = await measureFleet(made.inventory, reachOf({ 'p-0a': probes, 'p-0b': probes, 'p-1': OTHER }))
  expect(targets[0]?.labels).toMatchObject({ __address__: 'site:443', __param_target: 'site:443' })
})

test('a replica may be silent, a shard may not', async () => {
  using made = await twoShards()
  const { targets, silent } = await measureFleet(made.inventory, reachOf({ 'p-0a': ONE, 'p-1': OTHER }))
  expect([targets.length, silent]).toEqual([5, [{ host: 'p-0b', why: 'is silent' }]])
  await expect(measureFleet(made.inventory, reachOf({ 'p-0a': ONE, 'p-0b': ONE }))).rejects.toThrow(
    'no replica of shard 1 says what its targets bring: is silent',
  )
})

test.each(['-1', 'NaN', '+Inf', '1e300', 'many', ''])('%j series are not believed', async (value) => {
  using made = await twoShards()
  const liar: Says = { active: OTHER.active, series: { 'c:1': value } }
  await expect(measureFleet(made.inventory, reachOf({ 'p-0a': ONE, 'p-0b': ONE, 'p-1': liar }))).rejects.toThrow(
    'no replica of shard 1 says what its targets bring: /api/v1/query',
  )
})

test('a plan is for the shards that there are, or so many', async () => {
  using made = await twoShards()
  const reach = reachOf({ 'p-0a': ONE, 'p-0b': ONE, 'p-1': OTHER })
  const two = await planFleet(made.inventory, { reach })
  expect([two.shards, two.hashedBy, two.table.shards]).toEqual([[0, 1], ['__address__'], [0, 1]])
  expect((await planFleet(made.inventory, { reach, to: '3' })).table.shards).toEqual([0, 1, 2])
  const one = await planFleet(made.inventory, { reach, to: '1' })
  expect([one.table.owners.every((owner) => owner === 0), one.table.draining]).toEqual([true, [1]])
  await expect(planFleet(made.inventory, { reach, to: 'two' })).rejects.toThrow(InputError)
})

test('there is no plan while a move is under way, nor for no targets', async () => {
  using moving = await twoShards(moveBegun(TWO, [1, ...TWO.owners.slice(1)]))
  await expect(planFleet(moving.inventory, { reach: reachOf({}) })).rejects.toThrow('a move is under way')
  using made = await twoShards()
  const nothing: Says = { active: [], series: {} }
  const reach = reachOf({ 'p-0a': nothing, 'p-0b': nothing, 'p-1': nothing })
  await expect(planFleet(made.inventory, { reach })).rejects.toThrow('scrape no targets')
})

test('servers that are not spread yet are planned as shards of their own', async () => {
  using made = await twoShards(null)
  const plan = await planFleet(made.inventory, { reach: reachOf({ 'p-0a': ONE, 'p-0b': ONE, 'p-1': ONE }) })
  expect([plan.hashedBy, plan.shards, plan.total.targets]).toEqual([null, [0, 1], 2])
})
