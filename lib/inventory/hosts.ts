import type { Host, Machine } from '../model.ts'
import { linkOf } from './connection-vars.ts'
import { vestalVariable } from './machine.ts'
import type { Mistakes } from './mistakes.ts'
import { groupsOf, type Member } from './read/groups.ts'
import { address } from './schema/fields.ts'
import type { Checks } from './schema/validate.ts'
import { isTemplated } from './yaml/templating.ts'
import type { Variable } from './yaml/variable.ts'

/** Makes hosts of names and variables: typed where Vestal knows the variable, frozen all through. */
export const hostReader = ({
  checks,
  mistakes,
  env,
}: {
  checks: Checks
  mistakes: Mistakes
  env: NodeJS.ProcessEnv
}) => {
  const usual = vestalVariable.parse({})
  const machineOf = (vestal: Variable | undefined): Machine =>
    (vestal && vestal.value() !== null && checks.parse(vestal, vestalVariable, isTemplated)) || usual
  return (member: Member, variables: ReadonlyMap<string, Variable>, values: ReadonlyMap<Variable, unknown>): Host => {
    const { name } = member
    const link = linkOf({ name, variables, env }, checks)
    if (link.via === 'ssh' && link.address === name && !address.safeParse(name).success)
      mistakes.add(member.at, {
        what: `\`${name}\` is neither an IP address nor a host name`,
        fix: 'set ansible_host for it',
      })
    Object.freeze(link.options)
    Object.freeze(link.become)
    return Object.freeze({
      name,
      address: link.address,
      groups: Object.freeze([...groupsOf(member)].map((group) => group.name).sort()),
      vars: Object.freeze(Object.fromEntries([...variables].map(([key, variable]) => [key, values.get(variable)]))),
      link: Object.freeze(link),
      machine: Object.freeze(machineOf(variables.get('vestal'))),
    })
  }
}
