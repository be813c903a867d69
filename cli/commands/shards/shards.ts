import type { Argv } from 'yargs'
import { InputError } from '../../../lib/errors.ts'
import { command } from '../../command.ts'
import { inLab, openContext } from '../../context.ts'
import { commas, commonOptionsAlone, listOption } from '../../options.ts'
import type { ShardsFlags } from './flags.ts'
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
  return await verifyOfShards(context, flags)
}

export default command({
  name: 'shards',
  positionals: '<action>',
  summary: 'Targets and rules spread over several Prometheus',
  examples: [
    'vestal shards verify -i inventory/sharded',
    'vestal shards rules -i inventory/ha',
    'vestal shards rules --rules rules --labels namespace',
  ],
  options: (args: Argv) =>
    commonOptionsAlone(args)
      .hide('limit')
      .positional('action', {
        choices: ['rules', 'verify'] as const,
        demandOption: true,
        describe:
          'rules: which rules a shard can evaluate alone, and which need all shards; asks no machine. verify: every target is scraped by exactly one shard, and there by each replica; exit 1 where one is not',
      })
      .option('labels', {
        ...listOption('What targets are hashed by; commas separate; default: as in shards.yml, or their address'),
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
      .check(({ within }) =>
        within === '' || /^\d+(ms|s|m|h)$/.test(within) ? true : '--within takes a duration such as 1m',
      ),
  run: shards,
})
