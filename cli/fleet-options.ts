import type { Argv } from 'yargs'
import { type Removable, removable } from '../fleet/decommission.ts'
import { InputError } from '../lib/errors.ts'
import type { Role } from '../lib/model.ts'
import { changeOptions, commas, listOption } from './options.ts'

/** `--role`: of the roles that a machine can be given or lose. */
export const roleOption = (describe: string) => ({ ...listOption(describe), coerce: commas }) as const

/** The roles of these names, of those that a machine can be given and that can be taken from it. Throws InputError for a name that none has. */
export const knownRoles = (roles: readonly Role[], names: readonly string[]): readonly Removable[] => {
  const all = removable(roles)
  return names.map((name) => {
    const found = all.find((one) => one.name === name)
    if (found) return found
    const there = all.map((one) => one.name).join(', ')
    throw new InputError([{ where: '--role', what: `there is no role \`${name}\``, fix: `there are ${there}` }])
  })
}

/** The whole fleet takes part: a part of it, left out, would go on without knowing. */
export const fleetOptions = (args: Argv) =>
  changeOptions(args)
    .default('watch-alerts', true)
    .hide('limit')
    .hide('tags')
    .check(({ limit, tags }) =>
      limit === undefined && tags === undefined ? true : 'the whole fleet takes part: neither --limit nor --tags',
    )
