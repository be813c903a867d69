import type { Argv } from 'yargs'
import { Parser } from 'yargs/helpers'
import { releasedRoles, type Versions } from '../fleet/upgrade/settings.ts'
import type { Role } from '../lib/model.ts'
import { type ChangeFlags, changeOptions } from './options.ts'

/** Beside these, the versions to roll to, each under the name of its role's flag. */
export interface RollFlags extends ChangeFlags {
  readonly serial?: number
  readonly maxFail?: number
  readonly canaryFirst: boolean
  readonly resume: boolean
  readonly allowOneWay: boolean
  readonly dryRun: boolean
}

/**
 * The flags of `rolling-upgrade`; among them one for every role that has a release, those of the user's own too: `words` say which inventory
 * it is, before they are read as a whole.
 */
export const rollOptions =
  (words: readonly string[]) =>
  async (args: Argv): Promise<Argv> => {
    const { rolesFor } = await import('../roles/registry.ts')
    const released = releasedRoles(await rolesFor(inventoriesIn(words)))
    return released.reduce<Argv>(
      (all, role) =>
        all.option(flagOf(role), {
          type: 'string',
          requiresArg: true,
          describe: `The version of ${role.title ?? role.name} to roll to`,
        }),
      fixedOptions(args),
    )
  }

/** The versions that these flags ask for, by the roles' keys. */
export const versionsIn = (flags: RollFlags, roles: readonly Role[]): Versions =>
  Object.fromEntries(
    releasedRoles(roles).flatMap((role) => {
      const version = (flags as unknown as Readonly<Record<string, unknown>>)[flagOf(role)]
      return typeof version === 'string' && version !== '' ? [[role.key, version]] : []
    }),
  )

const flagOf = ({ key }: Role): string => key.replaceAll('_', '-')

const inventoriesIn = (words: readonly string[]): readonly string[] => {
  const { inventory } = Parser([...words], {
    alias: { inventory: ['i'] },
    array: ['inventory'],
    string: ['inventory'],
    narg: { inventory: 1 },
  })
  return inventory ?? []
}

const fixedOptions = (args: Argv): Argv =>
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
    }) as Argv
