import { hostsOf, newShardsScrape, newShardsSend, oldShardsLetGo } from '../../../fleet/shards/move-playbooks.ts'
import { firstTable, spreadByHash, tableTowards } from '../../../fleet/shards/next-table.ts'
import { milliseconds } from '../../../lib/duration.ts'
import { InputError } from '../../../lib/errors.ts'
import { writeEdits } from '../../../lib/inventory/edit/write.ts'
import { type FileEdit, readText } from '../../../lib/inventory/files.ts'
import { loadInventory } from '../../../lib/inventory/load.ts'
import type { Duration, Inventory, Playbook } from '../../../lib/model.ts'
import { print } from '../../../lib/report/print.ts'
import { moveDone, moveSeen, moveSending, moveUndone } from '../../../lib/sharding/move.ts'
import { rangesText } from '../../../lib/sharding/ranges.ts'
import { type MoveState, readTable, type ShardTable, tableText } from '../../../lib/sharding/table.ts'
import { counted } from '../../../lib/wording.ts'
import { tableOfInventory, useTable } from '../../../roles/prometheus/shards.ts'
import type { Context } from '../../context.ts'
import type { ChangeFlags } from '../../options.ts'
import { runOpened } from '../../run-playbook.ts'
import type { ShardsFlags } from './flags.ts'
import { verifyOfShards } from './verify.ts'

type MoveFlags = ShardsFlags & ChangeFlags

/**
 * Carries a new table out: new shards scrape what moves, are seen to, then old ones let go. What has been reached stands in the table's file, so that
 * the same command goes on after whatever ended it, and `--undo` leads back. Returns the exit code.
 */
export const moveShards = async (context: Context, flags: MoveFlags): Promise<number> => {
  const { inventory, pool } = context
  const there = readTable(inventory.folder)
  if (!there) return writeFirst(inventory, flags)
  if (spreadByHash(inventory))
    throw new InputError([
      {
        where: 'prometheus.sharding',
        what: 'is hashmod, which knows no table',
        fix: 'Set it to table, and deploy: then targets can be moved.',
      },
    ])
  const table = await begun(there, flags, (to) => tableTowards(inventory, { to, reach: pool.reach }))
  if (!flags.json) print(movesText(table).join('\n'))
  return await carryOut(context, flags, table)
}

/** Without a table nothing runs by one: it is written, and a deploy carries it out. */
const writeFirst = (inventory: Inventory, { to, json }: MoveFlags): number => {
  if (to === undefined)
    throw new InputError([
      {
        where: tableOfInventory(inventory),
        what: 'there is no table of shards yet',
        fix: 'Say how many shards there are to be, --to NUMBER, or take what vestal shards plan has written: --to FILE',
      },
    ])
  const table = firstTable(inventory, to)
  const byHash = spreadByHash(inventory) !== null
  useTable(inventory, table)
  const edits = [editTo(inventory, table)]
  writeEdits(edits)
  const files = edits.map(({ file }) => file)
  print(
    json
      ? JSON.stringify({ vestal: 'shards-move/1', written: files, moving: 0 })
      : `wrote ${files.join(', ')}, the first table: ${counted(table.shards.length, 'shard')}. Commit it; ${byHash ? 'each target is where hashmod has it. Set prometheus.sharding: table, then' : 'then'} vestal deploy carries it out.`,
  )
  return 0
}

/** The table to carry out. */
const begun = async (
  there: ShardTable,
  { to, undo }: MoveFlags,
  towards: (to: string) => Promise<ShardTable>,
): Promise<ShardTable> => {
  const moving = there.moving.length > 0
  if (undo && to !== undefined)
    throw new InputError([{ where: '--undo', what: 'goes back, --to goes on', fix: 'Give one of the two.' }])
  if (undo && !moving)
    throw new InputError([
      {
        where: '--undo',
        what: 'nothing moves',
        fix: 'A move that is over is taken back by another one: give the table from before it, as a file, to --to.',
      },
    ])
  if (undo) return moveUndone(there)
  if (moving && to !== undefined)
    throw new InputError([
      {
        where: '--to',
        what: 'a move is under way already',
        fix: 'Leave --to out to go on with it, or give --undo to go back.',
      },
    ])
  if (moving) return there
  if (to === undefined)
    throw new InputError([
      {
        where: '--to',
        what: 'nothing moves, and where to is not said',
        fix: 'Give a number of shards, or the file of a table.',
      },
    ])
  return await towards(to)
}

