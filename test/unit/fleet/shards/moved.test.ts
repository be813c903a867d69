import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { firesWhatMoves, goesBack, hasLetGo, scrapesWhatMoves, setsApart } from '../../../../fleet/shards/moved.ts'
import { HostError } from '../../../../lib/errors.ts'
import type { Reach } from '../../../../lib/model.ts'
import { hashmod } from '../../../../lib/sharding/hash.ts'
import { leavingJob } from '../../../../lib/sharding/leaving.ts'
import { moveBegun, moveDone, moveSeen } from '../../../../lib/sharding/move.ts'
import { evenOwners, type ShardTable, tableOf, tableText } from '../../../../lib/sharding/table.ts'
import { fleet, hostsFile, route } from '../../roles/fleet.ts'

const TWO = tableOf(evenOwners(2, 4))
/** A target of each bucket. */
const addressOf = (bucket: number): string => {
  for (let port = 1; ; port += 1) if (hashmod(`10.9.0.1:${port}`, 4) === bucket) return `10.9.0.1:${port}`
}
const target = (bucket: number, lastScrape: string) => ({
  scrapePool: 'app',
  scrapeUrl: `http://${addressOf(bucket)}/metrics`,
  health: 'up',
  lastScrape,
  labels: { instance: addressOf(bucket) },
  discoveredLabels: { __address__: addressOf(bucket), job: 'app' },
})

