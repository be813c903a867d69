import { resolve } from 'node:path'
import type { Argv } from 'yargs'
import { Parser } from 'yargs/helpers'
import { rolledRoles } from '../../fleet/plays.ts'
import { adviceFor } from '../../fleet/upgrade/advice.ts'
import { withVersions } from '../../fleet/upgrade/new-versions.ts'
import { nobodyLeftOnNew } from '../../fleet/upgrade/nobody-left-behind.ts'
import { unfinishedRoll } from '../../fleet/upgrade/resume.ts'
import {
  type Released,
  type RollSettings,
  type RollWish,
  releasedRoles,
  type Versions,
} from '../../fleet/upgrade/settings.ts'
import { connectionPool } from '../../lib/engine/pool.ts'
import { InputError } from '../../lib/errors.ts'
import type { FileEdit } from '../../lib/inventory/files.ts'
import type { Advice, Playbook, Role } from '../../lib/model.ts'
import { runsFolder } from '../../lib/report/folder.ts'
import { exitCodeOf } from '../../lib/report/outcome.ts'
import { rolesFor } from '../../roles/registry.ts'
import { command } from '../command.ts'
import { inLab, type Opened, openContext } from '../context.ts'
import { type ChangeFlags, changeOptions } from '../options.ts'
import { planOpened } from '../plan-playbook.ts'
import { type Hooks, runOpened } from '../run-playbook.ts'
import { requireHosts } from '../usage.ts'

/** Beside these, the versions to roll to, each under the name of its role's flag. */
interface RollFlags extends ChangeFlags {
  readonly serial?: number
  readonly maxFail?: number
  readonly canaryFirst: boolean
  readonly resume: boolean
  readonly allowOneWay: boolean
  readonly dryRun: boolean
}

/**
 * Rolls versions and configuration out: advice, plan, the inventory's files written with the new versions, then the playbook. Returns its exit
 * code. Files are put back where the roll failed and nobody is left on a new version.
 */
const rollingUpgradeCommand = async (
  flags: RollFlags,
  book: (roles: readonly Role[], settings: RollSettings) => Playbook,
): Promise<number> => {
  const asked = versionsIn(flags, releasable(await rolesFor(flags.inventory)))
  const started = wishOf(flags, asked)
  await using context = await openContext({ ...flags, limit: started.limit })
  const wish = flags.resume ? started : { ...started, versions: byKey(asked, context.inventory.roles) }
  const { inventory, edits } = await withVersions(context.inventory, {
    paths: flags.inventory,
    versions: wish.versions,
  })
  const opened = context.over(inventory)
  requireHosts('--break-lock', flags.breakLock, opened.inventory.hosts)
  const inside = await inLab(opened.hosts)
  if (inside !== null) return inside
  const { roles } = inventory
  const chosen = book(roles, { ...wish, canaries: wish.canaryFirst ? canariesOf(opened) : [] })
  const advice = await adviceOn(opened, flags, wish.allowOneWay ?? false)
  if (flags.dryRun) return await planOpened(chosen, opened, { ...flags, exitCode: false, advice })
  throwBlocking(advice)
  return await runOpened(chosen, opened, flags, hooks(wish, { advice, edits, roles }))
}

const adviceOn = async (
  { inventory, hosts, connect }: Opened,
  flags: RollFlags,
  allowOneWay: boolean,
): Promise<readonly Advice[]> => {
  await using pool = connectionPool(connect)
  return await adviceFor(inventory, hosts, { reach: pool.reach, forks: flags.forks, allowOneWay })
}

const throwBlocking = (advice: readonly Advice[]): void => {
  const blocking = advice.filter(({ level }) => level === 'blocks')
  if (blocking.length === 0) return
  throw new InputError(blocking.map(({ where, what, why, fix }) => ({ where, what: `${what}. ${why}`, fix })))
}

