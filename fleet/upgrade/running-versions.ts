import { VERSION } from '../../lib/api/forms.ts'
import { currentOf } from '../../lib/host-paths.ts'
import type { Host, Inventory, Observed, Reach } from '../../lib/model.ts'
import { rolesOn, scopeOf } from '../../lib/playbook.ts'
import { word } from '../../lib/shell.ts'
import { understood } from '../../lib/understood.ts'
import { versionIn } from '../stateful-services.ts'
import { type Released, releasedRoles, type Versions } from './settings.ts'

/** What a host runs now, as far as advice needs it. */
export interface RunningVersions {
  /** The versions that are switched to. */
  readonly versions: Versions
  /** What roles read of the host for their known issues, by key. */
  readonly observed: Readonly<Record<string, Observed>>
}

/** Reads what a host runs; changes nothing. */
export const readRunning = async (reach: Reach, host: Host, inventory: Inventory): Promise<RunningVersions> => {
  const roles = releasedRoles(inventory.roles)
  const { stdout } = await (await reach(host)).exec(look(roles, host), { within: '4m' })
  const versions = understood(
    host.name,
    'the versions that it runs',
    () =>
      Object.fromEntries(
        stdout
          .toString()
          .split('\n')
          .filter(Boolean)
          .map((line) => [line.slice(0, line.indexOf('=')), versionOf(line.slice(line.indexOf('=') + 1))]),
      ),
    VERSIONS_HINT,
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

/** Throws an Error where a link's target is called by no version: `2.42.0`. */
export const versionOf = (text: string): string => {
  if (VERSION.test(text)) return text
  throw new Error(`a version is ${JSON.stringify(text.slice(0, 100))}`)
}
export const VERSIONS_HINT = {
  task: 'versions',
  hint: 'Look where the links `current` in the folders below /opt/vestal lead; a deploy sets them.',
} as const

const look = (roles: readonly Released[], { machine }: Host): string =>
  [
    ...roles.map(({ key, release }) => {
      const link = word(currentOf(release.name, machine.instance))
      return `if [ -L ${link} ]; then printf '${key}=%s\\n' "$(basename "$(readlink ${link})")"; fi`
    }),
    'exit 0',
  ].join('\n')
