import type { ZodType } from 'zod'
import { currentOf } from './host-paths.ts'
import type { Host, Instances, Role, WebServer } from './model.ts'
import { ofInstance } from './one-machine.ts'
import { certified, webOn } from './program/certified.ts'

/** What must be said of a role, and what may be: its capabilities are found by being there. */
export type RoleDefinition<V> = Omit<Role<V>, 'key' | 'healthy' | 'serves' | 'varsOf'> &
  Partial<Pick<Role<V>, 'key' | 'healthy' | 'serves'>>

/** A role: settings with a schema, tasks as data, and the gates that say it serves. */
export const role = <V>(definition: RoleDefinition<V>): Role<V> => {
  const key = definition.key ?? definition.name.replaceAll('-', '_')
  return {
    ...definition,
    key,
    ...instanceOf(definition),
    healthy: (scope) => definition.healthy?.(scope) ?? [],
    serves: (scope) => definition.serves?.(scope) ?? [],
    varsOf: settingsOf(key, definition.vars, definition),
  }
}

/** A role with a service has a row in a status, with what systemd and its release say of it. */
const instanceOf = <V>({ instance, service, release }: RoleDefinition<V>): Partial<Pick<Role<V>, 'instance'>> => {
  if (instance || service === undefined) return {}
  return {
    instance: ({ host }) => ({
      service: `service ${ofInstance(host, service)}`,
      ...(release && { current: `symlink ${currentOf(release.name, host.machine.instance)}` }),
    }),
  }
}

/** What the unit of a role is called on a host, without `.service`. */
export const serviceOn = ({ service, name }: Pick<Role, 'service' | 'name'>, host: Host): string =>
  ofInstance(host, service ?? name)

/**
 * Roles in the order in which they stand in files that are made of all of them: those that go along with others, then whoever sends before
 * whom it sends to. It never changes: another order would be another file, and a reload on every host that has it.
 */
export const inFileOrder = (roles: readonly Role[]): readonly Role[] => [
  ...roles.filter(({ rollout }) => !rollout),
  ...roles.filter(({ rollout }) => rollout).toReversed(),
]

/** What a host's variables have under a role's key; undefined without. */
export const settingsUnder = (vars: Host['vars'], key: string): unknown => {
  const [variable = '', ...entry] = key.split('.')
  return entry.reduce<unknown>(
    (value, name) => (typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined),
    vars[variable],
  )
}

/**
 * A role's settings for any host, defaults filled in, and with the certificate that its web server has there; read once: for files of a role that the
 * role itself is made of.
 */
export const settingsOf = <V>(
  key: string,
  vars: ZodType<V>,
  { web, instances }: { readonly web?: WebServer; readonly instances?: Instances<V> } = {},
): ((host: Host) => V) => {
  const known = (read.get(vars) ?? new WeakMap()) as WeakMap<Host, V>
  read.set(vars, known)
  return (host) => {
    const before = known.get(host)
    if (before) return before
    const { instance } = host.machine
    const parsed = vars.parse(settingsUnder(host.vars, key) ?? {})
    const own = instance === undefined ? parsed : (instances?.settings?.(parsed, instance) ?? parsed)
    const now = web ? certified(host, own, webOn(host, web)) : own
    known.set(host, now)
    return now
  }
}
const read = new WeakMap<ZodType, WeakMap<Host, unknown>>()
