#!/usr/bin/env zx
import { withBook } from '../cli/command.ts'
import { runAsScript } from '../cli/script.ts'
import { otherMachines, rolledRoles } from '../fleet/plays.ts'
import { earlierState, type WayBack } from '../fleet/upgrade/rollback-points.ts'
import type { PlayScope, Role } from '../lib/model.ts'
import { membersOf, playbook } from '../lib/playbook.ts'

/** The same order and gates as a roll, backwards in versions. */
export const rollback = (all: readonly Role[], ways: readonly WayBack[]) => {
  const roles = [earlierState(ways, all)]
  return playbook({
    name: 'rollback',
    summary: 'Takes hosts back to what they ran before the last change, one failure domain at a time.',
    onFailure: 'stop',
    plays: [
      ...rolledRoles(all).map(({ role, hosts, rollout: { titles, batch, apart, before, keep } }) => ({
        name: titles.all,
        hosts,
        members: ({ inventory }: PlayScope) => membersOf(role, inventory.hosts),
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

await runAsScript(import.meta, async () => withBook((await import('../cli/commands/rollback.ts')).default, rollback))
