import { exporter } from '../../../lib/program/exporter.ts'

/**
 * Source: https://github.com/prometheus/snmp_exporter, main.go (flags, port, /snmp with `module` and `auth`; SIGHUP reads the configuration again), at each tag to
 * v0.30.1. What snmp.yml is made of stands in generator/.
 */
export const snmp = exporter({
  name: 'snmp',
  summary: 'Metrics of devices that speak SNMP',
  release: {
    owner: 'prometheus',
    repo: 'snmp_exporter',
    name: 'snmp_exporter',
    binaries: ['snmp_exporter'],
  },
  package: { name: 'prometheus-snmp-exporter', binary: '/usr/bin/prometheus-snmp-exporter' },
  port: 9116,
  config: { flag: 'config.file', needed: true, check: ['dry-run'], reloads: true },
  flagVersions: {
    'config.expand-environment-variables': { since: '0.26.0' },
    'dry-run': { since: '0.14.0' },
    'snmp.debug-packets': { since: '0.26.0' },
    'snmp.module-concurrency': { since: '0.24.0' },
    'snmp.source-address': { since: '0.21.0' },
    'web.config.file': { since: '0.20.0' },
  },
  probe: { path: '/snmp', module: 'module', moduleNeeded: true },
})
