import { InputError } from '../../lib/errors.ts'
import type { Host, ReleaseOf } from '../../lib/model.ts'

/** One binary that is a sidecar, a query or a ruler, by its first word. */
export const PROGRAM: ReleaseOf = { owner: 'thanos-io', repo: 'thanos', name: 'thanos', binaries: ['thanos'] }
export const USER = 'thanos'

/** The settings of all roles that run it. */
const KEYS = ['thanos_sidecar', 'thanos_query', 'thanos_rule']

/** The version that a role is to run. Throws InputError where another role of the host is to run another one: there is one binary. */
export const versionOn = (host: Host, version: string): string => {
  const others = KEYS.filter((key) => host.groups.includes(key)).flatMap((key) => {
    const { version: other } = (host.vars[key] ?? {}) as { readonly version?: unknown }
    return typeof other === 'string' && other !== version ? [`${key} ${other}`] : []
  })
  if (others.length === 0) return version
  throw new InputError([
    {
      where: `host ${host.name}`,
      path: 'version',
      what: `its roles are to run Thanos ${version} and ${others.join(', ')}, and there is one binary for all of them`,
      fix: 'Give all Thanos roles the same version.',
    },
  ])
}