const carryOut = async (context: Context, flags: MoveFlags, table: ShardTable): Promise<number> => {
  let state = table
  const isIn = (...states: readonly MoveState[]): boolean => state.moving.some((move) => states.includes(move.state))
  // What moves is its old shard's to watch until the new one has all that canary alerts need.
  const watched = { ...state, moving: [] }
  if (isIn('scraping', 'returning')) {
    const code = await step(context, flags, {
      table: state,
      bookOf: (inventory) =>
        newShardsScrape(inventory, {
          overlapMs: milliseconds(flags.overlap as Duration),
          alertsMs: milliseconds(flags.alertsWithin as Duration),
        }),
      watched,
    })
    if (code !== 0) return code
    state = isIn('scraping') ? moveSending(state) : moveSeen(state)
  }
  if (isIn('sending')) {
    const code = await step(context, flags, { table: state, bookOf: newShardsSend, watched })
    if (code !== 0) return code
    state = moveSeen(state)
  }
  const code = await step(context, flags, { table: state, bookOf: oldShardsLetGo, watched: moveDone(state) })
  if (code !== 0) return code
  const done = await withTable(flags, context.inventory, moveDone(state))
  writeEdits([editTo(done, moveDone(state))])
  if (!flags.json) print(`Every bucket is where it was to be. Commit ${tableOfInventory(done)}.`)
  return await verifyOfShards(context.over(done, done.hosts), { json: flags.json && 'line', within: '1m' })
}

interface Step {
  readonly table: ShardTable
  /** Which shards canary alerts go through meanwhile: those that scrape by this table. */
  readonly watched: ShardTable
  bookOf(inventory: Inventory): Playbook
}

/** Writes a table and brings its hosts to it. */
const step = async (context: Context, flags: MoveFlags, { table, watched, bookOf }: Step): Promise<number> => {
  const inventory = await withTable(flags, context.inventory, table)
  const book = bookOf(inventory)
  return await runOpened(book, context.over(inventory, hostsOf(book, inventory)), flags, {
    edits: changesOf(editTo(inventory, table)),
    write: 'first',
    watched: await withTable(flags, context.inventory, watched),
    about: { table: tableText(table) },
    resumeHint:
      'Where the move stands is in shards.yml, and no target is without its shard. The same command without --to goes on; --undo goes back; vestal shards verify says what is scraped.',
  })
}

/** The inventory as it is on disk now, with this table. */
const withTable = async (flags: MoveFlags, { roles }: Inventory, table: ShardTable): Promise<Inventory> => {
  const inventory = await loadInventory(flags.inventory, roles)
  useTable(inventory, table)
  return inventory
}

const editTo = (inventory: Inventory, table: ShardTable): FileEdit => {
  const file = tableOfInventory(inventory)
  return { file, before: readTable(inventory.folder) ? readText(file) : null, after: tableText(table) }
}

const changesOf = (edit: FileEdit): readonly FileEdit[] => (edit.before === edit.after ? [] : [edit])

const movesText = ({ moving, buckets }: ShardTable): readonly string[] => [
  ...moving.map(
    (move) =>
      `${counted(move.buckets.length, 'bucket')} from shard ${move.from} to shard ${move.to} (${move.state}): ${rangesText(move.buckets)}`,
  ),
  `${moving.reduce((sum, move) => sum + move.buckets.length, 0)} of ${buckets} buckets move.`,
]