const hooks = (
  wish: RollWish,
  {
    advice,
    edits,
    roles,
  }: { readonly advice: readonly Advice[]; readonly edits: readonly FileEdit[]; readonly roles: readonly Role[] },
): Hooks => ({
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
const canariesOf = ({ inventory, hosts }: Opened): readonly string[] =>
  rolledRoles(inventory.roles).flatMap((one) => hosts.find(one.hosts)?.name ?? [])

/** The versions that these flags ask for, by flag. */
const versionsIn = (flags: RollFlags, roles: readonly Released[]): Versions =>
  Object.fromEntries(
    roles.map(flagOf).flatMap((flag) => {
      const version = (flags as unknown as Readonly<Record<string, unknown>>)[flag]
      return typeof version === 'string' && version !== '' ? [[flag, version]] : []
    }),
  )

/** The same by the keys of the roles that the inventory has: several run one program where each is an entry of some setting. Throws InputError where none does. */
const byKey = (asked: Versions, roles: readonly Role[]): Versions =>
  Object.fromEntries(
    Object.entries(asked).flatMap(([flag, version]) => {
      const keys = releasedRoles(roles).filter((role) => flagOf(role) === flag)
      if (keys.length > 0) return keys.map(({ key }) => [key, version])
      throw new InputError([
        { where: `--${flag}`, what: 'no host has it', fix: 'Name it for a host first, and deploy.' },
      ])
    }),
  )

/** The program of a role that exists by settings, whatever its entry is called. */
const flagOf = ({ key, of, release }: Released): string => (of === undefined ? key : release.name).replaceAll('_', '-')

/** Every role whose version a roll can change: those that settings can name among them. */
const releasable = (roles: readonly Role[]): readonly Released[] =>
  releasedRoles(roles.flatMap((one) => [one, ...(one.entries?.known ?? [])]))

const inventoriesIn = (words: readonly string[]): readonly string[] => {
  const { inventory } = Parser([...words], {
    alias: { inventory: ['i'] },
    array: ['inventory'],
    string: ['inventory'],
    narg: { inventory: 1 },
  })
  return inventory ?? []
}

const fixedOptions = (args: Argv) =>
  changeOptions(args)
    .default('watch-alerts', true)
    .option('serial', {
      type: 'number',
      requiresArg: true,
      describe:
        'How many Prometheus and other machines go at once, never two replicas of a shard; default: a quarter. Alertmanagers always go one at a time',
    })
    .option('max-fail', {
      type: 'number',
      default: 0,
      requiresArg: true,
      describe: 'How many hosts may fail, and be taken back, before the roll stops',
    })
    .option('canary-first', {
      type: 'boolean',
      default: false,
      describe: 'One Alertmanager and one Prometheus go before all others',
    })
    .option('resume', { type: 'boolean', default: false, describe: 'Go on with the last roll of this inventory' })
    .option('allow-one-way', {
      type: 'boolean',
      default: false,
      describe: 'Go also where the older version cannot read what the newer one writes; a snapshot is taken first',
    })
    .option('dry-run', { type: 'boolean', default: false, describe: 'Give advice and show the plan; change nothing' })
    .check(({ serial, 'max-fail': maxFail }) => {
      if (serial !== undefined && !(Number.isInteger(serial) && serial > 0))
        return '--serial takes a whole number from 1'
      return Number.isInteger(maxFail) && maxFail >= 0 ? true : '--max-fail takes a whole number from 0'
    })

export default command({
  name: 'rolling-upgrade',
  summary: 'Roll versions and configuration out, one failure domain at a time; what fails is taken back',
  examples: ['vestal rolling-upgrade -i inventory/ha --prometheus 3.5.3 --alertmanager 0.33.1'],
  /** Among them one for every role that has a release, those of the user's own too: the words say which inventory it is, before they are read as a whole. */
  options: async (args: Argv, words: readonly string[]) => {
    const released = releasable(await rolesFor(inventoriesIn(words)))
    return released.reduce(
      (all, role) =>
        all.option(flagOf(role), {
          type: 'string',
          requiresArg: true,
          describe: `The version of ${role.title ?? role.name} to roll to`,
          // There are many, and each is like the others.
          hidden: role.of !== undefined,
        }) as typeof all,
      fixedOptions(args).epilogue(
        'Every exporter has a flag too, such as --redis-exporter 1.86.0; docs/exporters.md has them.',
      ),
    )
  },
  run: rollingUpgradeCommand,
})
