import type { Endpoint } from '../lib/api/endpoint.ts'
import { alertmanagerServes } from '../lib/gates/alertmanager.ts'
import type { Gate, Host, Inventory } from '../lib/model.ts'
import { scopeOf } from '../lib/playbook.ts'
import { endpointOf } from '../lib/program/web.ts'
import { alertmanager } from '../roles/alertmanager/role.ts'
import { twinsScrape } from '../roles/prometheus/replicas.ts'
import { prometheus } from '../roles/prometheus/role.ts'

/** A service with data of its own on a host, and the gates around a moment in which it stands still. */
export interface Holder {
  readonly host: Host
  readonly role: 'alertmanager' | 'prometheus'
  readonly version: string
  readonly endpoint: Endpoint
  /** The folder of its data. */
  readonly data: string
  /** Others do its work meanwhile. */
  before(): readonly Gate[]
  /** It serves again. */
  after(): readonly Gate[]
}

/** Every Alertmanager and then every Prometheus on these hosts. */
export const holdersOf = (inventory: Inventory, hosts: readonly Host[]): readonly Holder[] => [
  ...hosts.filter(({ groups }) => groups.includes('alertmanager')).map((host) => alertmanagerOn(host, inventory)),
  ...hosts.filter(({ groups }) => groups.includes('prometheus')).map((host) => prometheusOn(host, inventory)),
]

const alertmanagerOn = (host: Host, inventory: Inventory): Holder => {
  const vars = alertmanager.varsOf(host)
  const others = inventory.hosts.filter((one) => one !== host && one.groups.includes('alertmanager'))
  return {
    host,
    role: 'alertmanager',
    version: vars.version,
    endpoint: endpointOf(host, vars),
    data: vars.data_dir,
    before: () => others.map((one) => alertmanagerServes(endpointOf(one, alertmanager.varsOf(one)))),
    after: () => alertmanager.healthy(scopeOf(alertmanager, host, inventory)),
  }
}

const prometheusOn = (host: Host, inventory: Inventory): Holder => {
  const vars = prometheus.varsOf(host)
  return {
    host,
    role: 'prometheus',
    version: vars.version,
    endpoint: endpointOf(host, vars),
    data: vars.storage_dir,
    before: () => twinsScrape({ inventory, batch: [host], hosts: [host] }),
    after: () => prometheus.healthy(scopeOf(prometheus, host, inventory)),
  }
}
