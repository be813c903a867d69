import { currentOf } from '../../lib/host-paths.ts'
import type { Host, Inventory, Observed, Reach } from '../../lib/model.ts'
import { rolesOn, scopeOf } from '../../lib/playbook.ts'
import { word } from '../../lib/shell.ts'
import { versionIn } from '../stateful-services.ts'
import { type Released, releasedRoles, type Versions } from './settings.ts'

/** What a host runs now, as far as advice needs it. */
export interface Running {
  /** The versions that are switched to. */
  readonly versions: Versions
  /** What roles read of the host for their known issues, by key. */
  readonly observed: Readonly<Record<string, Observed>>
}

/** Reads what a host runs; changes nothing. */
export const readRunning = async (reach: Reach, host: Host, inventory: Inventory): Promise<Running> => {
  const roles = releasedRoles(inventory.roles)
  const { stdout } = await (await reach(host)).exec(look(roles))
  const versions = Object.fromEntries(
    stdout
      .toString()
      .split('\n')
      .filter(Boolean)
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )
  const observed = await Promise.all(
    rolesOn(host, roles).flatMap((role) => {
      const scope = scopeOf(role, host, inventory)
      const from = versions[role.key]
      const observe = from === undefined ? undefined : role.upgrade?.observe
      if (from === undefined || !observe) return []
      return [observe(scope, { reach, from, to: versionIn(scope.vars) }).then((seen) => [role.key, seen] as const)]
    }),
  )
  return { versions, observed: Object.fromEntries(observed) }
}

const look = (roles: readonly Released[]): string =>
  [
    ...roles.map(({ key, release }) => {
      const link = word(currentOf(release.name))
      return `if [ -L ${link} ]; then printf '${key}=%s\\n' "$(basename "$(readlink ${link})")"; fi`
    }),
    'exit 0',
  ].join('\n')
