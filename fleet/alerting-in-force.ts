/** What servers do to alerts now, by the configuration that runs there: all throw HostError where it cannot be had or read. */

import { statusOf } from '../lib/api/alertmanager.ts'
import type { Endpoint } from '../lib/api/endpoint.ts'
import { configOf, versionOf } from '../lib/api/prometheus.ts'
import { runningYaml } from '../lib/api/running-yaml.ts'
import type { Host, Reach } from '../lib/model.ts'
import { endpointOf } from '../lib/program/web.ts'
import { alertingForm, routingForm } from '../lib/routing/running-forms.ts'
import { alertmanager } from '../roles/alertmanager/role.ts'
import type { AlertPath } from '../roles/prometheus/alert-path.ts'
import { prometheus } from '../roles/prometheus/role.ts'

/** What a Prometheus does to alerts before it sends them. */
export const pathInForce = async (reach: Reach, host: Host): Promise<AlertPath> => {
  const endpoint = endpointOf(host, prometheus.varsOf(host))
  const [yaml, version] = await Promise.all([configOf(reach, endpoint), versionOf(reach, endpoint)])
  const config = runningYaml(host.name, yaml, alertingForm)
  return {
    external: config.global?.external_labels ?? {},
    steps: config.alerting?.alert_relabel_configs ?? [],
    dotAll: Number.parseInt(version, 10) >= 3,
  }
}

/** How an Alertmanager routes them, to which receivers, and its version. */
export const routingInForce = (reach: Reach, host: Host) =>
  routingAt(reach, endpointOf(host, alertmanager.varsOf(host)))

/** The same of whatever answers there as an Alertmanager does. */
export const routingAt = async (reach: Reach, endpoint: Endpoint) => {
  const answer = await statusOf(reach, endpoint)
  const config = runningYaml(endpoint.host.name, answer.config.original, routingForm)
  return { config: { ...config, route: config.route ?? {} }, version: answer.versionInfo.version }
}
