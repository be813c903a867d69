#!/usr/bin/env zx
import { type RollbackFlags, rollbackOptions } from '../cli/rollback-options.ts'
import { runAsScript } from '../cli/script.ts'
import { earlierState, type WayBack } from '../fleet/upgrade/rollback-points.ts'
import { silencesSaved } from '../fleet/upgrade/save-silences.ts'
import { inGroup, not, playbook } from '../lib/playbook.ts'
import { othersServe } from '../roles/alertmanager/peers.ts'
import { alertmanager } from '../roles/alertmanager/role.ts'
import { nodeExporter } from '../roles/node-exporter/role.ts'
import { shardOf, twinsScrape } from '../roles/prometheus/replicas.ts'
import { prometheus } from '../roles/prometheus/role.ts'

/** The same order and gates as a roll, backwards in versions. */
export const rollback = (ways: readonly WayBack[]) => {
  const roles = [earlierState(ways, [nodeExporter, alertmanager, prometheus])]
  return playbook({
    name: 'rollback',
    summary: 'Takes hosts back to what they ran before the last change, one failure domain at a time.',
    onFailure: 'stop',
    plays: [
      {
        name: 'Alertmanagers, one at a time',
        hosts: inGroup('alertmanager'),
        roles,
        batch: 1,
        before: othersServe,
        keep: silencesSaved,
      },
      {
        name: 'Prometheus, never two replicas of a shard',
        hosts: inGroup('prometheus'),
        roles,
        batch: '25%',
        apart: shardOf,
        before: twinsScrape,
      },
      { name: 'Other machines', hosts: not(inGroup('alertmanager', 'prometheus')), roles, batch: '25%' },
    ],
  })
}

await runAsScript(import.meta, rollback([]), {
  options: rollbackOptions,
  run: async (flags: RollbackFlags) => (await import('../cli/commands/rollback.ts')).rollbackCommand(rollback, flags),
})
