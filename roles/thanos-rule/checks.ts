import type { RoleCheck } from '../../lib/model.ts'
import { alertmanagersOf } from './alerting.ts'
import { withoutSidecar } from './tree.ts'
import { ruleOn } from './vars.ts'

/** What can be wrong with rulers that none of them shows by itself. */
export const checks: readonly RoleCheck[] = [
  {
    id: 'shard-without-sidecar',
    severity: 'error',
    why: 'Rules over all shards do not see its data; where no replica of a shard has a sidecar, none of them is evaluated.',
    fix: 'Let the group thanos_sidecar have the group prometheus as its child.',
    find: ({ inventory, hosts }) => {
      const without = withoutSidecar(inventory)
      return hosts.length > 0 && without.length > 0
        ? [{ hosts: without.map(({ name }) => name), what: 'has no sidecar' }]
        : []
    },
  },
  {
    id: 'ruler-sends-to-some',
    severity: 'error',
    why: 'Alerts are not gossiped: an Alertmanager that a ruler does not send to never hears of them, and is no help when the others are gone.',
    fix: 'Let thanos_rule.alertmanager_group name all Alertmanagers.',
    find: ({ inventory, hosts }) => {
      const group = (name: string) => inventory.hosts.filter(({ groups }) => groups.includes(name))
      const all = group('alertmanager')
      return hosts.flatMap((host) => {
        const sent = alertmanagersOf({ vars: ruleOn(host), group }).map((one) => one.host)
        const missing = all.filter((one) => !sent.includes(one))
        return missing.length > 0
          ? [{ hosts: [host.name], what: `does not send alerts to ${missing.map(({ name }) => name).join(', ')}` }]
          : []
      })
    },
  },
]
