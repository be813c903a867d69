#!/usr/bin/env zx
import { runAsScript } from '../cli/script.ts'
import { inGroup, not, playbook } from '../lib/playbook.ts'
import { othersServe } from '../roles/alertmanager/peers.ts'
import { alertmanager } from '../roles/alertmanager/role.ts'
import { base } from '../roles/base/role.ts'
import { nodeExporter } from '../roles/node-exporter/role.ts'
import { shardOf, twinsScrape } from '../roles/prometheus/replicas.ts'
import { prometheus } from '../roles/prometheus/role.ts'
import { rules } from '../roles/rules/role.ts'

const deploy = playbook({
  name: 'deploy',
  summary: 'Brings every machine to what the inventory says; nothing takes down the last one that serves.',
  plays: [
    {
      name: 'Alertmanagers, one at a time',
      hosts: inGroup('alertmanager'),
      roles: [base, nodeExporter, alertmanager],
      batch: 1,
      before: othersServe,
    },
    {
      name: 'Prometheus, never two replicas of a shard',
      hosts: inGroup('prometheus'),
      roles: [base, nodeExporter, rules, prometheus],
      batch: '25%',
      apart: shardOf,
      before: twinsScrape,
    },
    {
      name: 'Other machines',
      hosts: not(inGroup('alertmanager', 'prometheus')),
      roles: [base, nodeExporter],
    },
  ],
})
export default deploy

await runAsScript(import.meta, deploy)
