#!/usr/bin/env zx
import { type RemoveNodeFlags, removeNodeOptions } from '../cli/node-options.ts'
import { runAsScript } from '../cli/script.ts'
import { type Leaving, leaving, nothingIsLost } from '../fleet/decommission.ts'
import type { Select } from '../lib/model.ts'
import { inGroup, not, playbook } from '../lib/playbook.ts'
import { nobodyIsMissed } from '../roles/alertmanager/join.ts'
import { othersServe } from '../roles/alertmanager/peers.ts'
import { alertmanager } from '../roles/alertmanager/role.ts'
import { base } from '../roles/base/role.ts'
import { nodeExporter } from '../roles/node-exporter/role.ts'
import { shardOf, twinsScrape } from '../roles/prometheus/replicas.ts'
import { prometheus } from '../roles/prometheus/role.ts'
import { rules } from '../roles/rules/role.ts'

/**
 * A machine leaves a fleet that no longer has it in its inventory: everyone looks away from it, then its services stop, then the
 * Alertmanagers forget it. An Alertmanager that gets no alerts any more would soon call them resolved: it stops well before that.
 */
export const removeNode = ({ host: gone, roles: names }: Leaving) => {
  const stays: Select = (host) => host !== gone
  const staying =
    (select: Select): Select =>
    (host) =>
      stays(host) && select(host)
  return playbook({
    name: 'remove-node',
    summary: 'Takes a machine out of the fleet: nobody sends to it or asks it, then it stops, then it is forgotten.',
    onFailure: 'stop',
    plays: [
      {
        name: 'Every Prometheus looks away from it',
        hosts: staying(inGroup('prometheus')),
        roles: [base, nodeExporter, rules, prometheus],
        batch: '25%',
        apart: shardOf,
        before: twinsScrape,
      },
      {
        name: 'Its services stop',
        hosts: not(stays),
        roles: names.map(leaving),
        batch: 1,
        before: nothingIsLost(names),
      },
      {
        name: 'Alertmanagers forget it, one at a time',
        hosts: staying(inGroup('alertmanager')),
        roles: [base, nodeExporter, alertmanager],
        batch: 1,
        before: othersServe,
      },
      { name: 'No member is missed', hosts: staying(inGroup('alertmanager')), roles: [], after: nobodyIsMissed },
      {
        name: 'Other machines',
        hosts: staying(not(inGroup('alertmanager', 'prometheus'))),
        roles: [base, nodeExporter],
      },
    ],
  })
}

await runAsScript(import.meta, removeNode({ roles: [] }), {
  positionals: '<name>',
  options: removeNodeOptions,
  run: async (flags: RemoveNodeFlags) =>
    (await import('../cli/commands/remove-node.ts')).removeNodeCommand(removeNode, flags),
})
