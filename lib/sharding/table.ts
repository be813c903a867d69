import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isMap, isScalar, isSeq, type Node } from 'yaml'
import { readText } from '../inventory/files.ts'
import { collectMistakes, type Mistakes } from '../inventory/mistakes.ts'
import { type Entry, entriesOf, follow, parseSource, positionOf, type Source } from '../inventory/yaml/source.ts'
import { MOST, parseRanges, rangesText } from './ranges.ts'

/** Which shard scrapes which targets: a target's hash gives its bucket, the table the bucket's shard. */
export interface ShardTable {
  /** What targets are hashed by. */
  readonly labels: readonly string[]
  /** How many buckets there are. */
  readonly buckets: number
  /** The shard of each bucket: the one that lets go of it where it moves. */
  readonly owners: readonly number[]
  /** All shards of the table in order, those that own nothing yet and those that drain included. */
  readonly shards: readonly number[]
  readonly moving: readonly Move[]
  /** Shards that own nothing and only answer queries for what they have collected. */
  readonly draining: readonly number[]
  /** By shard, buckets that it once let go of and doesn't scrape: it sends no alert of theirs any more, whatever it still knows. */
  readonly left: Readonly<Record<number, readonly number[]>>
}
/** Buckets on their way from one shard to another. */
export interface Move {
  readonly buckets: readonly number[]
  readonly from: number
  readonly to: number
  readonly state: MoveState
}

/**
 * `scraping`: both scrape, and the new one, whose rules see a part of what they look back at, sends no alert of it. `sending`: every replica of the new
 * one was seen to have it, and both send. `seen`: the old one may let go. `returning`: both scrape, on the way back to the one that never let go; the
 * one that lets go sends no alert of it.
 */
export type MoveState = (typeof STATES)[number]
const STATES = ['scraping', 'sending', 'seen', 'returning'] as const

/** The name of the table's file, beside the inventory. */
const TABLE_FILE = 'shards.yml'
export const BUCKETS = 1_024

/** The buckets that a shard scrapes now: what it owns and what moves to it, without what it may let go of. In order. */
export const scrapedBy = ({ owners, moving }: ShardTable, shard: number): readonly number[] => {
  const arriving = new Set(moving.filter(({ to }) => to === shard).flatMap(({ buckets }) => buckets))
  const gone = new Set(
    moving.filter(({ from, state }) => from === shard && state === 'seen').flatMap(({ buckets }) => buckets),
  )
  return owners.flatMap((owner, bucket) =>
    (owner === shard && !gone.has(bucket)) || arriving.has(bucket) ? [bucket] : [],
  )
}

/** Those of the buckets that a shard scrapes which it is about to let go of. In order. */
export const leavingOf = ({ moving }: ShardTable, shard: number): readonly number[] =>
  moving
    .filter(({ from, state }) => from === shard && state !== 'seen')
    .flatMap(({ buckets }) => buckets)
    .sort((a, b) => a - b)

/** The buckets that a shard has let go of, in this move or one before, and doesn't scrape now. In order. */
export const leftBy = (table: ShardTable, shard: number): readonly number[] => {
  const seen = table.moving.filter(({ from, state }) => from === shard && state === 'seen')
  const here = new Set(scrapedBy(table, shard))
  return [...new Set([...(table.left[shard] ?? []), ...seen.flatMap(({ buckets }) => buckets)])]
    .filter((bucket) => !here.has(bucket))
    .sort((a, b) => a - b)
}

/** The buckets whose alerts a shard leaves to others: what it has let go of, and what it scrapes but has not for long enough. In order. */
export const silentOn = (table: ShardTable, shard: number): readonly number[] =>
  [
    ...leftBy(table, shard),
    ...table.moving
      .filter(({ from, to, state }) => (state === 'scraping' ? to : state === 'returning' ? from : null) === shard)
      .flatMap(({ buckets }) => buckets),
  ].sort((a, b) => a - b)

