#!/usr/bin/env zx
import { withBook } from '../cli/command.ts'
import { runAsScript } from '../cli/script.ts'
import { companionsOf, otherMachines, rolledRoles } from '../fleet/plays.ts'
import type { Role } from '../lib/model.ts'
import { playbook } from '../lib/playbook.ts'
import { shippedRoles } from '../roles/registry.ts'

/** Roles that are interrupted with care go first, each in plays of its own; all else follows. */
export const deployOf = (roles: readonly Role[]) =>
  playbook({
    name: 'deploy',
    summary: 'Brings every machine to what the inventory says; nothing takes down the last one that serves.',
    plays: [
      ...rolledRoles(roles).map(({ rollout: { titles, batch, apart, before }, ...rolled }) => ({
        name: titles.all,
        hosts: rolled.hosts,
        roles: rolled.roles,
        batch,
        apart,
        before,
      })),
      { name: 'Other machines', hosts: otherMachines(roles), roles: companionsOf(roles) },
    ],
  })

const deploy = deployOf(shippedRoles)
export default deploy

await runAsScript(import.meta, async () => withBook((await import('../cli/commands/deploy.ts')).default, deployOf))
