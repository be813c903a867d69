import { z } from 'zod'
import { releaseKind } from '../../lib/kinds/release.ts'
import type { Role } from '../../lib/model.ts'
import { rolesOn, scopeOf } from '../../lib/playbook.ts'
import { role } from '../../lib/role.ts'

/** The releases that these roles run, put beside those that serve: no link points to them yet, and nothing is interrupted. */
export const stagedReleases = (roles: readonly Role[]): Role =>
  role({
    name: 'staged-releases',
    summary: 'The releases of other roles, put in place before anything is switched to them.',
    vars: z.looseObject({}),
    tasks: ({ host, inventory }) =>
      rolesOn(host, roles)
        .flatMap((one) => one.tasks(scopeOf(one, host, inventory)))
        .filter(({ kind }) => kind.name === releaseKind.name),
  })
