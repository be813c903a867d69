import { drillFleet } from '../../../fleet/drill/drill-fleet.ts'
import { watchedFleet } from '../../../fleet/watched-fleet.ts'
import { openContext } from '../../context.ts'
import { chosenBy, mistake, noTenant, requireFitting } from './chosen.ts'
import { DEFAULT_CONTROL, type DrillFlags, ROUTES } from './flags.ts'
import { fitting, settingsIn } from './scenarios.ts'
import { install, remove, status } from './schedule.ts'

/** Installs a timer of this machine that holds drills, takes it away, or tells of all. Nothing of a fleet is asked. Throws InputError for what could not be held. */
export const schedule = async (flags: DrillFlags): Promise<number> => {
  const [, action, ...what] = flags.scenarios
  const { json, name, at, textfile, inventory } = flags
  if (action === 'status') return await status(json)
  if (action === 'remove') {
    const [gone = name, ...more] = what
    if (gone === undefined || more.length > 0)
      throw mistake('vestal drill schedule remove', 'which one?', 'Give one name.')
    return await remove(gone, json)
  }
  if (action !== 'install')
    throw mistake(
      'vestal drill schedule',
      'install, remove or status?',
      '`vestal drill schedule status` lists what is there.',
    )
  if (!inventory) throw mistake('--inventory', 'which fleet?', 'Name its inventory: -i inventory/ha')
  await using context = await openContext({ ...flags, inventory })
  if (what[0] !== ROUTES) {
    noTenant(flags)
    const wanted = await chosenBy({ ...flags, scenarios: what, list: false })
    const set = settingsIn(flags.set, wanted)
    const fleet = drillFleet(context.inventory)
    watchedFleet(context.inventory)
    requireFitting(
      wanted.map((one) => fitting(one, { fleet, inventory: context.inventory, force: flags.force, set })),
      flags,
    )
  }
  const words = [
    ...what,
    ...(flags.all ? ['--all'] : []),
    ...(flags.force ? ['--force'] : []),
    ...flags.set.flatMap((one) => ['--set', one]),
    ...(flags.tenant === undefined ? [] : ['--tenant', flags.tenant]),
    ...(flags.control === DEFAULT_CONTROL ? [] : ['--control', flags.control]),
  ]
  return await install({ json, name, at, textfile, inventory, what: words })
}
