import pLimit from 'p-limit'
import type { Argv } from 'yargs'
import { has } from '../../fleet/plays.ts'
import { withVersions } from '../../fleet/upgrade/new-versions.ts'
import { barred, readWayBack, type WayBack } from '../../fleet/upgrade/rollback-points.ts'
import { releasedRoles } from '../../fleet/upgrade/settings.ts'
import { connectionPool } from '../../lib/engine/pool.ts'
import { InputError } from '../../lib/errors.ts'
import type { Inventory, Playbook, Role } from '../../lib/model.ts'
import { command } from '../command.ts'
import { inLab, type Opened, openContext } from '../context.ts'
import { type ChangeFlags, changeOptions } from '../options.ts'
import { runOpened } from '../run-playbook.ts'

interface RollbackFlags extends ChangeFlags {
  readonly run?: string
  readonly restoreData: boolean
}

/**
 * Takes hosts back to what they ran before the last change of each, or before one run, and puts the earlier versions back into the inventory where
 * they hold for all hosts of a program. Throws InputError, before anything is touched, where a host cannot go back.
 */
const rollbackCommand = async (
  flags: RollbackFlags,
  book: (roles: readonly Role[], ways: readonly WayBack[]) => Playbook,
): Promise<number> => {
  await using opened = await openContext(flags)
  const { roles } = opened.inventory
  const inside = await inLab(opened.hosts)
  if (inside !== null) return inside
  const found = await waysOf(opened, flags)
  // A machine that a roll over the fleet never touched has nothing to take back.
  const ways = flags.limit ? found : found.filter(({ run }) => run !== '')
  const bars = [
    ...(ways.length === 0 ? [{ where: 'vestal rollback', what: 'no host has a change that can be taken back' }] : []),
    ...barred(ways, roles, flags.restoreData),
  ]
  if (bars.length > 0) throw new InputError(bars)
  const { edits, left } = await earlierVersions(opened.inventory, flags, { found, ways })
  return await runOpened(book(roles, ways), opened, flags, {
    edits,
    write: 'last',
    successMessage:
      left.length > 0
        ? `The inventory still says ${left.join(', ')}: the next deploy brings it back.`
        : 'vestal plan shows what the inventory says otherwise.',
  })
}

const waysOf = async ({ inventory, hosts, connect }: Opened, flags: RollbackFlags): Promise<readonly WayBack[]> => {
  await using pool = connectionPool(connect)
  const limit = pLimit(flags.forks)
  return await Promise.all(
    hosts.map((host) => limit(async () => readWayBack(await pool.reach(host), inventory.roles, flags.run))),
  )
}

/** The inventory's edits, and what it cannot say: a version that goes back on some hosts of a program while others run another. */
const earlierVersions = async (
  inventory: Inventory,
  flags: RollbackFlags,
  { found, ways }: { readonly found: readonly WayBack[]; readonly ways: readonly WayBack[] },
) => {
  const versions: Record<string, string> = {}
  const left: string[] = []
  for (const role of releasedRoles(inventory.roles)) {
    const { key: program } = role
    const theirs = new Set(ways.flatMap(({ before }) => before[program] ?? []))
    const [version] = theirs
    if (version === undefined) continue
    const all = inventory.hosts.filter(has(role))
    const afterwards = (way: WayBack) => (ways.includes(way) && way.before[program]) || way.now[program]
    const whole = all.every(({ name }) => found.some((way) => way.host.name === name && afterwards(way) === version))
    if (whole) versions[program] = version
    else left.push(`another version of ${program}`)
  }
  const { edits } = await withVersions(inventory, { paths: flags.inventory, versions })
  return { edits, left }
}

export default command({
  name: 'rollback',
  summary: 'Take hosts back to what they ran before the last change, one failure domain at a time',
  examples: ['vestal rollback -i inventory/ha --limit am-1'],
  options: (args: Argv) =>
    changeOptions(args)
      .default('watch-alerts', true)
      .option('run', {
        type: 'string',
        requiresArg: true,
        describe: "The run whose change is taken back; default: each host's last",
      })
      .option('restore-data', {
        type: 'boolean',
        default: false,
        describe:
          'Put the snapshot from before a one-way upgrade in the place of data that the older Prometheus cannot read',
      }),
  run: rollbackCommand,
})
