#!/usr/bin/env zx
import { withBook } from '../cli/command.ts'
import { runAsScript } from '../cli/script.ts'
import { companionsOf, otherMachines, type Rolled, rolledRoles } from '../fleet/plays.ts'
import { dataKept } from '../fleet/upgrade/data-snapshot.ts'
import { fleetServes } from '../fleet/upgrade/fleet-serves.ts'
import type { RollSettings } from '../fleet/upgrade/settings.ts'
import { stagedReleases } from '../fleet/upgrade/stage-releases.ts'
import { newVersionsAccept } from '../fleet/upgrade/validate-on-host.ts'
import type { Play, Role, Select } from '../lib/model.ts'
import { all, playbook } from '../lib/playbook.ts'
import { base } from '../roles/base/role.ts'
import { shippedRoles } from '../roles/registry.ts'

/** The plays of a roll: nothing is restarted before everything that can be known is known, and each restart is answered for before the next. */
export const rollingUpgrade = (roles: readonly Role[], { serial, maxFail, canaries = [] }: RollSettings = {}) => {
  const careful = { onGateFailure: 'take-back', maxFail } as const
  const playOf = ({ role, rollout, roles: own }: Rolled, hosts: Select): Omit<Play, 'name'> => ({
    ...careful,
    hosts,
    roles: [...own.filter((one) => one !== role), ...dataKept([role]), role],
    batch: rollout.batch === 1 ? 1 : (serial ?? rollout.batch),
    apart: rollout.apart,
    before: rollout.before,
    keep: rollout.keep,
  })
  const rolled = rolledRoles(roles)
  const canary =
    (select: Select): Select =>
    (host) =>
      canaries.includes(host.name) && select(host)
  return playbook({
    name: 'rolling-upgrade',
    summary: 'Rolls versions and configuration out, one failure domain at a time; what fails is taken back.',
    onFailure: 'stop',
    plays: [
      { name: 'Does the fleet serve?', hosts: all, roles: [], after: fleetServes(roles), watch: 'before' },
      {
        name: 'New releases beside the old ones',
        hosts: all,
        roles: [base, stagedReleases(roles)],
        after: newVersionsAccept(roles),
        watch: 'meanwhile',
      },
      ...(canaries.length > 0
        ? rolled.map((one) => ({ ...playOf(one, canary(one.hosts)), name: one.rollout.titles.first }))
        : []),
      ...rolled.map((one) => ({ ...playOf(one, one.hosts), name: one.rollout.titles.all })),
      {
        ...careful,
        name: 'Other machines',
        hosts: otherMachines(roles),
        roles: companionsOf(roles),
        batch: serial ?? '25%',
      },
    ],
  })
}
export default rollingUpgrade(shippedRoles)

await runAsScript(import.meta, async () =>
  withBook((await import('../cli/commands/rolling-upgrade.ts')).default, rollingUpgrade),
)