/** The shards that scrape a bucket now: one, or two while it moves. */
export const shardsOf = ({ owners, moving }: ShardTable, bucket: number): readonly number[] => {
  const move = moving.find(({ buckets }) => buckets.includes(bucket))
  if (move) return move.state === 'seen' ? [move.to] : [move.from, move.to]
  const owner = owners[bucket]
  return owner === undefined ? [] : [owner]
}

/** The shards that may scrape a bucket now: both for as long as it moves, as servers take a step one after the other. */
export const mayScrape = ({ owners, moving }: ShardTable, bucket: number): readonly number[] => {
  const move = moving.find(({ buckets }) => buckets.includes(bucket))
  return move ? [move.from, move.to] : [owners[bucket] ?? -1]
}

/** The owners of buckets handed out evenly and in order: shard 0 has the first, and no shard has two more than another. */
export const evenOwners = (shards: number, buckets: number = BUCKETS): readonly number[] =>
  Array.from({ length: buckets }, (_, bucket) => Math.floor((bucket * shards) / buckets))

/** The owners by which each target is where `hashmod` with so many shards has it: of a multiple of them, as near to 1,024 as can be. */
export const hashmodOwners = (shards: number): readonly number[] =>
  Array.from({ length: shards * Math.max(1, Math.floor(BUCKETS / shards)) }, (_, bucket) => bucket % shards)

/** A table without moves. `shards` are further shards, which own nothing. */
export const tableOf = (
  owners: readonly number[],
  {
    labels = ['__address__'],
    shards = [],
    draining = [],
  }: Partial<Pick<ShardTable, 'labels' | 'shards' | 'draining'>> = {},
): ShardTable => ({
  labels,
  buckets: owners.length,
  owners,
  shards: [...new Set([...owners, ...shards, ...draining])].sort((a, b) => a - b),
  moving: [],
  draining,
  left: {},
})

/** Where the table of an inventory stands: in the inventory's folder. */
export const tablePath = (folder: string): string => join(folder, TABLE_FILE)

/** The table in an inventory's folder, null without one. Throws one InputError with all that is wrong in it, each at its line and column. */
export const readTable = (folder: string): ShardTable | null => {
  const file = tablePath(folder)
  return existsSync(file) ? parseTable({ file, text: readText(file) }) : null
}

/** The table of a text; `file` is what mistakes name. Throws InputError as `readTable` does. */
export const parseTable = (input: { readonly file: string; readonly text: string }): ShardTable => {
  const mistakes = collectMistakes()
  const source = parseSource(input, mistakes)
  mistakes.throwAny()
  const table = source && tableIn(source, mistakes)
  mistakes.throwAny()
  if (!table) throw new Error(`nothing was said of ${input.file}`)
  return table
}

/** The text of a table's file: one line a shard. */
export const tableText = ({ labels, buckets, owners, shards, moving, draining, left }: ShardTable): string =>
  [
    '# Which shard scrapes which targets. Written by `vestal shards`; commit it, and change it by that command only.',
    `labels: [${labels.map(quoted).join(', ')}]`,
    `buckets: ${buckets}`,
    'shards:',
    ...shards
      .filter((shard) => !draining.includes(shard))
      .map(
        (shard) =>
          `  "${shard}": "${rangesText(owners.flatMap((owner, bucket) => (owner === shard ? [bucket] : [])))}"`,
      ),
    ...(moving.length > 0 ? ['moving:'] : []),
    ...moving.map(
      (move) =>
        `  - { buckets: "${rangesText(move.buckets)}", from: ${move.from}, to: ${move.to}, state: ${move.state} }`,
    ),
    ...(draining.length > 0 ? [`draining: [${draining.join(', ')}]`] : []),
    ...(Object.keys(left).length > 0 ? ['left:'] : []),
    ...Object.entries(left).map(([shard, some]) => `  "${shard}": "${rangesText(some)}"`),
    '',
  ].join('\n')

const quoted = (label: string): string => (/^[A-Za-z_]\w*$/.test(label) ? label : JSON.stringify(label))

interface Reading {
  readonly source: Source
  blame(at: Node, what: string, fix?: string): void
}

