import { exporter } from '../../../lib/program/exporter.ts'

/**
 * Source: https://github.com/Lusitaniae/apache_exporter, apache_exporter.go (flags, port), at each tag to v1.1.1: 1.0.0 renamed the flags of its listener.
 */
export const apache = exporter({
  name: 'apache',
  summary: 'Metrics of Apache, from mod_status',
  release: {
    owner: 'Lusitaniae',
    repo: 'apache_exporter',
    name: 'apache_exporter',
    binaries: ['apache_exporter'],
  },
  package: { name: 'prometheus-apache-exporter', binary: '/usr/bin/prometheus-apache-exporter' },
  port: 9117,
  listenFlag: ['web.listen-address', 'telemetry.address'],
  webConfigFlag: ['web.config.file', 'web.config'],
  flagVersions: {
    custom_headers: { since: '1.0.0' },
    'telemetry.address': { until: '1.0.0' },
    'web.config': { since: '0.11.0', until: '1.0.0' },
    'web.config.file': { since: '1.0.0' },
    'web.listen-address': { since: '1.0.0' },
  },
  up: 'apache_up',
  alerts: new URL('../files/apache.yml', import.meta.url),
})
