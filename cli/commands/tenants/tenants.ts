import type { Argv } from 'yargs'
import { InputError } from '../../../lib/errors.ts'
import { command } from '../../command.ts'
import { inLab, openContext } from '../../context.ts'
import { commas, commonOptionsAlone, listOption } from '../../options.ts'
import { capacityAlone, capacityOfRing } from './capacity.ts'
import type { TenantsFlags } from './flags.ts'
import { listTenants, syncTenants, verifyTenants } from './sync.ts'

/** Tenants as files, brought to a ring of Cortex Alertmanagers; and how many instances they need. */
const tenants = async (flags: TenantsFlags): Promise<number> => {
  const { inventory } = flags
  if (inventory === undefined) {
    if (flags.action === 'capacity') return capacityAlone(flags)
    throw new InputError([{ where: '--inventory', what: 'is missing', fix: 'Name an inventory with -i.' }])
  }
  await using context = await openContext({ ...flags, inventory })
  const asks = flags.action !== 'capacity' || flags.running
  const inside = asks ? await inLab(context.hosts) : null
  if (inside !== null) return inside
  // Awaited here, so that the links stay open meanwhile.
  switch (flags.action) {
    case 'capacity':
      return await capacityOfRing(context, flags)
    case 'verify':
      return await verifyTenants(context, flags)
    case 'list':
      return await listTenants(context, flags)
    default:
      return await syncTenants(context, flags)
  }
}

export default command({
  name: 'tenants',
  positionals: '<action>',
  summary: 'Tenants of a ring of Cortex Alertmanagers, as files: plan, sync, verify, list, capacity',
  examples: ['vestal tenants sync -i inventory/cortex', 'vestal tenants capacity --tenants 20000 --per-instance 2000'],
  options: (args: Argv) =>
    commonOptionsAlone(args)
      .hide('limit')
      .positional('action', {
        choices: ['plan', 'sync', 'verify', 'list', 'capacity'] as const,
        demandOption: true,
        describe:
          'plan: what would change, exit 3 if anything; sync: uploads what differs; verify: each tenant is on its instances; list: tenants and where they are; capacity: how many instances they need',
      })
      .option('prune', {
        type: 'boolean',
        default: false,
        describe: 'Delete tenants that have no file; never done without this',
      })
      .option('skip-invalid', {
        type: 'boolean',
        default: false,
        describe:
          'For sync: leave tenants whose files have mistakes as they are, and bring the others; default: nothing is uploaded',
      })
      .option('canaries', {
        ...listOption('These tenants first; default: those of the inventory, or three'),
        coerce: commas,
      })
      .option('within', {
        type: 'string',
        default: '',
        requiresArg: true,
        describe: 'How long until all must be served, such as 5m; default: for sync, by the ring’s own intervals',
      })
      .option('tenants', {
        type: 'number',
        requiresArg: true,
        describe: 'For capacity: how many tenants; default: the files',
      })
      .option('per-instance', {
        type: 'number',
        default: 2000,
        requiresArg: true,
        describe: 'For capacity: how many tenants an instance is to own at most',
      })
      .option('running', { type: 'boolean', default: false, describe: 'For capacity: ask the running ring too' })
      .option('more', {
        type: 'number',
        default: 1,
        requiresArg: true,
        describe: 'For capacity --running: what so many more instances would do',
      })
      .option('choose', {
        type: 'boolean',
        default: false,
        describe: 'For capacity: write chosen tokens for instances that have none',
      })
      .check(({ within }) =>
        within === '' || /^\d+(ms|s|m|h)$/.test(within) ? true : '--within takes a duration such as 5m',
      ),
  run: tenants,
})
