import type { Host, Role } from './model.ts'

/** What must be said of a role, and what may be: its capabilities are found by being there. */
export type RoleDefinition<V> = Omit<Role<V>, 'key' | 'healthy' | 'serves' | 'varsOf'> &
  Partial<Pick<Role<V>, 'key' | 'healthy' | 'serves'>>

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
