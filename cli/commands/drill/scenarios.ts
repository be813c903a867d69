import { basename, resolve } from 'node:path'
import { leftWithout } from '../../../fleet/drill/drill-fleet.ts'
import { loadMistake } from '../../../lib/config.ts'
import { DoesNotApply } from '../../../lib/drill/does-not-apply.ts'
import type { Fault } from '../../../lib/drill/fault.ts'
import type { DrillFleet, Scenario } from '../../../lib/drill/scenario.ts'
import { InputError } from '../../../lib/errors.ts'
import { importFile } from '../../../lib/import-file.ts'
import { didYouMean } from '../../../lib/inventory/did-you-mean.ts'
import type { Inventory, Reach } from '../../../lib/model.ts'
import { scenarios } from '../../../playbooks/drills/all.ts'

/** A scenario and what it does to a fleet; or why it can't be held there. */
export type Chosen = Fitting | Refused
export interface Refused {
  readonly scenario: Scenario
  readonly refused: string
  readonly fix: string
}
export interface Fitting {
  readonly scenario: Scenario
  readonly faults: readonly Fault[]
  /** The fleet with the scenario's settings. */
  readonly fleet: DrillFleet
}

/** The scenarios of these names, those of files of the user's own too. Throws InputError for names that nothing has, and files that hold none. */
export const scenariosNamed = async (words: readonly string[]): Promise<readonly Scenario[]> => {
  const found = await Promise.all(words.map((one) => (isFile(one) ? scenarioIn(one) : byName(one))))
  return found
}

/** What a scenario would do to this fleet, and whether it may. Touches nothing. */
export const fitting = (
  scenario: Scenario,
  {
    fleet: known,
    inventory,
    force,
    set = {},
  }: {
    readonly fleet: DrillFleet
    readonly inventory: Inventory
    readonly force: boolean
    readonly set?: Readonly<Record<string, string>>
  },
): Chosen => {
  const fleet = { ...known, settings: { ...defaultsOf(scenario), ...set } }
  if (scenario.where === 'lab' && fleet.lab === undefined)
    return {
      scenario,
      refused: 'it is for a lab only: nothing on a real machine could undo it',
      fix: 'vestal lab up makes one.',
    }
  try {
    const faults = scenario.faults(fleet)
    if (faults.some(({ kind }) => kind === 'power') && fleet.lab === undefined)
      return {
        scenario,
        refused: 'it cuts the power of a machine, which is for a lab only',
        fix: 'vestal lab up makes one.',
      }
    const without = leftWithout(faults, inventory)
    if (without.length > 0 && !force)
      return {
        scenario,
        refused: `it takes away ${without.join(' and ')}, the last one too`,
        fix: 'That is what it is about; --force does it.',
      }
    return { scenario, faults, fleet }
  } catch (error) {
    if (error instanceof DoesNotApply) return { scenario, refused: error.message, fix: 'Choose another.' }
    throw error
  }
}

/** Settings as `NAME=VALUE` words. Throws InputError for others, and for names that none of these scenarios has. */
export const settingsIn = (words: readonly string[], among: readonly Scenario[]): Readonly<Record<string, string>> => {
  const names = [...new Set(among.flatMap(({ settings = {} }) => Object.keys(settings)))]
  return Object.fromEntries(
    words.map((text) => {
      const [, name = '', value = ''] = /^([a-z][a-z0-9_-]*)=(.+)$/.exec(text) ?? []
      if (names.includes(name)) return [name, value]
      throw new InputError([
        {
          where: '--set',
          path: text,
          what:
            name === ''
              ? 'expected NAME=VALUE'
              : `no scenario that is to be held has a setting ${name}${didYouMean(name, names)}`,
          fix: names.length > 0 ? `They have: ${names.join(', ')}.` : 'They have none.',
        },
      ])
    }),
  )
}

const defaultsOf = ({ settings = {} }: Scenario): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(settings).flatMap(([name, { default: value }]) => (value === undefined ? [] : [[name, value]])),
  )

/** Why a machine can't be broken like this, asked of it; null where all of them can. Throws HostError where one can't be asked. */
export const refusalOf = async (
  { faults }: Fitting,
  reach: Reach,
): Promise<{ readonly host: string; readonly why: string } | null> => {
  const asked = await Promise.all(
    faults.map(async (fault) => {
      if (fault.kind !== 'machine' || fault.refuses === undefined) return null
      const { stdout } = await (await reach(fault.host)).exec(fault.refuses, { within: '1m', most: 4096 })
      const why = stdout.toString().trim()
      return why === '' ? null : { host: fault.host.name, why }
    }),
  )
  return asked.find((one) => one !== null) ?? null
}

/** Whether it can be held. */
export const isFitting = (chosen: Chosen): chosen is Fitting => 'faults' in chosen

const isFile = (text: string): boolean => text.includes('/') || /\.m?[jt]s$/.test(text)

const byName = (name: string): Scenario => {
  const found = scenarios.find((one) => one.name === name)
  if (found) return found
  const names = scenarios.map((one) => one.name)
  throw new InputError([
    {
      where: 'vestal drill',
      what: `no scenario is called ${name}${didYouMean(name, names)}`,
      fix: '`vestal drill --list` lists them; one of your own is given as its file: ./mine.ts',
    },
  ])
}

const FIX = "It ends with `export default drill({ … })`, with drill from 'vestal/drill'."

const scenarioIn = async (path: string): Promise<Scenario> => {
  const file = resolve(path)
  const { default: found } = await importFile(file).catch((error: unknown) => {
    throw error instanceof InputError ? error : new InputError([{ ...loadMistake(file, error), fix: FIX }])
  })
  if (isScenario(found)) return found
  throw new InputError([{ where: file, what: `the default export of ${basename(file)} is no scenario`, fix: FIX }])
}

const isScenario = (one: unknown): one is Scenario =>
  typeof one === 'object' &&
  one !== null &&
  'name' in one &&
  typeof one.name === 'string' &&
  /^[a-z0-9-]{1,60}$/.test(one.name) &&
  'faults' in one &&
  typeof one.faults === 'function' &&
  'allowed' in one &&
  typeof one.allowed === 'object' &&
  one.allowed !== null
