import type { Argv } from 'yargs'
import { InputError } from '../../../lib/errors.ts'
import { command } from '../../command.ts'
import { inLab, openContext } from '../../context.ts'
import { breakLockOption, commas, commonOptionsAlone, listOption, NONE } from '../../options.ts'
import type { ShardsFlags } from './flags.ts'
import { moveShards } from './move.ts'
import { planOfShards } from './plan.ts'
import { rulesOfShards } from './rules.ts'
import { verifyOfShards } from './verify.ts'

/** Targets spread over shards. */
const shards = async (flags: ShardsFlags): Promise<number> => {
  const { inventory } = flags
  if (inventory === undefined) {
    if (flags.action === 'rules') return rulesOfShards(undefined, flags)
    throw new InputError([{ where: '--inventory', what: 'is missing', fix: 'Name an inventory with -i.' }])
  }
  await using context = await openContext({ ...flags, inventory })
  if (flags.action === 'rules') return rulesOfShards(context.inventory, flags)
  const inside = await inLab(context.hosts)
  if (inside !== null) return inside
  // Awaited here, so that the links stay open meanwhile.
  switch (flags.action) {
    case 'plan':
      return await planOfShards(context, flags)
    case 'move':
      return await moveShards(context, { ...flags, inventory })
    default:
      return await verifyOfShards(context, flags)
  }
}

export default command({
  name: 'shards',
  positionals: '<action>',
  summary: 'Targets and rules spread over several Prometheus',
  examples: [
    'vestal shards verify -i inventory/sharded',
    'vestal shards plan -i inventory/sharded --to 4 --out four.yml',
    'vestal shards move -i inventory/sharded --to four.yml',
    'vestal shards move -i inventory/sharded --to 4',
    'vestal shards rules -i inventory/ha',
    'vestal shards rules --rules rules --labels namespace',
  ],
  options: (args: Argv) =>
    commonOptionsAlone(args)
      .hide('limit')
      .positional('action', {
        choices: ['rules', 'plan', 'verify', 'move'] as const,
        demandOption: true,
        describe:
          'rules: which rules a shard can evaluate alone, and which need all shards; asks no machine. plan: how even shards are and could be by what each target was measured to bring, what would move, and which labels and table are recommended; changes nothing. verify: every target is scraped by exactly one shard, and there by each replica; exit 1 where one is not. move: buckets go to other shards, step by step; what has been reached stands in shards.yml, so that it can go on or back',
      })
      .option('labels', {
        ...listOption(
          'What targets are hashed by; commas separate; default: as in shards.yml, or their address. For plan: labels to look at besides; default: what targets have',
        ),
        coerce: commas,
      })
      .option('rules', {
        type: 'string',
        requiresArg: true,
        describe: 'For rules: a folder of rule files in place of those of the inventory',
      })
      .option('within', {
        type: 'string',
        default: '',
        requiresArg: true,
        describe: 'For verify: look again until all is right, for so long, such as 1m; default: one look',
      })
      .option('to', {
        type: 'string',
        requiresArg: true,
        describe:
          'For move: how many shards there are to be, or the file of a table; left out, a move that was begun goes on. For plan: how many; default: as many as there are',
      })
      .option('out', {
        type: 'string',
        requiresArg: true,
        describe: 'For plan: the file that gets the recommended table, for move --to',
      })
      .option('exit-code', {
        type: 'boolean',
        default: false,
        describe: 'For plan: exit with 3 where the recommended table moves targets',
      })
      .option('undo', { type: 'boolean', default: false, describe: 'For move: take back what moves now' })
      .option('overlap', {
        type: 'string',
        default: '5m',
        requiresArg: true,
        describe:
          'For move: how long both shards scrape what moves at least; the longest range of a rate() in rules and pages, so that the new one has it whole',
      })
      .option('alerts-within', {
        type: 'string',
        default: '15m',
        requiresArg: true,
        describe:
          'For move: how long old shards wait, at most, until alerts with a `for` that fire on them fire on the new ones too',
      })
      .option('yes', { alias: 'y', type: 'boolean', default: false, describe: 'For move: do not ask before changing' })
      .option('diff', { alias: 'D', type: 'boolean', default: false, describe: 'For move: show how files change' })
      .option('watch-alerts', {
        type: 'boolean',
        default: true,
        describe:
          'For move: send canary alerts through every shard meanwhile, and tell which were late, lost or notified twice',
      })
      .option('silence', {
        ...listOption('For move: silence alerts with these matchers meanwhile; may be given again'),
        default: NONE,
      })
      .option('break-lock', breakLockOption)
      .check(({ within, overlap, 'alerts-within': alertsWithin }) => {
        if (within !== '' && !/^\d+(ms|s|m|h)$/.test(within)) return '--within takes a duration such as 1m'
        if (!/^\d+(ms|s|m|h)$/.test(overlap)) return '--overlap takes a duration such as 5m'
        return /^\d+(ms|s|m|h)$/.test(alertsWithin) ? true : '--alerts-within takes a duration such as 15m'
      }),
  run: shards,
})
