import { ruleGroupsOf, targetsOf } from '../../../lib/api/prometheus.ts'
import { print } from '../../../lib/report/print.ts'
import { labelsText } from '../../../lib/routing/cases.ts'
import type { Labels } from '../../../lib/routing/matcher.ts'
import { sentAs } from '../../../lib/routing/replay.ts'
import { counted } from '../../../lib/wording.ts'
import type { RoutesFlags } from './flags.ts'
import { type Asked, alertsOf, inGroup, keyOf, prometheusOn, routingOf, wantedPath } from './fleet.ts'

/** Lists alerts, rules and targets that no team owns. Exit code 0: they go to the default team. Throws HostError where a host cannot be asked. */
export const coverage = async (
  { inventory, hosts, reach }: Asked,
  { days, json }: Pick<RoutesFlags, 'days' | 'json'>,
): Promise<number> => {
  const { label, teams } = routingOf(inventory)
  const names = new Set(teams.map(({ name }) => name))
  const found = await Promise.all(
    inGroup(hosts, 'prometheus').map(async (host) => {
      const path = wantedPath(inventory, host)
      const unowned = (labels: Labels): boolean => !names.has(sentAs(labels, path)?.[label] ?? '')
      const [{ firing, past }, targets, groups] = await Promise.all([
        alertsOf(reach, host, days),
        targetsOf(reach, prometheusOn(host)),
        ruleGroupsOf(reach, prometheusOn(host)),
      ])
      return {
        alerts: [...firing, ...past].filter(unowned).map((alert) => sentAs(alert, path) ?? alert),
        targets: targets.map(({ labels }) => labels),
        unownedTargets: targets.map(({ labels }) => labels).filter(unowned),
        rules: groups
          .flatMap(({ rules }) => rules.filter(({ type }) => type === 'alerting'))
          .filter(({ labels }) => unowned(labels ?? {})),
      }
    }),
  )
  const alerts = [...new Map(found.flatMap((one) => one.alerts).map((one) => [keyOf(one), one])).values()]
  const places = Map.groupBy(
    new Map(found.flatMap((one) => one.unownedTargets).map((one) => [keyOf(one), one])).values(),
    placeOf,
  )
  const namespaces = [...places].map(([place, targets]) => ({ place, targets: targets.length }))
  // Most rules take their labels from the series they look at: those are seen in alerts and targets.
  const rules = [...new Set(found.flatMap((one) => one.rules).map(({ name }) => name))].sort()
  const total = new Set(found.flatMap((one) => one.targets).map(keyOf)).size
  if (json) {
    const answer = { vestal: 'routes-coverage/1', alerts, namespaces, rulesWithoutOwnLabels: rules, targets: total }
    print(JSON.stringify(answer, null, 2))
    return 0
  }
  const lines = [
    ...alerts.map((alert) => `alert ${labelsText(alert)}`),
    ...namespaces.map(({ place, targets }) => `${place}: ${counted(targets, 'target')}`),
    `${counted(alerts.length, 'alert')} and ${namespaces.length} namespaces or jobs without an owner, of ${counted(total, 'target')}; ${rules.length} rules take their owner from their series`,
  ]
  print(lines.join('\n'))
  return 0
}

const placeOf = ({ namespace, job = '' }: Labels): string => (namespace ? `namespace ${namespace}` : `job ${job}`)
