#!/usr/bin/env zx
import { runAsScript } from '../../cli/script.ts'
import { inGroup, playbook } from '../../lib/playbook.ts'
import deploy from '../../playbooks/deploy.ts'
import { spoolExporter } from './role.ts'

const fleet = playbook({
  name: 'fleet',
  summary: 'What deploy does, and an exporter of our own.',
  plays: [
    ...deploy.plays,
    { name: 'Spools, half of them at a time', hosts: inGroup('spool'), roles: [spoolExporter], batch: '50%' },
  ],
})
export default fleet

await runAsScript(import.meta, fleet)
