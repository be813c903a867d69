import type { Argv } from 'yargs'
import { command } from '../../command.ts'
import { openContext } from '../../context.ts'
import { commas, commonOptionsAlone, listOption } from '../../options.ts'
import type { ShardsFlags } from './flags.ts'
import { rulesOfShards } from './rules.ts'

/** Targets spread over shards. */
const shards = async (flags: ShardsFlags): Promise<number> => {
  const { inventory } = flags
  if (inventory === undefined) return rulesOfShards(undefined, flags)
  await using context = await openContext({ ...flags, inventory })
  return rulesOfShards(context.inventory, flags)
}

export default command({
  name: 'shards',
  positionals: '<action>',
  summary: 'Targets and rules spread over several Prometheus',
  examples: ['vestal shards rules -i inventory/ha', 'vestal shards rules --rules rules --labels namespace'],
  options: (args: Argv) =>
    commonOptionsAlone(args)
      .hide('limit')
      .positional('action', {
        choices: ['rules'] as const,
        demandOption: true,
        describe: 'rules: which rules a shard can evaluate alone, and which need all shards; asks no machine',
      })
      .option('labels', {
        ...listOption('What targets are hashed by; commas separate; default: as in shards.yml, or their address'),
        coerce: commas,
      })
      .option('rules', {
        type: 'string',
        requiresArg: true,
        describe: 'For rules: a folder of rule files in place of those of the inventory',
      }),
  run: shards,
})
