#!/usr/bin/env zx
import { inGroup, playbook } from 'vestal/playbook'
import deploy from 'vestal/playbooks/deploy'
import { runAsScript } from 'vestal/script'
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
