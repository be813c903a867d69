/**
 * Three shards of two replicas with 600 targets more, whose exporter is in this process: what is scraped when and by whom is known without asking a
 * Prometheus. 3 to 4 shards and back, interrupted and undone on the way.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { powerLoss } from '../../../lib/lab/faults.ts'
import { bucketOf } from '../../../lib/sharding/hash.ts'
import { parseTable, type ShardTable, shardsOf, tableOf, tableText } from '../../../lib/sharding/table.ts'
import { testLab } from '../lab-setup.ts'
import { type Ended, project, startVestal, vestal } from '../vestal.ts'
import { type Exporter, exporterOn } from './exporter.ts'

const COUNT = 600
const INTERVAL_MS = 5_000
/** What a machine with two cores may be late by. */
const LATE_MS = 1_500
const SHARDS: Readonly<Record<string, string>> = Object.fromEntries(
  [0, 0, 1, 1, 2, 2, 3, 3].map((shard, at) => [`10.88.0.${at < 6 ? 11 + at : 13 + at}`, String(shard)]),
)

const folder = mkdtempSync(join(tmpdir(), 'vestal-move-'))
let exporter: Exporter

beforeAll(async () => {
  exporter = await exporterOn('10.88.0.1', 21_000, COUNT)
  cpSync(join(project, 'inventory/sharded'), folder, { recursive: true })
  const hosts = join(folder, 'hosts.yml')
  const fourth = `        shard_3:
          hosts:
            prom-3a: { ansible_host: 10.88.0.19 }
            prom-3b: { ansible_host: 10.88.0.20 }
    alertmanager:`
  writeFileSync(
    hosts,
    readFileSync(hosts, 'utf8')
      .replace('    alertmanager:', fourth)
      .replace(/ +am-3: .*\n/, ''),
  )
  const settings = join(folder, 'group_vars/prometheus.yml')
  const many = { job_name: 'many', static_configs: [{ targets: exporter.targets }] }
  writeFileSync(settings, `${readFileSync(settings, 'utf8')}  scrape_configs: [${JSON.stringify(many)}]\n`)
  await on(['deploy', '-y'])
})
afterAll(async () => {
  await exporter[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

const on = async (words: readonly string[], expected: number | null = 0): Promise<Ended> => {
  const ended = await vestal([...words, '-i', folder])
  if (expected !== null && ended.code !== expected)
    throw new Error(`vestal ${words.join(' ')} ended with ${ended.code}:\n${ended.stdout}${ended.stderr}`)
  return ended
}
const table = (): ShardTable =>
  parseTable({ file: 'shards.yml', text: readFileSync(join(folder, 'shards.yml'), 'utf8') })
const bucketAt = (target: string): number => bucketOf({ __address__: target }, ['__address__'], 1_024) ?? -1

interface Verified {
  readonly exactlyOnce: boolean
  readonly targets: number
  readonly perShard: Readonly<Record<string, number>>
  readonly deviations: readonly unknown[]
}
const verified = async (): Promise<Verified> =>
  JSON.parse((await on(['shards', 'verify', '--json', '--within', '1m'])).stdout)

/** What the exporter itself saw in the last two intervals: of each target its shard, which both replicas scrape and nobody else. */
const witnessed = async (): Promise<ReadonlyMap<string, string>> => {
  const since = Date.now()
  await sleep(2 * INTERVAL_MS + LATE_MS)
  return new Map(
    exporter.targets.map((target) => {
      const by = exporter.scrapedBy(target, since)
      const shards = new Set(by.map((address) => SHARDS[address] ?? address))
      return [target, by.length === 2 && shards.size === 1 ? String([...shards][0]) : `scraped by ${by.join(', ')}`]
    }),
  )
}
const byTable = (): ReadonlyMap<string, string> =>
  new Map(exporter.targets.map((target) => [target, shardsOf(table(), bucketAt(target)).join()]))
const movedBetween = (one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): readonly string[] =>
  exporter.targets.filter((target) => one.get(target) !== other.get(target))
const longestGap = (since: number): number =>
  Math.max(...exporter.targets.map((one) => exporter.longestGap(one, since)))
const told = (what: string, figures: object): void => console.log(`${what}: ${JSON.stringify(figures)}`)

test('each target is scraped by one shard, by both of its replicas, as the table says', async () => {
  const { targets, perShard, exactlyOnce } = await verified()
  expect(exactlyOnce).toBe(true)
  expect(targets).toBeGreaterThanOrEqual(COUNT)
  expect(await witnessed()).toEqual(byTable())
  told('three shards', { targets, perShard })
  expect((await on(['deploy', '-y'])).stdout).toMatch(/: 0 changed,/)
})

test('a target that two shards or none scrape is named, and the exit code says so', async () => {
  const path = join(folder, 'shards.yml')
  const right = readFileSync(path, 'utf8')
  const first = [...byTable()].find(([, shard]) => shard === '0')?.[0] ?? ''
  const wrong = table().owners.map((owner, bucket) => (bucket === bucketAt(first) ? 1 : owner))
  try {
    // Only one replica of shard 0 hears of it: one target is then without it, and still with the other.
    writeFileSync(path, tableText(tableOf(wrong)))
    await on(['deploy', '-y', '-l', 'prom-0a'])
    const wrongly = [
      `many http://${first}/metrics is not scraped by prom-0a, a replica of shard 0`,
      `many http://${first}/metrics is scraped by shard 0, and is shard 1’s`,
    ]
    await expect
      .poll(async () => (await on(['shards', 'verify'], 1)).stdout, { timeout: 30_000, interval: 1_000 })
      .toEqual(expect.stringContaining(wrongly[0] ?? ''))
    expect((await on(['shards', 'verify'], 1)).stdout).toContain(wrongly[1])
  } finally {
    writeFileSync(path, right)
    await on(['deploy', '-y', '-l', 'prom-0a'])
  }
  expect((await verified()).exactlyOnce).toBe(true)
})

/** A fleet of so many shards, whatever test was before. */
const haveShards = async (count: number): Promise<void> => {
  if (new Set(table().owners).size !== count)
    await on(['shards', 'move', '--to', `${count}`, '-y', '--overlap', '0s', '--no-watch-alerts'])
}

test('3 to 4 moves a quarter, watched: no target waits, no canary alert is lost', async () => {
  await haveShards(3)
  const before = await witnessed()
  const since = Date.now()
  const ended = await on(['shards', 'move', '--to', '4', '-y', '--overlap', '0s', '--json'])
  const after = await witnessed()
  const gap = longestGap(since)
  const moved = movedBetween(before, after)
  const alerts = ended.events.flatMap((event) =>
    event.event === 'run-ended' && event.report.alerts ? [event.report.alerts] : [],
  )
  const { perShard, exactlyOnce } = await verified()
  told('3 to 4', {
    moved: moved.length,
    percent: (100 * moved.length) / COUNT,
    byHashmod: exporter.targets.filter(
      (one) =>
        bucketOf({ __address__: one }, ['__address__'], 3) !== bucketOf({ __address__: one }, ['__address__'], 4),
    ).length,
    longestGapMs: gap,
    perShard,
    alerts: alerts.map(({ sent, delivered, lost, duplicated, refired }) => ({
      sent,
      delivered,
      lost,
      duplicated,
      refired,
    })),
  })
  expect(exactlyOnce).toBe(true)
  expect(after).toEqual(byTable())
  expect(moved.length / COUNT).toBeLessThanOrEqual(0.26)
  expect(moved.every((target) => after.get(target) === '3')).toBe(true)
  expect(gap).toBeLessThanOrEqual(2 * INTERVAL_MS)
  expect(alerts).toHaveLength(2)
  for (const { sent, lost, duplicated, resolvedEarly } of alerts)
    expect({ some: sent > 8, lost, duplicated, resolvedEarly }).toEqual({
      some: true,
      lost: 0,
      duplicated: 0,
      resolvedEarly: 0,
    })
})

test('4 to 3, killed once both scrape: status and verify tell the truth, it goes on, and only the leaving shard’s targets move', async () => {
  await haveShards(4)
  const before = await witnessed()
  const since = Date.now()
  await killedOnce('scraping', ['shards', 'move', '--to', '3', '-y', '--overlap', '0s', '--json', '--no-watch-alerts'])
  expect(table().moving.every(({ state }) => state === 'scraping')).toBe(true)
  expect(await on(['shards', 'move', '--to', '3'], 2)).toMatchObject({
    stderr: expect.stringContaining('a move is under way'),
  })
  expect((await on(['shards', 'verify'])).code).toBe(0)
  await on(['shards', 'move', '-y', '--overlap', '0s', '--no-watch-alerts'])
  const after = await witnessed()
  const gap = longestGap(since)
  const moved = movedBetween(before, after)
  told('4 to 3, killed and gone on', { moved: moved.length, longestGapMs: gap })
  expect(after).toEqual(byTable())
  expect(moved.every((target) => before.get(target) === '3')).toBe(true)
  expect(table().draining).toEqual([3])
  expect(gap).toBeLessThanOrEqual(2 * INTERVAL_MS)
  // Every shard watches both Alertmanagers.
  expect((await verified()).perShard['3']).toBe(2)
})

test.each(['scraping', 'sending', 'seen'] as const)(
  'killed in state %s, a move is undone: all is as it was',
  async (state) => {
    await haveShards(3)
    const [owners, before] = [table().owners, await witnessed()]
    const since = Date.now()
    await killedOnce(state, ['shards', 'move', '--to', '4', '-y', '--overlap', '0s', '--json', '--no-watch-alerts'])
    await on(['shards', 'move', '--undo', '-y', '--overlap', '0s', '--no-watch-alerts'])
    const gap = longestGap(since)
    expect(table()).toMatchObject({ owners, moving: [] })
    expect(await witnessed()).toEqual(before)
    expect((await verified()).exactlyOnce).toBe(true)
    told(`undone from ${state}`, { longestGapMs: gap })
    expect(gap).toBeLessThanOrEqual(2 * INTERVAL_MS)
  },
)

test('a machine of an old shard lost for good before it lets go: the run says which and stops, goes on without it, and no target waits', async () => {
  await haveShards(3)
  const since = Date.now()
  await killedOnce('scraping', ['shards', 'move', '--to', '4', '-y', '--overlap', '0s', '--json', '--no-watch-alerts'])
  await powerLoss('lab-6', testLab)
  expect((await on(['shards', 'move', '-y', '--overlap', '0s', '--no-watch-alerts'], 1)).stdout).toContain('prom-2b')
  expect(table().moving.every(({ state }) => state === 'scraping')).toBe(true)
  expect((await on(['shards', 'verify'], 1)).stdout).toContain('prom-2b does not say what it scrapes')
  expect(JSON.parse((await on(['status', '--json'], 1)).stdout).healthy).toBe(false)
  await on(['remove-node', 'prom-2b', '--dead', '-y', '--no-watch-alerts'])
  await on(['shards', 'move', '-y', '--overlap', '0s', '--no-watch-alerts'])
  const gap = longestGap(since)
  told('an old shard’s machine lost', { longestGapMs: gap })
  expect(table()).toMatchObject({ moving: [], draining: [] })
  expect((await verified()).exactlyOnce).toBe(true)
  expect(gap).toBeLessThanOrEqual(2 * INTERVAL_MS)
})

test('a machine of a new shard lost for good: nothing is let go of, and the move is undone', async () => {
  await haveShards(4)
  const { owners } = table()
  const since = Date.now()
  await powerLoss('lab-4', testLab)
  const ended = await on(['shards', 'move', '--to', '3', '-y', '--overlap', '0s', '--no-watch-alerts'], 1)
  expect(ended.stdout).toContain('prom-1b could not be read; nothing was changed')
  expect(table().moving.every(({ state }) => state === 'scraping')).toBe(true)
  await on(['shards', 'move', '--undo', '-y', '--overlap', '0s', '--no-watch-alerts'], 1)
  await on(['remove-node', 'prom-1b', '--dead', '-y', '--no-watch-alerts'])
  await on(['shards', 'move', '-y', '--overlap', '0s', '--no-watch-alerts'])
  const gap = longestGap(since)
  told('a new shard’s machine lost', { longestGapMs: gap })
  expect(table()).toMatchObject({ owners, moving: [] })
  expect((await verified()).exactlyOnce).toBe(true)
  expect(gap).toBeLessThanOrEqual(2 * INTERVAL_MS)
})

/** Starts a command and kills it, with no time to put anything in order, once both shards scrape, while new ones are let send alerts, or while old ones let go. */
const killedOnce = async (state: 'scraping' | 'sending' | 'seen', words: readonly string[]): Promise<void> => {
  const running = startVestal([...words, '-i', folder], {
    onEvent: (event, { kill }) => {
      const there =
        state === 'scraping'
          ? event.event === 'gate' && event.play === 'Every target that moves is scraped by its new shard'
          : event.event === 'batch-started' && table().moving.some((move) => move.state === state)
      if (there) setTimeout(() => kill('SIGKILL'), 300)
    },
  })
  expect((await running.ended).code).toBeNull()
}
