import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { InputError } from '../../../lib/errors.ts'
import {
  evenOwners,
  parseTable,
  readTable,
  type ShardTable,
  scrapedBy,
  shardsOf,
  tableOf,
  tablePath,
  tableText,
} from '../../../lib/sharding/table.ts'

const parse = (text: string): ShardTable => parseTable({ file: 'shards.yml', text })

test('a table is read as it was written, one line a shard', () => {
  const table: ShardTable = {
    ...tableOf(evenOwners(3, 12), { labels: ['__address__', 'weird label'], shards: [3], draining: [4] }),
    moving: [{ buckets: [0, 1, 3], from: 0, to: 3, state: 'scraping' }],
    left: { 4: [0, 1, 7] },
  }
  const text = tableText(table)
  expect(
    text,
  ).toBe(`# Which shard scrapes which targets. Written by \`vestal shards\`; commit it, and change it by that command only.
labels: [__address__, "weird label"]
buckets: 12
shards:
  "0": "0-3"
  "1": "4-7"
  "2": "8-11"
  "3": ""
moving:
  - { buckets: "0-1,3", from: 0, to: 3, state: scraping }
draining: [4]
left:
  "4": "0-1,7"
`)
  expect(parse(text)).toEqual(table)
})

test('while a bucket moves both scrape it; once seen only the new one', () => {
  const still = tableOf(evenOwners(2, 4), {})
  const moving = (state: 'scraping' | 'seen'): ShardTable => ({
    ...still,
    moving: [{ buckets: [1], from: 0, to: 1, state }],
  })
  expect([0, 1].map((shard) => scrapedBy(still, shard))).toEqual([
    [0, 1],
    [2, 3],
  ])
  expect([0, 1].map((shard) => scrapedBy(moving('scraping'), shard))).toEqual([
    [0, 1],
    [1, 2, 3],
  ])
  expect([0, 1].map((shard) => scrapedBy(moving('seen'), shard))).toEqual([[0], [1, 2, 3]])
  expect(shardsOf(moving('scraping'), 1)).toEqual([0, 1])
  expect(shardsOf(moving('seen'), 1)).toEqual([1])
  expect(shardsOf(moving('seen'), 0)).toEqual([0])
})

test('buckets handed out evenly differ by one at most', () => {
  for (let shards = 1; shards <= 50; shards += 1) {
    const counts = [...Map.groupBy(evenOwners(shards), (owner) => owner).values()].map((some) => some.length)
    expect(counts).toHaveLength(shards)
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
  }
})

const SOUND = 'buckets: 8\nshards:\n  "0": "0-3"\n  "1": "4-7"\n'
test.each([
  ['', 'shards.yml: expected a table'],
  ['- a', 'shards.yml:1:1: expected a table'],
  ['labels: [a]', 'shards.yml:1:1: `shards` is missing'],
  [`${SOUND}more: 1`, 'shards.yml:5:1: no table of shards has `more`'],
  [SOUND.replace('4-7', '3-7'), 'shards.yml:4:8: these buckets have a shard already: 3'],
  [SOUND.replace('4-7', '5-7'), 'shards.yml:2:1: these buckets have no shard: 4'],
  [SOUND.replace('4-7', '4-8'), 'shards.yml:4:8: bucket 8 is not there: the last is 7'],
  [SOUND.replace('4-7', '4..7'), 'shards.yml:4:8: expected ranges of buckets'],
  [SOUND.replace('"1"', 'one'), 'shards.yml:4:3: shards are numbered from 0; `one` is no number'],
  [SOUND.replace('8', '0'), 'shards.yml:1:10: expected a number of buckets'],
  [`${SOUND}labels: a`, 'shards.yml:5:9: expected a list of the labels'],
  [`${SOUND}draining: [1]`, 'shards.yml:5:12: shard 1 owns buckets'],
  [`${SOUND}left: [1]`, 'shards.yml:5:7: expected shards with the buckets that they let go of'],
  [`${SOUND}left: { 0: 5-8 }`, 'shards.yml:5:12: expected a shard with ranges of buckets below 8'],
  [`${SOUND}left: { x: 5 }`, 'shards.yml:5:12: expected a shard with ranges of buckets below 8'],
  [`${SOUND}draining: [x]`, 'shards.yml:5:12: expected the number of a shard'],
  [`${SOUND}moving: [{ buckets: 4, from: 0, to: 1, state: seen }]`, 'shards.yml:5:10: shard 0 does not own 4'],
  [`${SOUND}moving: [{ buckets: 3, from: 0, to: 9, state: seen }]`, 'shards.yml:5:10: shard 9 is not in the table'],
  [`${SOUND}moving: [{ buckets: 3, from: 0, to: 0, state: seen }]`, 'shards.yml:5:10: moves from shard 0 to itself'],
  [`${SOUND}moving: [{ buckets: 3, from: 0, to: 1, state: gone }]`, 'shards.yml:5:10: expected a move'],
])('%j is refused, and where', (text, message) => {
  expect(() => parse(text)).toThrow(InputError)
  expect(() => parse(text)).toThrow(message)
})

test('the table stands beside the inventory, or there is none', () => {
  const folder = mkdtempSync(join(tmpdir(), 'vestal-shards-'))
  expect(readTable(folder)).toBeNull()
  writeFileSync(tablePath(folder), SOUND)
  expect(readTable(folder)?.owners).toEqual([0, 0, 0, 0, 1, 1, 1, 1])
  writeFileSync(tablePath(folder), SOUND.replace('4-7', '5-7'))
  expect(() => readTable(folder)).toThrow(`${folder}/shards.yml:2:1: these buckets have no shard`)
})
