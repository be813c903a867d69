import type { Host, Inventory, Scope } from '../../lib/model.ts'
import { clientConfig, hasTls, joined, portOf, prefixOf, type Web } from '../../lib/program/web.ts'
import { alertmanager } from '../alertmanager/role.ts'
import { provenRouting } from '../alertmanager/teams.ts'
import { gatewayOn } from '../gateway/vars.ts'
import { prometheusOn } from '../prometheus/vars.ts'
import { queryOn } from '../thanos-query/vars.ts'
import type { RuleVars } from './vars.ts'

/** An Alertmanager that alerts are sent to. */
interface Receiving {
  readonly host: Host
  readonly web: Web
}

/** Every Alertmanager of the group that it sends to. */
export const alertmanagersOf = ({ vars, group }: Pick<Scope<RuleVars>, 'vars' | 'group'>): readonly Receiving[] =>
  group(vars.alertmanager_group)
    .filter(({ groups }) => groups.includes('alertmanager'))
    .map((host) => ({ host, web: alertmanager.varsOf(host) }))

/** As `--alertmanagers.config-file` takes it (thanos `docs/components/rule.md`): one entry for all that are asked in the same way. */
export const alertmanagersFile = (alertmanagers: readonly Receiving[]) => {
  const alike = Map.groupBy(alertmanagers, ({ web }) => JSON.stringify([prefixOf(web), clientConfig(web)]))
  return {
    alertmanagers: [...alike.values()].flatMap((some) => {
      const [first] = some
      if (!first) return []
      const { basic_auth, tls_config } = clientConfig(first.web)
      return [
        {
          api_version: 'v2',
          timeout: '10s',
          scheme: hasTls(first.web) ? 'https' : 'http',
          path_prefix: prefixOf(first.web),
          ...((basic_auth !== undefined || tls_config !== undefined) && {
            http_config: {
              ...(basic_auth !== undefined && { basic_auth }),
              ...(tls_config !== undefined && { tls_config }),
            },
          }),
          static_configs: some.map(({ host, web }) => joined(host.address, portOf(web.listen))),
        },
      ]
    }),
  }
}

/** The relabelling that gives alerts their teams, the same as on every Prometheus. Throws InputError where a case of a team fails. */
export const relabelFile = (inventory: Inventory, [first]: readonly Receiving[]) =>
  first ? provenRouting(inventory, first.host, alertmanager.varsOf(first.host)).steps : []

/** The labels of all that it records and alerts of, and those that are taken off alerts. */
export const labelsOf = ({ host, vars, inventory }: Pick<Scope<RuleVars>, 'host' | 'vars' | 'inventory'>) => {
  const [first] = inventory.hosts.filter(({ groups }) => groups.includes('prometheus'))
  const { cluster, cluster_label = 'cluster', replica_label = 'replica' } = first ? prometheusOn(first) : {}
  return {
    added: { ...(cluster !== undefined && { [cluster_label]: cluster }), ...vars.labels, [replica_label]: host.name },
    dropped: [replica_label],
  }
}

/** Where people can ask what an alert is about; undefined where nobody can be asked. */
export const queryUrl = (inventory: Inventory, { query_url }: Pick<RuleVars, 'query_url'>): string | undefined => {
  if (query_url !== undefined) return query_url.replace(/\/+$/, '')
  const of = (group: string) => inventory.hosts.find(({ groups }) => groups.includes(group))
  const gateway = of('gateway')
  const { query, floating, certificate } = gateway ? gatewayOn(gateway) : {}
  if (gateway && query) {
    const address = floating?.address.replace(/\/\d+$/, '') ?? gateway.address
    return `${certificate === undefined ? 'http' : 'https'}://${joined(address, portOf(query))}`
  }
  const asked = of('thanos_query')
  if (!asked) return undefined
  const web = queryOn(asked)
  return `${hasTls(web) ? 'https' : 'http'}://${joined(asked.address, portOf(web.listen))}`
}
