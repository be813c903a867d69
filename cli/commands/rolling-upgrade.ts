import { resolve } from 'node:path'
import { rolledRoles } from '../../fleet/plays.ts'
import { adviceFor } from '../../fleet/upgrade/advice.ts'
import { withVersions } from '../../fleet/upgrade/new-versions.ts'
import { nobodyLeftOnNew } from '../../fleet/upgrade/nobody-left-behind.ts'
import { unfinishedRoll } from '../../fleet/upgrade/resume.ts'
import { type RollSettings, type RollWish, releasedRoles, type Versions } from '../../fleet/upgrade/settings.ts'
import { connectionPool } from '../../lib/engine/pool.ts'
import { InputError } from '../../lib/errors.ts'
import type { FileEdit } from '../../lib/inventory/files.ts'
import type { Advice, Playbook, Role } from '../../lib/model.ts'
import { runsFolder } from '../../lib/report/folder.ts'
import { exitCodeOf } from '../../lib/report/outcome.ts'
import { rolesFor } from '../../roles/registry.ts'
import { connecting } from '../connecting.ts'
import { inLab, type OpenInventory, openInventory } from '../context.ts'
import { type RollFlags, versionsIn } from '../roll-options.ts'
import { type Around, planOpened, runOpened } from '../run-playbook.ts'
import { requireHosts } from '../usage.ts'

/**
 * Rolls versions and configuration out: advice, plan, the inventory's files written with the new versions, then the playbook. Returns its exit
 * code. Files are put back where the roll failed and nobody is left on a new version.
 */
export const rollingUpgradeCommand = async (
  book: (roles: readonly Role[], settings: RollSettings) => Playbook,
  flags: RollFlags,
): Promise<number> => {
  const wish = wishOf(flags, versionsIn(flags, await rolesFor(flags.inventory)))
  const asked = { inventory: flags.inventory, limit: wish.limit }
  const now = await openInventory(asked)
  const { inventory, edits } = await withVersions(now.inventory, {
    paths: flags.inventory,
    versions: wish.versions,
  })
  const names = new Set(now.hosts.map(({ name }) => name))
  const opened = { inventory, hosts: inventory.hosts.filter(({ name }) => names.has(name)) }
  requireHosts('--break-lock', flags.breakLock, opened.hosts)
  const inside = await inLab(opened.hosts)
  if (inside !== null) return inside
  const { roles } = inventory
  const chosen = book(roles, { ...wish, canaries: wish.canaryFirst ? canariesOf(opened) : [] })
  const advice = await adviceOn(opened, flags, wish.allowOneWay ?? false)
  if (flags.dryRun) return planOpened(chosen, opened, { ...flags, exitCode: false, advice })
  throwBlocking(advice)
  return runOpened(chosen, opened, flags, around(wish, { advice, edits, roles }))
}

const adviceOn = async (
  { inventory, hosts }: OpenInventory,
  flags: RollFlags,
  allowOneWay: boolean,
): Promise<readonly Advice[]> => {
  await using pool = connectionPool(connecting(flags))
  return await adviceFor(inventory, hosts, { reach: pool.reach, forks: flags.forks, allowOneWay })
}

const throwBlocking = (advice: readonly Advice[]): void => {
  const blocking = advice.filter(({ level }) => level === 'blocks')
  if (blocking.length === 0) return
  throw new InputError(blocking.map(({ where, what, why, fix }) => ({ where, what: `${what}. ${why}`, fix })))
}

const around = (
  wish: RollWish,
  {
    advice,
    edits,
    roles,
  }: { readonly advice: readonly Advice[]; readonly edits: readonly FileEdit[]; readonly roles: readonly Role[] },
): Around => ({
  about: { roll: wish },
  advice,
  edits,
  write: 'first',
  putBack: (report) =>
    exitCodeOf(report) !== 0 &&
    nobodyLeftOnNew(
      report,
      releasedRoles(roles).filter(({ key }) => wish.versions[key] !== undefined),
    ),
})

const wishOf = (flags: RollFlags, versions: Versions): RollWish => {
  const inventory = flags.inventory.map((path) => resolve(path))
  if (!flags.resume) {
    const { limit, serial, maxFail, canaryFirst, allowOneWay } = flags
    return { inventory, limit, versions, serial, maxFail, canaryFirst, allowOneWay }
  }
  if (Object.keys(versions).length > 0)
    throw new InputError([
      {
        where: '--resume',
        what: 'a roll that is resumed goes to the versions it was started with',
        fix: 'Leave --resume out to start another one.',
      },
    ])
  const { wish } = unfinishedRoll(runsFolder(), inventory)
  return {
    ...wish,
    limit: flags.limit ?? wish.limit,
    serial: flags.serial ?? wish.serial,
    allowOneWay: flags.allowOneWay || wish.allowOneWay,
  }
}

/** The first host of each role that has plays of its own. */
const canariesOf = ({ inventory, hosts }: OpenInventory): readonly string[] =>
  rolledRoles(inventory.roles).flatMap((one) => hosts.find(one.hosts)?.name ?? [])
