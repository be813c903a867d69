import { InputError } from '../errors.ts'
import type { Host, Link, Machine } from '../model.ts'
import { linkOf } from './connection-vars.ts'
import { vestalVariable } from './machine.ts'
import { collectMistakes, type Mistakes } from './mistakes.ts'
import { groupsOf, type Member } from './read/groups.ts'
import { address } from './schema/fields.ts'
import { type Checks, startChecks } from './schema/validate.ts'
import { isTemplated } from './yaml/templating.ts'
import type { Variable } from './yaml/variable.ts'

/** Makes hosts of names and variables: typed where Vestal knows the variable, frozen all through. */
export const hostReader = ({
  checks,
  mistakes,
  env,
  isOurs,
}: {
  checks: Checks
  mistakes: Mistakes
  env: NodeJS.ProcessEnv
  /** Whether a host of that name has a role: how any other host is reached is looked at, and told, only where somebody goes there. */
  isOurs(host: string): boolean
}) => {
  const usual = vestalVariable.parse({})
  const machineOf = (vestal: Variable | undefined, by: Checks): Machine =>
    (vestal && vestal.value() !== null && by.parse(vestal, vestalVariable, isTemplated)) || usual
  return (member: Member, variables: ReadonlyMap<string, Variable>, values: ReadonlyMap<Variable, unknown>): Host => {
    const { name } = member
    const groups = [...groupsOf(member)].map((group) => group.name).sort()
    const set = isOurs(name) ? undefined : collectMistakes()
    const found = linkOf({ name, variables, env }, set ? startChecks(set) : checks)
    if (found.via === 'ssh' && found.address === name && !address.safeParse(name).success)
      (set ?? mistakes).add(member.at, {
        what: `\`${name}\` is neither an IP address nor a host name`,
        fix: 'set ansible_host for it',
      })
    const link = { ...found, ...(set && mistakesIn(set)) }
    const machine = machineOf(variables.get('vestal'), set ? startChecks(collectMistakes()) : checks)
    Object.freeze(link.options)
    Object.freeze(link.become)
    return Object.freeze({
      name,
      address: machine.address ?? link.address,
      groups: Object.freeze(groups),
      vars: Object.freeze(Object.fromEntries([...variables].map(([key, variable]) => [key, values.get(variable)]))),
      link: Object.freeze(link),
      machine: Object.freeze(machine),
    })
  }
}

const mistakesIn = (set: Mistakes): Pick<Link, 'mistakes'> => {
  try {
    set.throwAny()
    return {}
  } catch (error) {
    if (error instanceof InputError) return { mistakes: error.mistakes }
    throw error
  }
}
