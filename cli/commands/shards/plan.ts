import { existsSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { shardsWithoutHosts } from '../../../fleet/shards/next-table.ts'
import { type FleetPlan, planFleet } from '../../../fleet/shards/plan.ts'
import { InputError } from '../../../lib/errors.ts'
import { writeEdits } from '../../../lib/inventory/edit/write.ts'
import { readText } from '../../../lib/inventory/files.ts'
import { columns } from '../../../lib/report/columns.ts'
import { print } from '../../../lib/report/print.ts'
import type { Amount, Candidate, Cause, Reason } from '../../../lib/sharding/plan.ts'
import { tableText } from '../../../lib/sharding/table.ts'
import { counted } from '../../../lib/wording.ts'
import { tableOfInventory } from '../../../roles/prometheus/shards.ts'
import type { Opened } from '../../context.ts'
import type { ShardsFlags } from './flags.ts'

/**
 * Shows how even shards are and could be by what each target was measured to bring, and writes the recommended table where `--out` says. Returns the exit code:
 * 3 where targets would move and `--exit-code` asks for it.
 */
export const planOfShards = async (
  { inventory, pool, redacted }: Opened,
  { json, to, labels, out, exitCode }: Pick<ShardsFlags, 'json' | 'to' | 'labels' | 'out' | 'exitCode'>,
): Promise<number> => {
  if (out !== undefined) checkOut(out, tableOfInventory(inventory))
  const plan = await planFleet(inventory, { reach: pool.reach, to, candidates: labels?.length ? [labels] : undefined })
  if (out !== undefined)
    writeEdits([{ file: out, before: existsSync(out) ? readText(out) : null, after: tableText(plan.table) }])
  const shown = redacted(plan)
  const without = shardsWithoutHosts(inventory, plan.shards)
  print(json ? JSON.stringify(asJson(shown, { out, without }), null, 2) : asText(shown, { out, without }).join('\n'))
  return exitCode && moves(plan) ? 3 : 0
}

const checkOut = (out: string, inForce: string): void => {
  const folder = statSync(dirname(resolve(out)), { throwIfNoEntry: false })
  const wrong =
    resolve(out) === resolve(inForce)
      ? 'is the table in force, which only vestal shards move writes'
      : !folder?.isDirectory()
        ? `${out} is in no folder that there is`
        : statSync(out, { throwIfNoEntry: false })?.isFile() === false
          ? `${out} is no file`
          : undefined
  if (wrong === undefined) return
  throw new InputError([
    { where: '--out', what: wrong, fix: 'Name a file of its own, and give it to vestal shards move --to.' },
  ])
}

interface PlanOutput {
  readonly out?: string
  /** The planned shards that have no host. */
  readonly without: readonly number[]
}

const bestOf = ({ candidates, recommended }: FleetPlan): Candidate => {
  const best = candidates[recommended]
  if (!best) throw new Error('a plan recommends one of its candidates')
  return best
}
const moves = (plan: FleetPlan): boolean => bestOf(plan).moves.targets > 0

const asJson = (plan: FleetPlan, { out, without }: PlanOutput) => ({
  vestal: 'shards-plan/1',
  hashedBy: plan.hashedBy,
  bound: plan.bound,
  shards: plan.shards,
  withoutHosts: without,
  total: plan.total,
  everywhere: plan.everywhere,
  unmeasured: plan.unmeasured,
  silent: plan.silent,
  candidates: plan.candidates.map(({ owners: _, perShard, ...one }) => ({
    ...one,
    perShard: plan.shards.map((shard, at) => ({ shard, ...perShard[at] })),
  })),
  recommended: { labels: bestOf(plan).labels, reason: plan.reason, table: tableText(plan.table) },
  written: out ?? null,
})

const asText = (plan: FleetPlan, { out, without }: PlanOutput): readonly string[] => {
  const { shards, total, everywhere, candidates, unmeasured, silent, hashedBy } = plan
  const best = bestOf(plan)
  const ahead = candidates[0]?.ahead ?? []
  const text = (words: readonly string[]) => words.map((one) => ({ text: one }))
  return [
    ...silent.map(({ host, why }) => `${host} does not say what it scrapes: ${why}`),
    `${amountText(total)}, ${hashedBy ? `hashed by ${hashedBy.join(', ')}` : 'not spread over shards yet'}; planned for ${counted(shards.length, 'shard')}.`,
    ...(everywhere.targets > 0
      ? [
          `${counted(everywhere.targets, 'target')} more, with __tmp_disable_sharding, are scraped as they are, whatever is planned.`,
        ]
      : []),
    ...(unmeasured > 0
      ? [
          `${counted(unmeasured, 'target')} gave no sample in the last 10 minutes: each counts as the middle one of its job.`,
        ]
      : []),
    '',
    columns(
      ['labels', 'values', 'now', 'planned', 'moves', ...ahead.map((one) => `${one.shards} shards`)],
      candidates.map((one) => [
        { text: `${one === best ? '* ' : '  '}${one.labels.join(', ')}` },
        ...text([
          String(one.values),
          times(one.now),
          times(one.planned),
          movesText(one.moves, total),
          ...one.ahead.map(({ planned, moves: more }) => `${times(planned)}, ${percent(more.series, total.series)}`),
        ]),
      ]),
    ),
    'now, planned and further shards: the largest shard over the mean, in series; behind it what moves for one more.',
    ...candidates.flatMap(({ labels, cause, planned }) =>
      cause ? [`${labels.join(', ')}: ${causeText(cause, { planned, shards: shards.length })}`] : [],
    ),
    '',
    `Recommended: ${best.labels.join(', ')}. ${REASONS[plan.reason]}`,
    columns(
      ['shard', 'targets', 'series', 'samples/s', 'over mean'],
      shards.map((shard, at) => {
        const has = best.perShard[at]
        const mean = total.series / shards.length
        return text([
          String(shard),
          String(has?.targets ?? 0),
          String(has?.series ?? 0),
          (has?.samplesPerSecond ?? 0).toFixed(1),
          times((has?.series ?? 0) / mean),
        ])
      }),
    ),
    ...(without.length > 0
      ? [
          `No host of the inventory is of shard ${without.join(', ')}: add its hosts (a group shard_NUMBER below prometheus), and deploy them first.`,
        ]
      : []),
    nextText(plan, out),
  ]
}

const REASONS: Readonly<Record<Reason, string>> = {
  'in-force-within':
    'Targets are hashed by it already, and it stays within 1.1 times the mean; by others nearly every target would move.',
  within: 'It stays within 1.1 times the mean, and of those that do it moves least.',
  'in-force-evenest':
    'Nothing stays within 1.1 times the mean, and none is much evener than what targets are hashed by already.',
  evenest: 'Nothing stays within 1.1 times the mean; it is the evenest.',
}

/** What keeps the largest shard above the bound. */
const causeText = (
  { kind, atLeast, share, targets, heaviest, text, pieces }: Cause,
  { planned, shards }: { readonly planned: number; readonly shards: number },
): string => {
  const has = `${percent(share, 1)} of all series, of which a ${shards}th is ${percent(1, shards)}`
  const least = `so the largest shard has ${times(atLeast)} times the mean at least`
  switch (kind) {
    case 'target':
      return `one target has ${has} (${heaviest}), ${least}. Only its exporter can be parted.`
    case 'values':
      return `all ${targets} targets with ${JSON.stringify(text)} are hashed alike and have ${has}, ${least}. Hash by a label more that tells them apart.`
    case 'bucket':
      return `${targets} targets share a bucket and have ${has}, ${least}. More buckets part them.`
    case 'pieces':
      return `of the ${pieces?.among} heaviest buckets one shard gets ${pieces?.most}, ${least} (the heaviest target: ${heaviest}).`
    case 'unknown':
      return `no owners with less than ${times(planned)} times the mean were found; the heaviest bucket has ${has} (${heaviest}).`
  }
}

const nextText = (plan: FleetPlan, out: string | undefined): string => {
  if (!moves(plan)) return 'No target moves.'
  const sameLabels = plan.hashedBy?.join() === bestOf(plan).labels.join()
  if (out === undefined) return '--out FILE writes this table.'
  return sameLabels || plan.hashedBy === null
    ? `wrote ${out}: vestal shards move --to ${out} carries it out.`
    : `wrote ${out}. It hashes by other labels, so it can’t be moved to step by step: put it in place of shards.yml and deploy; until all hosts have it, some targets are scraped twice and some not at all.`
}

const movesText = ({ targets, series }: Amount, total: Amount): string =>
  targets === 0 ? 'nothing' : `${counted(targets, 'target')}, ${series} series (${percent(series, total.series)})`
const amountText = ({ targets, series, samplesPerSecond }: Amount): string =>
  `${counted(targets, 'target')} with ${series} series and ${samplesPerSecond.toFixed(1)} samples/s`
const times = (factor: number): string => factor.toFixed(2)
const percent = (part: number, whole: number): string => `${whole > 0 ? ((100 * part) / whole).toFixed(1) : '0.0'}%`
