import { alertmanagerServes } from '../lib/gates/alertmanager.ts'
import { metricIsZero } from '../lib/gates/metric.ts'
import { silenceParity } from '../lib/gates/state-parity.ts'
import { service } from '../lib/kinds/service.ts'
import { unit } from '../lib/kinds/unit.ts'
import type { Gate, Host, PlayScope, Role } from '../lib/model.ts'
import { endpointOf } from '../lib/program/web.ts'
import { alertmanager } from '../roles/alertmanager/role.ts'
import { nodeExporter } from '../roles/node-exporter/role.ts'
import { twinsScrape } from '../roles/prometheus/replicas.ts'
import { prometheus } from '../roles/prometheus/role.ts'

/** The roles that can be taken from a machine: those with a service. */
export const REMOVABLE = ['alertmanager', 'prometheus', 'node_exporter'] as const
export type Removable = (typeof REMOVABLE)[number]

/** A machine that leaves a fleet, or some of its roles. */
export interface Leaving {
  /** As the inventory still has it; undefined for one that is gone. */
  readonly host?: Host
  readonly roles: readonly Removable[]
}

/** A role as it is when it leaves a machine: its service stopped and no longer started at boot. Data, configuration and binaries stay. */
export const leaving = (name: Removable): Role => ({
  name: `${name} leaves`,
  summary: 'The service stopped for good; what is on disk stays.',
  key: name,
  vars: ROLES[name].vars,
  varsOf: (host) => ROLES[name].varsOf(host),
  tasks: () => [service(name, { command: [], unit: unit(`${name}.service`, ''), enabled: false, running: false })],
  healthy: () => [],
  serves: () => [],
})

/** Before a machine's services stop: whoever stays does its work, and it has nothing left that only it knows. */
export const nothingIsLost =
  (names: readonly Removable[]) =>
  (scope: PlayScope): readonly Gate[] =>
    scope.batch.flatMap((host) => [
      ...(names.includes('alertmanager') ? alertmanagerGates(host, scope) : []),
      ...(names.includes('prometheus') ? prometheusGates(host, scope) : []),
    ])

/** Where the data of these roles stays on a machine. */
export const dataOf = (host: Host, names: readonly Removable[]): readonly string[] => [
  ...(names.includes('alertmanager') ? [alertmanager.varsOf(host).data_dir] : []),
  ...(names.includes('prometheus') ? [prometheus.varsOf(host).storage_dir] : []),
]

const ROLES = { alertmanager, prometheus, node_exporter: nodeExporter } as const satisfies Record<Removable, Role>

const alertmanagerGates = (host: Host, { inventory }: PlayScope): readonly Gate[] => {
  const self = endpointOf(host, alertmanager.varsOf(host))
  const staying = inventory.hosts
    .filter(({ groups }) => groups.includes('alertmanager'))
    .map((one) => endpointOf(one, alertmanager.varsOf(one)))
  return [
    ...staying.map(alertmanagerServes),
    ...staying.map((one) => silenceParity(one, [self])),
    metricIsZero('Alertmanager has told its peers everything', self, {
      metric: 'alertmanager_cluster_messages_queued',
      of: 'messages to its peers wait',
    }),
  ]
}

const prometheusGates = (host: Host, scope: PlayScope): readonly Gate[] => [
  ...twinsScrape({ ...scope, batch: [host] }),
  metricIsZero('Prometheus has sent every alert', endpointOf(host, prometheus.varsOf(host)), {
    metric: 'prometheus_notifications_queue_length',
    of: 'alerts wait to be sent',
  }),
]
