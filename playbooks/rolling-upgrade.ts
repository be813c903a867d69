#!/usr/bin/env zx
import { type RollFlags, rollOptions } from '../cli/roll-options.ts'
import { runAsScript } from '../cli/script.ts'
import { fleetServes } from '../fleet/upgrade/fleet-serves.ts'
import { silencesSaved } from '../fleet/upgrade/save-silences.ts'
import type { RollSettings } from '../fleet/upgrade/settings.ts'
import { stagedReleases } from '../fleet/upgrade/stage-releases.ts'
import { dataKept } from '../fleet/upgrade/tsdb-snapshot.ts'
import { newVersionsAccept } from '../fleet/upgrade/validate-on-host.ts'
import type { Select } from '../lib/model.ts'
import { all, inGroup, not, playbook } from '../lib/playbook.ts'
import { othersServe } from '../roles/alertmanager/peers.ts'
import { alertmanager } from '../roles/alertmanager/role.ts'
import { base } from '../roles/base/role.ts'
import { nodeExporter } from '../roles/node-exporter/role.ts'
import { shardOf, twinsScrape } from '../roles/prometheus/replicas.ts'
import { prometheus } from '../roles/prometheus/role.ts'
import { rules } from '../roles/rules/role.ts'

const programs = [nodeExporter, alertmanager, rules, prometheus]

/** The plays of a roll: nothing is restarted before everything that can be known is known, and each restart is answered for before the next. */
export const rollingUpgrade = ({ serial, maxFail, canaries = [] }: RollSettings = {}) => {
  const careful = { onGateFailure: 'take-back', maxFail } as const
  const canaryIn =
    (group: string): Select =>
    (host) =>
      canaries.includes(host.name) && host.groups.includes(group)
  const alertmanagers = {
    ...careful,
    roles: [base, nodeExporter, alertmanager],
    batch: 1,
    before: othersServe,
    keep: silencesSaved,
  }
  const replicas = {
    ...careful,
    roles: [base, nodeExporter, dataKept, rules, prometheus],
    batch: serial ?? ('25%' as const),
    apart: shardOf,
    before: twinsScrape,
  }
  return playbook({
    name: 'rolling-upgrade',
    summary: 'Rolls versions and configuration out, one failure domain at a time; what fails is taken back.',
    onFailure: 'stop',
    plays: [
      { name: 'Does the fleet serve?', hosts: all, roles: [], after: fleetServes(programs), watch: 'before' },
      {
        name: 'New releases beside the old ones',
        hosts: all,
        roles: [base, stagedReleases(programs)],
        after: newVersionsAccept(programs),
        watch: 'meanwhile',
      },
      ...(canaries.length > 0
        ? [
            { ...alertmanagers, name: 'The first Alertmanager', hosts: canaryIn('alertmanager') },
            { ...replicas, name: 'The first Prometheus', hosts: canaryIn('prometheus') },
          ]
        : []),
      { ...alertmanagers, name: 'Alertmanagers, one at a time', hosts: inGroup('alertmanager') },
      { ...replicas, name: 'Prometheus, never two replicas of a shard', hosts: inGroup('prometheus') },
      {
        ...careful,
        name: 'Other machines',
        hosts: not(inGroup('alertmanager', 'prometheus')),
        roles: [base, nodeExporter],
        batch: serial ?? '25%',
      },
    ],
  })
}
export default rollingUpgrade()

await runAsScript<RollFlags>(import.meta, rollingUpgrade(), {
  options: rollOptions,
  run: async (flags) =>
    (await import('../cli/commands/rolling-upgrade.ts')).rollingUpgradeCommand(rollingUpgrade, flags),
})
