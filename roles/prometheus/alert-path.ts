import compare from 'semver/functions/compare.js'
import type { Scope } from '../../lib/model.ts'
import type { Labels } from '../../lib/routing/matcher.ts'
import type { RelabelStep } from '../../lib/routing/relabel.ts'
import { ownershipFor } from './ownership.ts'
import { shardingOf, shardOf } from './shards.ts'
import { stepsForSilent } from './silent-alerts.ts'
import { alertmanagersOf } from './targets.ts'
import type { PrometheusVars } from './vars.ts'

/** What a Prometheus does to an alert before it sends it. */
export interface AlertPath {
  /** Labels that it adds where an alert has none of that name. */
  readonly external: Labels
  readonly steps: readonly RelabelStep[]
  /** Whether `.` in its relabelling is any character. */
  readonly dotAll: boolean
}

/** As the inventory wants it. Throws InputError as the teams' files do. */
export const alertPath = (scope: Scope<PrometheusVars>): AlertPath => {
  const { vars } = scope
  return {
    external: addedLabels(scope),
    steps: relabelSteps(scope, ownershipFor(scope, alertmanagersOf(scope))),
    dotAll: compare(vars.version, '3.0.0') >= 0,
  }
}

type About = Pick<Scope<PrometheusVars>, 'host' | 'vars' | 'inventory'>

/** The labels of replica and shard go first, so that what comes after sees the same alert wherever its target is scraped. */
export const relabelSteps = (
  scope: Scope<PrometheusVars>,
  ownership: readonly RelabelStep[],
): readonly RelabelStep[] => [
  {
    action: 'labeldrop',
    regex: shardingOf(scope.inventory)
      ? `${scope.vars.replica_label}|${scope.vars.shard_label}`
      : scope.vars.replica_label,
  },
  ...stepsForSilent(scope),
  ...scope.vars.alert_relabel_configs,
  ...ownership,
]

export const addedLabels = ({ vars, host, inventory }: About): Labels => ({
  ...vars.external_labels,
  ...(vars.cluster !== undefined && { [vars.cluster_label]: vars.cluster }),
  ...(shardingOf(inventory) && { [vars.shard_label]: shardOf(host, inventory) }),
  [vars.replica_label]: vars.replica ?? host.name,
})
