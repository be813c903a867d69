import type { Scope } from '../../lib/model.ts'
import { yamlFile } from '../../lib/program/yaml-file.ts'
import type { Sealed } from '../../lib/secret.ts'
import { externalLabels } from '../prometheus/external-labels.ts'
import { type Job, targetOf } from '../prometheus/job.ts'
import { writtenTo } from '../prometheus/remote-write.ts'
import type { AgentVars } from './vars.ts'

export const CONFIG = '/etc/prometheus-agent/prometheus.yml'

/** The jobs over inventory groups that have hosts. */
export const jobsOf = ({ vars, group }: Pick<Scope<AgentVars>, 'vars' | 'group'>): readonly Job[] =>
  Object.entries(vars.targets).flatMap(([name, { group: of, port, labels, config }]) => {
    const targets = group(of).map((host) => targetOf(host, { port, labels }))
    return targets.length > 0 ? [{ name, targets, config }] : []
  })

/** Its prometheus.yml. Replicas differ in nothing but the value of their replica label. */
export const configFile = (scope: Scope<AgentVars>): string | Sealed => {
  const { vars } = scope
  return yamlFile({
    global: {
      scrape_interval: vars.scrape_interval,
      ...(vars.scrape_timeout && { scrape_timeout: vars.scrape_timeout }),
      external_labels: externalLabels(vars.version, {
        ...vars.external_labels,
        ...(vars.cluster !== undefined && { [vars.cluster_label]: vars.cluster }),
        [vars.replica_label]: vars.replica ?? scope.host.name,
      }),
      ...vars.global,
    },
    scrape_configs: [
      ...jobsOf(scope).map(({ name, targets, config }) => ({
        job_name: name,
        ...config,
        static_configs: targets.map(({ address, labels }) => ({ targets: [address], labels })),
      })),
      ...vars.scrape_configs,
    ],
    remote_write: vars.remote_write.map((entry) =>
      writtenTo(entry, { cluster: vars.cluster_label, replica: vars.replica_label }),
    ),
  })
}
