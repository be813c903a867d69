import type { ZodType } from 'zod'
import type { Gate, Host, Instance, Needs, Role, Scope, Task } from './model.ts'

interface RoleDefinition<V> {
  readonly name: string
  readonly summary: string
  /** The inventory variable with its settings; default: the name with `-` as `_`. */
  readonly key?: string
  /** Only hosts of this group have the role; default: every host of its play. */
  readonly group?: string
  readonly vars: ZodType<V>
  tasks(scope: Scope<V>): readonly Task[]
  healthy?(scope: Scope<V>): readonly Gate[]
  serves?(scope: Scope<V>): readonly Gate[]
  instance?(scope: Scope<V>): Instance
  needs?(scope: Scope<V>): Needs
}

/** A role: settings with a schema, tasks as data, and the gates that say it serves. */
export const role = <V>(definition: RoleDefinition<V>): Role<V> => {
  const key = definition.key ?? definition.name.replaceAll('-', '_')
  const seen = new WeakMap<Host, V>()
  return {
    ...definition,
    key,
    healthy: (scope) => definition.healthy?.(scope) ?? [],
    serves: (scope) => definition.serves?.(scope) ?? [],
    varsOf(host) {
      const known = seen.get(host)
      if (known) return known
      const vars = definition.vars.parse(host.vars[key] ?? {})
      seen.set(host, vars)
      return vars
    },
  }
}
