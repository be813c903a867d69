import { InputError } from '../../lib/errors.ts'
import type { Host, Scope } from '../../lib/model.ts'
import { clientConfig, joined, portOf, prefixOf, type Web } from '../../lib/program/web.ts'
import { alertmanager } from '../alertmanager/role.ts'
import type { AlertmanagerVars } from '../alertmanager/vars.ts'
import { nodeExporter } from '../node-exporter/role.ts'
import type { PrometheusVars } from './vars.ts'

/** A job over the hosts of a group: one file of targets, and the scrape config that reads it. */
export interface Job {
  readonly name: string
  readonly targets: readonly Target[]
  /** Fields of its scrape config. */
  readonly config: Readonly<Record<string, unknown>>
}
export interface Target {
  readonly address: string
  readonly labels: Readonly<Record<string, string>>
}
/** Where the web servers of a group's hosts are; the host's own settings say so. */
type WebOf = (host: Host) => Web

/**
 * The jobs over inventory groups. A target's `instance` is the host's name and the port: what Prometheus would make it, with a
 * name that people know in place of the address.
 */
export const jobsOf = (scope: Scope<PrometheusVars>, prometheusWeb: WebOf): readonly Job[] => {
  const { vars, group } = scope
  const own = {
    node: builtIn(group('node_exporter'), nodeExporter.varsOf),
    prometheus: builtIn(group('prometheus'), prometheusWeb),
    alertmanager: builtIn(
      alertmanagersOf(scope).map(({ host }) => host),
      alertmanager.varsOf,
    ),
  }
  const asked = Object.entries(vars.targets).map(([name, target]) => [
    name,
    target && {
      targets: group(target.group).map((host) => targetOf(host, { port: target.port, labels: target.labels })),
      config: target.config,
    },
  ])
  const jobs: Record<string, Omit<Job, 'name'> | null> = { ...own, ...Object.fromEntries(asked) }
  return Object.entries(jobs).flatMap(([name, job]) => (job && job.targets.length > 0 ? [{ name, ...job }] : []))
}

/** An Alertmanager that alerts are sent to. */
export interface Receiving {
  readonly host: Host
  readonly web: AlertmanagerVars
}

/** The Alertmanagers it sends to. Throws InputError when one of them isn't in group `alertmanager`, so that its settings are unknown. */
export const alertmanagersOf = ({ vars, group }: Scope<PrometheusVars>): readonly Receiving[] =>
  group(vars.alertmanager_group).map((host) => {
    if (host.groups.includes('alertmanager')) return { host, web: alertmanager.varsOf(host) }
    throw new InputError([
      {
        where: `host ${host.name}`,
        path: 'prometheus.alertmanager_group',
        what: `is in group ${vars.alertmanager_group} but not in group alertmanager`,
        fix: `Make ${vars.alertmanager_group} a child of group alertmanager.`,
      },
    ])
  })

const builtIn = (hosts: readonly Host[], webOf: WebOf): Omit<Job, 'name'> => {
  const [first] = hosts
  const web = first && webOf(first)
  const prefix = web ? prefixOf(web) : ''
  return {
    targets: hosts.map((host) => targetOf(host, { port: portOf(webOf(host).listen), labels: {} })),
    config: {
      ...(prefix !== '' && { metrics_path: `${prefix}/metrics` }),
      ...(web && clientConfig(web)),
    },
  }
}

const targetOf = (
  host: Host,
  { port, labels }: { readonly port: number; readonly labels: Readonly<Record<string, string>> },
): Target => ({ address: joined(host.address, port), labels: { instance: joined(host.name, port), ...labels } })
