import { alertmanagerServes } from '../../lib/gates/alertmanager.ts'
import { metricIsZero } from '../../lib/gates/metric.ts'
import { silenceParity } from '../../lib/gates/state-parity.ts'
import type { Gate, Host, Scope, TooFew } from '../../lib/model.ts'
import { endpointOf } from '../../lib/program/web.ts'
import { membersOf } from './cluster.ts'
import type { AlertmanagerVars } from './vars.ts'

/** Those that stay send notifications and hold its silences, and it has nothing left to tell them. */
export const drained = ({ host, vars, group }: Scope<AlertmanagerVars>): readonly Gate[] => {
  const self = endpointOf(host, vars)
  const staying = membersOf(group).map((member) => endpointOf(member.host, member.vars))
  return [
    ...staying.map(alertmanagerServes),
    ...staying.map((one) => silenceParity(one, [self])),
    metricIsZero('Alertmanager has told its peers everything', self, {
      metric: 'alertmanager_cluster_messages_queued',
      of: 'messages to its peers wait',
    }),
  ]
}

export const minimum = (_: Host, left: readonly Host[]): TooFew | null => {
  const fix = 'add another first'
  if (left.length === 0) return { what: 'is the last Alertmanager: nobody would be notified of anything', fix }
  if (left.length === 2)
    return { what: 'would leave two Alertmanagers: when they lose sight of each other, both notify', fix }
  return null
}