const AGAIN = 'Take the file as it was committed last: `vestal shards` writes it, nobody else.'

const tableIn = (source: Source, mistakes: Mistakes): ShardTable | undefined => {
  const reading: Reading = {
    source,
    blame: (at, what, fix = AGAIN) => mistakes.add(positionOf(source, at), { what, fix }),
  }
  const root = source.root
  if (!isMap(root)) {
    mistakes.add(root ? positionOf(source, root) : source.file, { what: 'expected a table of shards', fix: AGAIN })
    return undefined
  }
  const entries = new Map(entriesOf(source, root).map((entry) => [entry.name, entry]))
  for (const { name, key } of entries.values())
    if (!['labels', 'buckets', 'shards', 'moving', 'draining', 'left'].includes(name))
      reading.blame(key, `no table of shards has \`${name}\``)
  for (const name of ['shards']) if (!entries.has(name)) reading.blame(root, `\`${name}\` is missing`)
  const buckets = entries.has('buckets') ? countOf(reading, entries.get('buckets')) : BUCKETS
  const labels = entries.has('labels') ? labelsOf(reading, entries.get('labels')) : ['__address__']
  const owned = ownedOf(reading, entries.get('shards'), buckets)
  const draining = drainingOf(reading, entries.get('draining'), owned.shards)
  const shards = [...owned.shards, ...draining].sort((a, b) => a - b)
  const moving = movesOf(reading, entries.get('moving'), { ...owned, known: shards, buckets })
  const left = leftIn(reading, entries.get('left'), buckets)
  return { labels, buckets, owners: owned.owners, shards, moving, draining, left }
}

const countOf = ({ blame }: Reading, entry: Entry | undefined): number => {
  const value = isScalar(entry?.value) ? Number(entry.value.value) : Number.NaN
  if (Number.isInteger(value) && value >= 1 && value <= MOST) return value
  if (entry) blame(entry.value ?? entry.key, `expected a number of buckets from 1 to ${MOST}`)
  return BUCKETS
}

const labelsOf = ({ source, blame }: Reading, entry: Entry | undefined): readonly string[] => {
  const list = entry?.value
  const names = isSeq(list)
    ? list.items.map((item) => {
        const node = follow(source, item as Node)
        return isScalar(node) && typeof node.value === 'string' && node.value !== '' ? node.value : null
      })
    : []
  if (names.length > 0 && names.every((name) => name !== null)) return names
  if (entry) blame(entry.value ?? entry.key, 'expected a list of the labels that targets are hashed by')
  return ['__address__']
}

interface Owned {
  readonly owners: readonly number[]
  readonly shards: readonly number[]
}

const ownedOf = ({ source, blame }: Reading, entry: Entry | undefined, buckets: number): Owned => {
  const owners = new Array<number>(buckets).fill(-1)
  if (!entry || !isMap(entry.value)) {
    if (entry) blame(entry.value ?? entry.key, 'expected each shard with its buckets: "0": 0-511')
    return { owners, shards: [] }
  }
  const shards: number[] = []
  let sound = true
  const wrong = (at: Node, what: string): void => {
    sound = false
    blame(at, what)
  }
  for (const { name, key, value } of entriesOf(source, entry.value)) {
    const shard = shardNumber(name)
    if (shard === null) {
      wrong(key, `shards are numbered from 0; \`${name}\` is no number`)
      continue
    }
    shards.push(shard)
    const at = value ?? key
    const own = rangesAt(value)
    if (!own) {
      wrong(at, 'expected ranges of buckets: "0-340,1020"')
      continue
    }
    const twice: number[] = []
    for (const bucket of own) {
      if (bucket >= buckets) {
        wrong(at, `bucket ${bucket} is not there: the last is ${buckets - 1}`)
        break
      }
      if (owners[bucket] !== -1) twice.push(bucket)
      else owners[bucket] = shard
    }
    if (twice.length > 0) wrong(at, `these buckets have a shard already: ${rangesText(twice)}`)
  }
  const none = owners.flatMap((owner, bucket) => (owner === -1 ? [bucket] : []))
  if (sound && none.length > 0) blame(entry.key, `these buckets have no shard: ${rangesText(none)}`)
  return { owners, shards }
}

