import type { Argv } from 'yargs'
import { type Removable, removable } from '../fleet/decommission.ts'
import { InputError } from '../lib/errors.ts'
import type { Role } from '../lib/model.ts'
import { type ChangeFlags, changeOptions, commas, listOption, NONE } from './options.ts'

export interface AddNodeFlags extends ChangeFlags {
  readonly name: string
  readonly host: string
  readonly role?: readonly string[]
  readonly group: readonly string[]
  readonly vars: readonly string[]
}
export interface RemoveNodeFlags extends ChangeFlags {
  readonly name: string
  readonly role?: readonly string[]
  readonly dead: boolean
  readonly force: boolean
}
export interface ReplaceNodeFlags extends ChangeFlags {
  readonly old: string
  readonly new: string
  readonly host: string
}

export const addNodeOptions = (args: Argv): Argv =>
  fleetOptions(args)
    .positional('name', { type: 'string', demandOption: true, describe: 'What the inventory is to call the machine' })
    .option('host', {
      type: 'string',
      demandOption: true,
      requiresArg: true,
      describe: 'Where it is reached: an IP address or a name',
    })
    .option('role', roleOption('What it is for; commas separate'))
    .option('group', {
      ...listOption('Further groups of the inventory that it is to stand in; commas separate'),
      default: NONE,
      coerce: commas,
    })
    .option('vars', {
      ...listOption('A variable of its own, as NAME=YAML; may be given again'),
      default: NONE,
    })
    .check(({ role, group }) =>
      [role ?? [], group].flat().length > 0 ? true : '--role or --group says what the machine is for',
    )

export const removeNodeOptions = (args: Argv): Argv =>
  fleetOptions(args)
    .positional('name', { type: 'string', demandOption: true, describe: 'The machine, as the inventory calls it' })
    .option('role', roleOption('Take only these roles away; commas separate'))
    .option('dead', { type: 'boolean', default: false, describe: 'The machine is gone: it is never connected to' })
    .option('force', {
      type: 'boolean',
      default: false,
      describe: 'Even the last of its kind, or where two Alertmanagers are left',
    })

export const replaceNodeOptions = (args: Argv): Argv =>
  fleetOptions(args)
    .positional('old', { type: 'string', demandOption: true, describe: 'The machine that is gone' })
    .positional('new', { type: 'string', demandOption: true, describe: 'What the new one is called; may be the same' })
    .option('host', {
      type: 'string',
      demandOption: true,
      requiresArg: true,
      describe: 'Where the new machine is reached: an IP address or a name',
    })

const roleOption = (describe: string) => ({ ...listOption(describe), coerce: commas }) as const

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
const fleetOptions = (args: Argv): Argv =>
  changeOptions(args)
    .default('watch-alerts', true)
    .hide('limit')
    .hide('tags')
    .check(({ limit, tags }) =>
      limit === undefined && tags === undefined ? true : 'the whole fleet takes part: neither --limit nor --tags',
    ) as Argv
