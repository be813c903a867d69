import { InputError } from '../errors.ts'
import type { Host, Link, Machine } from '../model.ts'
import { linkOf } from './connection-vars.ts'
import { vestalVariable } from './machine.ts'
import { collectMistakes, type Mistakes } from './mistakes.ts'
import { groupsOf, type Member } from './read/groups.ts'
import { address as addressField } from './schema/fields.ts'
import { type Checks, startChecks } from './schema/validate.ts'
import { tlsReader, tlsVariable } from './tls.ts'
import { positionOf } from './yaml/source.ts'
import { isTemplated } from './yaml/templating.ts'
import type { Variable } from './yaml/variable.ts'

/** Makes hosts of names and variables: typed where Vestal knows the variable, frozen all through. */
export const hostReader = ({
  checks,
  mistakes,
  env,
  folder,
  isOurs,
}: {
  checks: Checks
  mistakes: Mistakes
  env: NodeJS.ProcessEnv
  /** The inventory's own. */
  folder: string
  /** Whether a host of that name has a role: how any other host is reached is looked at, and told, only where somebody goes there. */
  isOurs(host: string): boolean
}) => {
  const usual = vestalVariable.parse({})
  const readTls = tlsReader(folder)
  const machineOf = (vestal: Variable | undefined, by: Checks): Machine =>
    (vestal && vestal.value() !== null && by.parse(vestal, vestalVariable, isTemplated)) || usual
  const tlsOf = (
    variable: Variable | undefined,
    { names, ours }: { readonly names: readonly string[]; readonly ours: boolean },
  ) => {
    if (!ours || !variable || variable.value() === null) return undefined
    return readTls(checks.parse(variable, tlsVariable, isTemplated), { names }, ({ path, ...mistake }) =>
      mistakes.add(positionOf(variable.source, variable.key), {
        ...mistake,
        path: [variable.name, ...(path ? [path] : [])].join('.'),
      }),
    )
  }
  return (member: Member, variables: ReadonlyMap<string, Variable>, values: ReadonlyMap<Variable, unknown>): Host => {
    const { name } = member
    const groups = [...groupsOf(member)].map((group) => group.name).sort()
    const set = isOurs(name) ? undefined : collectMistakes()
    const found = linkOf({ name, variables, env }, set ? startChecks(set) : checks)
    if (found.via === 'ssh' && found.address === name && !addressField.safeParse(name).success)
      (set ?? mistakes).add(member.at, {
        what: `\`${name}\` is neither an IP address nor a host name`,
        fix: 'set ansible_host for it',
      })
    const link = { ...found, ...(set && mistakesIn(set)) }
    const machine = machineOf(variables.get('vestal'), set ? startChecks(collectMistakes()) : checks)
    const address = machine.address ?? link.address
    const tls = tlsOf(variables.get('tls'), { names: [address], ours: isOurs(name) })
    Object.freeze(link.options)
    Object.freeze(link.become)
    return Object.freeze({
      name,
      address,
      groups: Object.freeze(groups),
      vars: Object.freeze(Object.fromEntries([...variables].map(([key, variable]) => [key, values.get(variable)]))),
      link: Object.freeze(link),
      machine: Object.freeze(machine),
      ...(tls && { tls }),
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
