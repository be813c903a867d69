import type { Host, Inventory, Scrape } from '../../lib/model.ts'
import type { Exporter } from '../../lib/program/exporter.ts'
import { joined, portOf, scrapeOf } from '../../lib/program/web.ts'
import type { Settings } from './entries.ts'
import type { ProbeVars } from './vars.ts'

/**
 * The jobs in which an exporter on a host is asked about other things. A target's address is what is probed, and `instance` too; relabelling sends the
 * scrape to the prober, which the label `prober` names, as several may probe the same thing.
 */
export const probeJobs = (
  { probe }: Exporter,
  vars: Settings,
  { host, inventory }: { readonly host: Host; readonly inventory: Inventory },
): readonly Scrape[] =>
  probe === undefined
    ? []
    : Object.entries(vars.probes).map(([job, wanted]) => ({
        job,
        port: portOf(vars.listen),
        labels: {
          ...scrapeOf(job, vars).labels,
          __prober: joined(host.address, portOf(vars.listen)),
          prober: host.name,
        },
        through: probed(wanted, inventory).map(({ target, instance }) => ({
          target,
          labels: { instance, ...wanted.labels },
        })),
        config: configOf(probe.path, wanted, { module: probe.module, client: scrapeOf(job, vars).config }),
      }))

const probed = (
  { targets, group, target }: ProbeVars,
  { hosts }: Inventory,
): readonly { readonly target: string; readonly instance: string }[] => [
  ...targets.map((one) => ({ target: one, instance: one })),
  ...hosts
    .filter(({ groups }) => group !== undefined && (group === 'all' || groups.includes(group)))
    .map(({ name, address }) => ({
      target: target.replaceAll('{address}', address.includes(':') ? `[${address}]` : address),
      instance: target.replaceAll('{address}', name),
    })),
]

const configOf = (
  path: string,
  { module, config }: ProbeVars,
  { module: parameter, client }: { readonly module: string | undefined; readonly client: Scrape['config'] },
): Scrape['config'] => {
  const {
    params,
    relabel_configs: steps,
    ...rest
  } = config as {
    readonly params?: object
    readonly relabel_configs?: readonly unknown[]
  }
  const asked = { ...(parameter !== undefined && module !== undefined && { [parameter]: [module] }), ...params }
  return {
    metrics_path: path,
    ...(Object.keys(asked).length > 0 && { params: asked }),
    ...client,
    ...rest,
    relabel_configs: [
      { source_labels: ['__address__'], target_label: '__param_target' },
      { source_labels: ['__prober'], target_label: '__address__' },
      ...(steps ?? []),
    ],
  }
}
