#!/usr/bin/env zx
import { type AddNodeFlags, addNodeOptions } from '../cli/node-options.ts'
import { runAsScript } from '../cli/script.ts'
import type { Select } from '../lib/model.ts'
import { inGroup, not, playbook } from '../lib/playbook.ts'
import { joiningAlertmanager, nobodyIsMissed } from '../roles/alertmanager/join.ts'
import { othersServe } from '../roles/alertmanager/peers.ts'
import { alertmanager } from '../roles/alertmanager/role.ts'
import { base } from '../roles/base/role.ts'
import { nodeExporter } from '../roles/node-exporter/role.ts'
import { shardOf, twinsScrape } from '../roles/prometheus/replicas.ts'
import { prometheus } from '../roles/prometheus/role.ts'
import { rules } from '../roles/rules/role.ts'

/**
 * New machines become part of a fleet, in the order in which no Prometheus ever sends to an Alertmanager that isn't a member of the
 * cluster, and no target is scraped before it can answer.
 */
export const addNode = (names: readonly string[], name = 'add-node') => {
  const isNew: Select = (host) => names.includes(host.name)
  const both =
    (one: Select, other: Select): Select =>
    (host) =>
      one(host) && other(host)
  const replicas = { roles: [base, nodeExporter, rules, prometheus], batch: '25%', apart: shardOf } as const
  return playbook({
    name,
    summary: 'Makes new machines part of the fleet: they join, then the others learn of them.',
    onFailure: 'stop',
    plays: [
      { name: 'What every machine has, on the new one', hosts: isNew, roles: [base, nodeExporter] },
      {
        name: 'The new Alertmanager joins the cluster',
        hosts: both(isNew, inGroup('alertmanager')),
        roles: [joiningAlertmanager],
      },
      {
        name: 'Alertmanagers learn of it, one at a time',
        hosts: both(not(isNew), inGroup('alertmanager')),
        roles: [base, nodeExporter, alertmanager],
        batch: 1,
        before: (scope) => othersServe({ ...scope, hosts: scope.inventory.hosts.filter(inGroup('alertmanager')) }),
      },
      {
        name: 'No member is missed',
        hosts: inGroup('alertmanager'),
        roles: [],
        after: nobodyIsMissed,
      },
      { ...replicas, name: 'The new Prometheus starts', hosts: both(isNew, inGroup('prometheus')) },
      {
        ...replicas,
        name: 'Every Prometheus learns of it',
        hosts: both(not(isNew), inGroup('prometheus')),
        before: twinsScrape,
      },
      {
        name: 'The new Alertmanager holds what the others hold',
        hosts: both(isNew, inGroup('alertmanager')),
        roles: [alertmanager],
      },
      {
        name: 'Other machines',
        hosts: both(not(isNew), not(inGroup('alertmanager', 'prometheus'))),
        roles: [base, nodeExporter],
      },
    ],
  })
}

await runAsScript(import.meta, addNode([]), {
  positionals: '<name>',
  options: addNodeOptions,
  run: async (flags: AddNodeFlags) => (await import('../cli/commands/add-node.ts')).addNodeCommand(addNode, flags),
})
