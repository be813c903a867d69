/**
 * Three shards whose targets bring very different amounts: one 30% of all series, ten 3% each, and one namespace most of them. What is planned is carried
 * out, and each server then has what the plan said.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseTable, type ShardTable } from '../../../lib/sharding/table.ts'
import { type Ended, project, vestal } from '../vestal.ts'
import { type Exporter, exporterOn } from './exporter.ts'
import { ask, numberOf, until } from './fleet.ts'

const COUNT = 120
/** With the hosts' own exporters, which have some thousand series, the first target has 30% of all and the next ten 3% each. */
const seriesOf = (at: number): number => (at === 0 ? 21_000 : at <= 10 ? 2_100 : Math.floor(5_000 / (at - 5)))
const SERVERS = [
  ['10.88.0.11', '10.88.0.12'],
  ['10.88.0.13', '10.88.0.14'],
  ['10.88.0.15', '10.88.0.16'],
] as const

const folder = mkdtempSync(join(tmpdir(), 'vestal-plan-'))
const planned = join(folder, 'planned.txt')
let exporter: Exporter

beforeAll(async () => {
  exporter = await exporterOn('10.88.0.1', 22_000, COUNT, seriesOf)
  cpSync(join(project, 'inventory/sharded'), folder, { recursive: true })
  const settings = join(folder, 'group_vars/prometheus.yml')
  // Most of what there is lies in the first namespace.
  const static_configs = [0, 1, 2, 3, 4, 5].map((namespace) => ({
    targets: exporter.targets.filter((_, at) => (at <= 10 ? 0 : at % 6) === namespace),
    labels: { namespace: `ns-${namespace}` },
  }))
  const many = { job_name: 'many', static_configs }
  writeFileSync(settings, `${readFileSync(settings, 'utf8')}  scrape_configs: [${JSON.stringify(many)}]\n`)
  await on(['deploy', '-y'])
  await until('every target was scraped', async () => (await plan()).unmeasured === 0, 90_000)
})
afterAll(async () => {
  await exporter[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

const on = async (words: readonly string[], expected = 0): Promise<Ended> => {
  const ended = await vestal([...words, '-i', folder])
  if (ended.code !== expected)
    throw new Error(`vestal ${words.join(' ')} ended with ${ended.code}:\n${ended.stdout}${ended.stderr}`)
  return ended
}
const table = (): ShardTable =>
  parseTable({ file: 'shards.yml', text: readFileSync(join(folder, 'shards.yml'), 'utf8') })

/** What a server has of the targets that are spread, with the five series that it adds to each. */
const seriesAt = async (address: string): Promise<number> =>
  numberOf(
    await ask(
      `${address}:9090`,
      'sum(5 + last_over_time(scrape_samples_post_metric_relabeling{job!~"alertmanager|vestal_canary"}[15s]))',
    ),
  )
const measured = (): Promise<readonly (readonly number[])[]> =>
  Promise.all(SERVERS.map((replicas) => Promise.all(replicas.map(seriesAt))))

interface Candidate {
  readonly labels: readonly string[]
  readonly now: number
  readonly planned: number
  readonly moves: { readonly targets: number; readonly series: number }
  readonly perShard: readonly { readonly shard: number; readonly series: number }[]
  readonly cause: {
    readonly kind: string
    readonly heaviest: string
    readonly share: number
    readonly text?: string
  } | null
}
interface Planned {
  readonly total: { readonly series: number; readonly targets: number }
  readonly candidates: readonly Candidate[]
  readonly recommended: { readonly labels: readonly string[]; readonly reason: string; readonly table: string }
  readonly unmeasured: number
}
const plan = async (words: readonly string[] = [], expected = 0): Promise<Planned> =>
  JSON.parse((await on(['shards', 'plan', '--json', ...words], expected)).stdout)
const by = ({ candidates }: Planned, label: string): Candidate | undefined =>
  candidates.find(({ labels }) => labels.join() === label)

test('what bounds a label set is named: a namespace that is hashed as one, a target that is more than a shard', async () => {
  const three = await plan()
  expect(three.recommended).toMatchObject({ labels: ['__address__'], reason: 'in-force-within' })
  expect(three.unmeasured).toBe(0)
  const address = by(three, '__address__')
  expect(address?.now).toBeGreaterThan(1.1)
  expect(address?.planned).toBeLessThanOrEqual(1.1)
  const namespace = by(await plan(['--labels', 'namespace']), 'namespace')
  expect(namespace?.planned).toBeGreaterThan(1.5)
  expect(namespace?.cause).toMatchObject({ kind: 'values', text: 'ns-0' })
  const four = by(await plan(['--to', '4']), '__address__')
  expect(four?.cause).toMatchObject({ kind: 'target', heaviest: expect.stringContaining(exporter.targets[0] ?? '?') })
  expect(four?.cause?.share).toBeCloseTo(0.3, 1)
  const said = (await on(['shards', 'plan', '--to', '4'])).stdout
  console.log(said)
  expect(said).toMatch(/one target has (29|30|31)\.\d% of all series, of which a 4th is 25\.0%/)
  expect(said).toContain('No host of the inventory is of shard 3')
})

test('bad input is refused before anything is written', async () => {
  const before = readFileSync(join(folder, 'shards.yml'), 'utf8')
  expect((await on(['shards', 'plan', '--out', join(folder, 'shards.yml')], 2)).stderr).toContain(
    'is the table in force',
  )
  expect((await on(['shards', 'plan', '--to', '0'], 2)).stderr).toContain('0 is no number of shards')
  expect(readFileSync(join(folder, 'shards.yml'), 'utf8')).toBe(before)
})

test('a plan is carried out, and each server then has what it said, within 5%', async () => {
  const wanted = await plan(['--out', planned, '--exit-code'], 3)
  const best = by(wanted, '__address__')
  expect(readFileSync(planned, 'utf8')).toBe(wanted.recommended.table)
  const owners = table().owners
  await on(['shards', 'move', '--to', planned, '-y', '--overlap', '0s', '--no-watch-alerts'])
  expect(table().owners).toEqual(parseTable({ file: planned, text: wanted.recommended.table }).owners)
  expect(table().owners).not.toEqual(owners)
  const off = (have: readonly (readonly number[])[]): number =>
    Math.max(
      ...have.flatMap((replicas, shard) =>
        replicas.map((one) => Math.abs(one / (best?.perShard[shard]?.series ?? 0) - 1)),
      ),
    )
  // What a server has let go of has no end in it (`docs/sharding.md`), and is no longer scraped.
  await sleep(20_000)
  const have = await measured()
  const firsts = have.map(([one = 0]) => one)
  const largest = (Math.max(...firsts) * firsts.length) / firsts.reduce((sum, one) => sum + one, 0)
  console.log(
    `planned and measured: ${JSON.stringify({ total: wanted.total, before: best?.now, planned: best?.planned, moves: best?.moves, perShard: best?.perShard.map(({ series }) => series), measured: have, largest, offPercent: 100 * off(have) })}`,
  )
  expect(off(have)).toBeLessThanOrEqual(0.05)
  expect(largest).toBeLessThanOrEqual(1.1 * 1.01)
  // Planned anew, nothing moves: it is what was planned for.
  const again = await plan(['--exit-code'])
  expect(by(again, '__address__')?.moves.targets).toBe(0)
})
