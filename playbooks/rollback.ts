#!/usr/bin/env zx
import { type RollbackFlags, rollbackOptions } from '../cli/rollback-options.ts'
import { runAsScript } from '../cli/script.ts'
import { otherMachines, rolledRoles } from '../fleet/plays.ts'
import { earlierState, type WayBack } from '../fleet/upgrade/rollback-points.ts'
import type { Role } from '../lib/model.ts'
import { playbook } from '../lib/playbook.ts'
import { shippedRoles } from '../roles/registry.ts'

/** The same order and gates as a roll, backwards in versions. */
export const rollback = (all: readonly Role[], ways: readonly WayBack[]) => {
  const roles = [earlierState(ways, all)]
  return playbook({
    name: 'rollback',
    summary: 'Takes hosts back to what they ran before the last change, one failure domain at a time.',
    onFailure: 'stop',
    plays: [
      ...rolledRoles(all).map(({ hosts, rollout: { titles, batch, apart, before, keep } }) => ({
        name: titles.all,
        hosts,
        roles,
        batch,
        apart,
        before,
        keep,
      })),
      { name: 'Other machines', hosts: otherMachines(all), roles, batch: '25%' as const },
    ],
  })
}

await runAsScript(import.meta, rollback(shippedRoles, []), {
  options: rollbackOptions,
  run: async (flags: RollbackFlags) => (await import('../cli/commands/rollback.ts')).rollbackCommand(rollback, flags),
})
