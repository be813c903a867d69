import { z } from 'zod'
import { RELEASES } from '../../lib/host-paths.ts'
import { directory } from '../../lib/kinds/directory.ts'
import { packages } from '../../lib/kinds/packages.ts'
import { role } from '../../lib/role.ts'

const baseVars = z.strictObject({
  packages: z
    .array(z.string().regex(/^[a-z0-9][a-z0-9+.-]*$/i, { error: 'expected the name of a package' }))
    .default([])
    .describe('Packages of the system (apt or dnf) that every machine must have; any version will do.'),
})

/** What every machine needs before anything else: the folder of the releases, and packages. */
export const base = role({
  name: 'base',
  summary: 'What every machine needs before anything else.',
  vars: baseVars,
  instances: {},
  tasks: ({ vars }) => [
    directory(RELEASES),
    ...(vars.packages.length > 0 ? [packages([...new Set(vars.packages)].sort())] : []),
  ],
})