const drainingOf = (
  { source, blame }: Reading,
  entry: Entry | undefined,
  owning: readonly number[],
): readonly number[] => {
  if (!entry) return []
  if (!isSeq(entry.value)) {
    blame(entry.value ?? entry.key, 'expected a list of shards: [3]')
    return []
  }
  const found: number[] = []
  for (const item of entry.value.items) {
    const node = follow(source, item as Node)
    const shard = isScalar(node) ? shardNumber(String(node.value)) : null
    if (shard === null) blame(node ?? entry.key, 'expected the number of a shard')
    else if (owning.includes(shard)) blame(node ?? entry.key, `shard ${shard} owns buckets, so it does not drain`)
    else if (!found.includes(shard)) found.push(shard)
  }
  return found
}

const movesOf = (
  reading: Reading,
  entry: Entry | undefined,
  about: Owned & { readonly known: readonly number[]; readonly buckets: number },
): readonly Move[] => {
  if (!entry) return []
  if (!isSeq(entry.value)) {
    reading.blame(entry.value ?? entry.key, 'expected a list of moves')
    return []
  }
  const moved = new Set<number>()
  return entry.value.items.flatMap((item) => {
    const node = follow(reading.source, item as Node)
    if (!isMap(node)) {
      reading.blame(node ?? entry.key, 'expected a move: { buckets: 5-9, from: 0, to: 3, state: scraping }')
      return []
    }
    const fields = new Map(entriesOf(reading.source, node).map(({ name, value }) => [name, value]))
    const number = (name: string): number | null => {
      const value = fields.get(name)
      return isScalar(value) ? shardNumber(String(value.value)) : null
    }
    const [from, to, buckets] = [number('from'), number('to'), rangesAt(fields.get('buckets') ?? null)]
    const stateNode = fields.get('state')
    const state = STATES.find((one) => isScalar(stateNode) && one === stateNode.value)
    if (from === null || to === null || !buckets || !state) {
      reading.blame(
        node,
        `expected a move: { buckets: 5-9, from: 0, to: 3, state: scraping }, the state being one of ${STATES.join(', ')}`,
      )
      return []
    }
    if (!about.known.includes(to)) reading.blame(node, `shard ${to} is not in the table`)
    if (from === to) reading.blame(node, `moves from shard ${from} to itself`)
    const foreign = buckets.filter((bucket) => about.owners[bucket] !== from)
    if (foreign.length > 0) reading.blame(node, `shard ${from} does not own ${rangesText(foreign)}`)
    const twice = buckets.filter((bucket) => moved.has(bucket))
    if (twice.length > 0) reading.blame(node, `these buckets move already: ${rangesText(twice)}`)
    for (const bucket of buckets) moved.add(bucket)
    return [{ buckets, from, to, state } satisfies Move]
  })
}

const leftIn = ({ source, blame }: Reading, entry: Entry | undefined, buckets: number): ShardTable['left'] => {
  if (!entry) return {}
  if (!isMap(entry.value)) {
    blame(entry.value ?? entry.key, 'expected shards with the buckets that they let go of: "0": 5-9')
    return {}
  }
  return Object.fromEntries(
    entriesOf(source, entry.value).flatMap(({ name, key, value }) => {
      const [shard, some] = [shardNumber(name), rangesAt(value)]
      if (shard !== null && some?.every((bucket) => bucket < buckets)) return [[shard, some] as const]
      blame(value ?? key, `expected a shard with ranges of buckets below ${buckets}: "0": 5-9`)
      return []
    }),
  )
}

const rangesAt = (node: Node | null): readonly number[] | null => {
  if (!node) return []
  return isScalar(node) ? parseRanges(String(node.value ?? '')) : null
}

const shardNumber = (text: string): number | null => (/^\d{1,4}$/.test(text) ? Number(text) : null)
