import { exporter } from '../../../lib/program/exporter.ts'

/**
 * Source: https://github.com/prometheus-community/systemd_exporter, systemd_exporter.go and systemd/systemd.go: flags and port, at each tag from v0.0.1 to v0.7.0.
 */
export const systemd = exporter({
  name: 'systemd',
  summary: 'Metrics of systemd units',
  release: {
    owner: 'prometheus-community',
    repo: 'systemd_exporter',
    name: 'systemd_exporter',
    binaries: ['systemd_exporter'],
  },
  package: { name: 'prometheus-systemd-exporter', binary: '/usr/bin/prometheus-systemd-exporter' },
  port: 9558,
  flagVersions: {
    'collector.private': { until: '0.5.0' },
    'collector.unit-blacklist': { until: '0.5.0' },
    'collector.unit-whitelist': { until: '0.5.0' },
    'systemd.collector.enable-ip-accounting': { since: '0.5.0' },
    'systemd.collector.enable-resolved': { since: '0.7.0' },
    'systemd.collector.enable-restart-count': { since: '0.5.0' },
    'systemd.collector.private': { since: '0.5.0' },
    'systemd.collector.unit-exclude': { since: '0.5.0' },
    'systemd.collector.unit-include': { since: '0.5.0' },
    'systemd.collector.user': { since: '0.5.0' },
    'web.config.file': { since: '0.5.0' },
  },
  sandbox: {
    why: 'it asks systemd over the bus who it is, and reads what the kernel says of the processes of units',
    otherwise: { PrivateUsers: null, ProtectProc: null },
  },
  alerts: new URL('../files/systemd.yml', import.meta.url),
})
