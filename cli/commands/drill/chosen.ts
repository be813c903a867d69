import type { Scenario } from '../../../lib/drill/scenario.ts'
import { InputError } from '../../../lib/errors.ts'
import { scenarios } from '../../../playbooks/drills/all.ts'
import { type DrillFlags, HEAL } from './flags.ts'
import { type Chosen, isFitting, type Refused, scenariosNamed } from './scenarios.ts'

/** The scenarios that these flags are about. Throws InputError where they are about none, or about too many things. */
export const chosenBy = async ({ scenarios: words, all, list }: DrillFlags): Promise<readonly Scenario[]> => {
  if (words[0] === HEAL) {
    if (words.length > 1 || all || list)
      throw mistake('vestal drill heal', 'it takes no scenario', 'vestal drill heal -i inventory/ha')
    return []
  }
  if (all && words.length > 0) throw mistake('--all', 'and some by name', 'Give one or the other.')
  if (words.length > 0) return scenariosNamed(words)
  if (all || list) return scenarios
  throw mistake('vestal drill', 'which scenario?', '`vestal drill --list` lists them; --all holds all of them.')
}

/** One that was named must fit; of all, those that do not are left out. Throws InputError where none is left. */
export const requireFitting = (chosen: readonly Chosen[], { all }: DrillFlags): void => {
  const refused = chosen.filter((one): one is Refused => !isFitting(one))
  if (refused.length > 0 && (!all || refused.length === chosen.length))
    throw new InputError(
      refused.map(({ scenario, refused: what, fix }) => ({ where: `drill ${scenario.name}`, what, fix })),
    )
}

/** Throws InputError where a tenant is named: a scenario is about everybody's alerts. */
export const noTenant = ({ tenant }: DrillFlags): void => {
  if (tenant !== undefined)
    throw mistake(
      '--tenant',
      'a scenario is about the whole ring',
      'Leave it out; vestal drill routes tries the receivers of one.',
    )
}

export const mistake = (where: string, what: string, fix: string): InputError => new InputError([{ where, what, fix }])