const NEVER = '0001-01-01T00:00:00Z'
const time = (second: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString()

/** Two shards of one host each; `says` has what each scrapes, and a host without is silent. */
const moving = async (table: ShardTable) => {
  const made = await fleet({
    'hosts.yml': hostsFile(
      {
        prometheus: { old: { ansible_host: '10.0.0.1' }, new: { ansible_host: '10.0.0.2' } },
        shard_0: { old: {} },
        shard_1: { new: {} },
        alertmanager: { am: { ansible_host: '10.0.0.3' } },
      },
      { prometheus: { version: '3.5.3' }, alertmanager: { version: '0.33.1', config: route } },
    ),
    'shards.yml': tableText(table),
  })
  let says: Readonly<Record<string, readonly ReturnType<typeof target>[]>> = {}
  const reach: Reach = async (host) => {
    const activeTargets = says[host.name]
    if (!activeTargets) throw new HostError(host.name, 'is silent')
    const body = JSON.stringify({ data: { activeTargets } })
    return { request: async () => ({ status: 200, headers: {}, body }) } as unknown as Awaited<ReturnType<Reach>>
  }
  return {
    made,
    reach,
    [Symbol.dispose]: () => made[Symbol.dispose](),
    now: (next: typeof says) => {
      says = next
    },
  }
}
const BEGUN = moveBegun(TWO, [0, 1, 1, 1])

test('three scrapes of each target that moves are waited for, and what the old shard has more', async () => {
  using some = await moving(BEGUN)
  const gate = scrapesWhatMoves(some.made.inventory, some.made.host('new'))
  some.now({ old: [target(0, time(1)), target(1, time(1))], new: [target(2, time(1))] })
  expect(await gate.ask(some.reach)).toMatchObject({
    pass: false,
    why: `does not scrape yet: http://${addressOf(1)}/metrics`,
  })
  for (const at of [NEVER, time(5), time(5), time(10)]) {
    some.now({ old: [target(1, time(1))], new: [target(1, at), target(2, time(1))] })
    expect(await gate.ask(some.reach)).toMatchObject({ pass: false })
  }
  some.now({ old: [target(1, time(1))], new: [target(1, time(15))] })
  expect(await gate.ask(some.reach)).toEqual({ pass: true, detail: '1 target' })
})

test('an old shard that is silent is no reason to wait for ever', async () => {
  using some = await moving(BEGUN)
  const gate = scrapesWhatMoves(some.made.inventory, some.made.host('new'))
  for (const second of [5, 10, 15]) {
    some.now({ new: [target(1, time(second))] })
    const verdict = await gate.ask(some.reach)
    expect(verdict.pass).toBe(second === 15)
    if (verdict.pass) expect(verdict.detail).toContain('an old shard is silent')
  }
})

test('an old shard has let go once it scrapes nothing that moved; what stays is no matter', async () => {
  using some = await moving(moveSeen(BEGUN))
  const gate = hasLetGo(some.made.inventory, some.made.host('old'))
  some.now({ old: [target(0, time(1)), target(1, time(1))] })
  expect(await gate.ask(some.reach)).toMatchObject({ pass: false, why: `still scrapes http://${addressOf(1)}/metrics` })
  some.now({ old: [target(0, time(1))] })
  expect(await gate.ask(some.reach)).toEqual({ pass: true })
})

test('an alert that fires on the old shard and is pending on the new one is waited for, but not for ever', async () => {
  using some = await moving(BEGUN)
  const alert = (name: string, state: string, instance = 'i') => ({ labels: { alertname: name, instance }, state })
  const says: Record<string, readonly ReturnType<typeof alert>[]> = {
    old: [alert('Slow', 'firing'), alert('Other', 'firing', 'j'), alert('Pending', 'pending')],
    new: [alert('Slow', 'pending'), alert('Other', 'pending'), alert('Pending', 'pending')],
  }
  const reach: Reach = async ({ name }) => {
    const activeTargets = [{ ...target(1, time(1)), labels: { job: 'app', instance: 'moved' } }]
    const body = JSON.stringify({ data: { alerts: says[name], activeTargets } })
    return { request: async () => ({ status: 200, headers: {}, body }) } as unknown as Awaited<ReturnType<Reach>>
  }
  const gate = firesWhatMoves(some.made.inventory, some.made.host('new'), 60_000)
  expect(await gate.ask(reach)).toEqual({ pass: false, why: '1 alert not due yet: Slow' })
  const short = firesWhatMoves(some.made.inventory, some.made.host('new'), 0)
  expect(await short.ask(reach)).toEqual({ pass: true, detail: '1 alert not due yet: Slow; they begin anew' })
  says.new = [alert('Slow', 'firing')]
  expect(await gate.ask(reach)).toEqual({ pass: true })
  // The old shard's rule looks back at what was before the new one scraped.
  const longAgo = (instance: string) => ({ labels: { alertname: 'LongAgo', job: 'app', instance }, state: 'firing' })
  says.old = [longAgo('stays')]
  expect(await gate.ask(reach)).toEqual({ pass: true })
  says.old = [longAgo('stays'), longAgo('moved')]
  expect(await gate.ask(reach)).toEqual({ pass: false, why: '1 alert not due yet: LongAgo' })
})

test('what leaves is set apart before the old shard lets go of it', async () => {
  using some = await moving(BEGUN)
  const gate = setsApart(some.made.inventory, some.made.host('old'))
  some.now({ old: [target(0, time(1)), target(1, time(1))] })
  expect(await gate.ask(some.reach)).toMatchObject({
    pass: false,
    why: `still among what stays: http://${addressOf(1)}/metrics`,
  })
  some.now({ old: [target(0, time(1)), { ...target(1, time(1)), scrapePool: leavingJob('app') }] })
  expect(await gate.ask(some.reach)).toEqual({ pass: true })
})

test('a rate over the overlap is whole on the new shard before the old one lets go, and younger targets are not waited for for ever', async () => {
  using some = await moving(BEGUN)
  const labels = { job: 'app', instance: 'moved' }
  const active = [
    { ...target(1, time(1)), labels },
    { ...target(2, time(1)), labels: { job: 'app', instance: 'its own' } },
  ]
  let before: readonly object[] = []
  const asked: string[] = []
  const reach: Reach = async () =>
    ({
      request: async ({ path }: { path: string }) => {
        asked.push(decodeURIComponent(path))
        const result = before.map((metric) => ({ metric, value: [1, '1'] }))
        const data = path.includes('query') ? { result } : { activeTargets: active }
        return { status: 200, headers: {}, body: JSON.stringify({ data }) }
      },
    }) as unknown as Awaited<ReturnType<Reach>>
  const { inventory } = some.made
  const gate = goesBack(inventory, some.made.host('new'), 300_000)
  expect(await gate.ask(reach)).toMatchObject({ pass: false, why: '1 target not scraped for so long yet' })
  expect(asked).toContain('/api/v1/query?query=up offset 300s')
  before = [{ __name__: 'up', ...labels }]
  expect(await gate.ask(reach)).toEqual({ pass: true })
  before = []
  const short = goesBack(inventory, some.made.host('new'), 20)
  await short.ask(reach)
  await new Promise((resolve) => setTimeout(resolve, 30))
  expect(await short.ask(reach)).toEqual({ pass: true })
})

test('once a move is over there is nothing to deploy', async () => {
  using letGo = await moving(moveSeen(BEGUN))
  using over = await moving(moveDone(moveSeen(BEGUN)))
  for (const host of ['old', 'new'])
    expect(over.made.text('prometheus', host, '/etc/prometheus/prometheus.yml')).toBe(
      letGo.made.text('prometheus', host, '/etc/prometheus/prometheus.yml'),
    )
})

test('while both scrape, no server’s config lacks a bucket', async () => {
  using some = await moving(BEGUN)
  const keeps = ['old', 'new'].map((host) => {
    const config = parse(some.made.text('prometheus', host, '/etc/prometheus/prometheus.yml'))
    return (config.scrape_configs as { job_name: string; relabel_configs: { regex: string }[] }[]).flatMap(
      ({ job_name, relabel_configs: steps }) =>
        job_name.startsWith('prometheus') ? [[job_name, steps.at(-1)?.regex]] : [],
    )
  })
  expect(keeps).toEqual([
    [
      ['prometheus', '(?:0);|.+;.+'],
      ['prometheus (moving)', '(?:1);'],
    ],
    [['prometheus', '(?:[1-3]);|.+;.+']],
  ])
})
