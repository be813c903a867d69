import compare from 'semver/functions/compare.js'
import { alertsOf, silencesOf, statusOf } from '../../lib/api/alertmanager.ts'
import { ask, type Endpoint } from '../../lib/api/endpoint.ts'
import { ruleGroupsOf, sendsTo } from '../../lib/api/prometheus.ts'
import { HostError } from '../../lib/errors.ts'
import { samplesOf, seriesOf } from '../../lib/gates/series.ts'
import type { Host, Reach } from '../../lib/model.ts'
import { endpointOf, joined } from '../../lib/program/web.ts'
import { parseClassic, parseMatchers } from '../../lib/routing/parse-matchers.ts'
import { routerOf } from '../../lib/routing/routes.ts'
import { understood } from '../../lib/understood.ts'
import { alertmanager } from '../../roles/alertmanager/role.ts'
import { prometheus } from '../../roles/prometheus/role.ts'
import { pathInForce, routingInForce } from '../alerting-in-force.ts'
import type { AlertmanagerFacts, Facts, PrometheusFacts } from './facts.ts'

/** Asks every Prometheus and Alertmanager among these hosts. One that does not answer, or not in a known form, is told among the silent. */
export const factsOf = async (hosts: readonly Host[], reach: Reach): Promise<Facts> => {
  const of = (group: string): readonly Host[] => hosts.filter(({ groups }) => groups.includes(group))
  const silent: Facts['silent'][number][] = []
  const answered = async <T>(host: Host, service: 'prometheus' | 'alertmanager', question: () => Promise<T>) => {
    try {
      return [await question()]
    } catch (error) {
      if (!(error instanceof HostError)) throw error
      silent.push({ host: host.name, service, why: error.message })
      return []
    }
  }
  const members = of('alertmanager')
  const [prometheusFacts, alertmanagerFacts] = await Promise.all([
    Promise.all(of('prometheus').map((host) => answered(host, 'prometheus', () => askPrometheus(host, reach)))),
    Promise.all(members.map((host) => answered(host, 'alertmanager', () => askAlertmanager(host, reach)))),
  ])
  return {
    prometheus: prometheusFacts.flat(),
    alertmanagers: alertmanagerFacts.flat(),
    silent,
    members: members.length,
  }
}

const askPrometheus = async (host: Host, reach: Reach): Promise<PrometheusFacts> => {
  const endpoint = endpointOf(host, prometheus.varsOf(host))
  const [path, groups, to, page] = await Promise.all([
    pathInForce(reach, host),
    ruleGroupsOf(reach, endpoint),
    sendsTo(reach, endpoint),
    metricsOf(reach, endpoint),
  ])
  return {
    ...path,
    host: host.name,
    groups,
    sendsTo: to,
    errors: samplesOf(page, 'prometheus_notifications_errors_total'),
    dropped: sum(seriesOf(page, 'prometheus_notifications_dropped_total')),
    reloaded: !seriesOf(page, 'prometheus_config_last_reload_successful').includes(0),
  }
}

const askAlertmanager = async (host: Host, reach: Reach): Promise<AlertmanagerFacts> => {
  const endpoint = endpointOf(host, alertmanager.varsOf(host))
  const [{ config, version }, status, { items: alerts, now }, { items: silences }, page] = await Promise.all([
    routingInForce(reach, host),
    statusOf(reach, endpoint),
    alertsOf(reach, endpoint),
    silencesOf(reach, endpoint),
    metricsOf(reach, endpoint),
  ])
  const parse = compare(version, '0.27.0') < 0 ? parseClassic : parseMatchers
  const router = understood(host.name, 'its routes', () => routerOf(config, parse))
  return {
    host: host.name,
    place: joined(host.address, endpoint.port),
    router,
    receivers: new Map((config.receivers ?? []).map((one) => [one.name, integrationsOf(one)])),
    alerts,
    silences,
    members: status.cluster.status === 'disabled' ? null : status.cluster.peers.length,
    failed: samplesOf(page, 'alertmanager_notifications_failed_total'),
    tried: samplesOf(page, 'alertmanager_notifications_total'),
    invalid: sum(seriesOf(page, 'alertmanager_alerts_invalid_total')),
    reloaded: !seriesOf(page, 'alertmanager_config_last_reload_successful').includes(0),
    now,
  }
}

/** `webhook` of `webhook_configs`, where there is at least one. */
const integrationsOf = (receiver: Readonly<Record<string, unknown>>): readonly string[] =>
  Object.entries(receiver).flatMap(([key, value]) =>
    key.endsWith('_configs') && Array.isArray(value) && value.length > 0 ? [key.slice(0, -'_configs'.length)] : [],
  )

const metricsOf = async (reach: Reach, endpoint: Endpoint): Promise<string> =>
  (await ask(reach, endpoint, '/metrics')).body

const sum = (values: readonly number[]): number => values.reduce((total, one) => total + (one || 0), 0)
