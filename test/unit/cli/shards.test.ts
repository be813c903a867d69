import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { moveShards } from '../../../cli/commands/shards/move.ts'
import { openContext } from '../../../cli/context.ts'
import { InputError } from '../../../lib/errors.ts'
import { bucketOf } from '../../../lib/sharding/hash.ts'
import { moveBegun, moveSeen } from '../../../lib/sharding/move.ts'
import { evenOwners, parseTable, tableOf, tableText } from '../../../lib/sharding/table.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vestal-shards-'))
  cpSync(join(import.meta.dirname, '../../../inventory/sharded'), folder, { recursive: true })
})
afterEach(() => rmSync(folder, { recursive: true }))

const table = () => join(folder, 'shards.yml')
const move = async (more: { readonly to?: string; readonly undo?: boolean }): Promise<string> => {
  const flags = {
    action: 'move' as const,
    inventory: [folder],
    forks: 1,
    json: true,
    verbose: false,
    acceptNewHostKeys: false,
    diff: false,
    yes: true,
    breakLock: [],
    watchAlerts: false,
    silence: [],
    within: '',
    undo: false,
    exitCode: false,
    overlap: '0s',
    alertsWithin: '1m',
    ...more,
  }
  await using context = await openContext({ ...flags, limit: undefined })
  try {
    return `code ${await moveShards(context, flags)}`
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    return error.message.replaceAll(folder, '~')
  }
}
const THREE = tableOf(evenOwners(3))
const MOVING = moveBegun(THREE, [1, ...THREE.owners.slice(1)])

describe('a move is refused before any machine is touched', () => {
  test.each([
    [THREE, {}, 'nothing moves, and where to is not said'],
    [THREE, { undo: true }, 'nothing moves\n'],
    [THREE, { to: '3', undo: true }, '--undo: goes back, --to goes on'],
    [THREE, { to: '0' }, '0 is no number of shards'],
    [THREE, { to: '5' }, 'no host of the inventory is of shard 3, 4'],
    [THREE, { to: '/none.yml' }, '/none.yml is no number, and there is no such file'],
    [MOVING, { to: '3' }, 'a move is under way already'],
    [moveSeen(MOVING), { to: '2' }, 'a move is under way already'],
  ])('%#: %j', async (there, flags, message) => {
    writeFileSync(table(), tableText(there))
    expect(await move(flags)).toContain(message)
    expect(readFileSync(table(), 'utf8')).toBe(tableText(there))
  })

  test('a table with other labels or buckets can’t be moved to', async () => {
    const other = join(folder, 'group_vars', 'other.txt')
    writeFileSync(other, tableText(tableOf(evenOwners(3), { labels: ['namespace'] })))
    expect(await move({ to: other })).toContain('hashes targets by namespace into 1024 buckets')
    writeFileSync(other, tableText(THREE))
    expect(await move({ to: other })).toContain('is where every bucket is already')
    writeFileSync(other, 'shards: [')
    expect(await move({ to: other })).toMatch(/other\.txt:1:\d+: /)
  })

  test('a table with a mistake is told with its place', async () => {
    writeFileSync(table(), tableText(THREE).replace('"0-341"', '"0-340"'))
    expect(await move({ to: '3' })).toContain('~/shards.yml:4:1: these buckets have no shard: 341')
  })
})

describe('from hashmod', () => {
  const hashmod = (): void => {
    const settings = join(folder, 'group_vars/prometheus.yml')
    writeFileSync(settings, `${readFileSync(settings, 'utf8')}  sharding: hashmod\n  shard_labels: [namespace, pod]\n`)
  }

  test('the first table has every target where it is', async () => {
    rmSync(table())
    hashmod()
    expect(await move({ to: '4' })).toContain('is 4, and hashmod has 3 shards')
    expect(await move({ to: '3' })).toBe('code 0')
    const { labels, buckets, owners } = parseTable({ file: 't', text: readFileSync(table(), 'utf8') })
    expect({ labels, buckets }).toEqual({ labels: ['namespace', 'pod'], buckets: 1_023 })
    for (let one = 0; one < 2_000; one += 1) {
      const labels = { namespace: `n${one % 7}`, pod: `p${one}` }
      const by = ['namespace', 'pod']
      expect(owners[bucketOf(labels, by, buckets) ?? -1]).toBe(bucketOf(labels, by, 3))
    }
  })

  test('nothing is moved by a table that nobody goes by', async () => {
    hashmod()
    expect(await move({ to: '2' })).toContain('prometheus.sharding: is hashmod, which knows no table')
  })
})

describe('without a table', () => {
  test('the first one is written, for shards that have hosts', async () => {
    rmSync(table())
    expect(await move({})).toContain('there is no table of shards yet')
    expect(await move({ to: '4' })).toContain('no host is of shard 3')
    expect(existsSync(table())).toBe(false)
    expect(await move({ to: '3' })).toBe('code 0')
    expect(parseTable({ file: 't', text: readFileSync(table(), 'utf8') })).toEqual(THREE)
  })
})
