import { exporter } from '../../../lib/program/exporter.ts'

/**
 * Source: https://github.com/prometheus/haproxy_exporter, haproxy_exporter.go (flags, port), at each tag to v0.15.0. From 2.0 on HAProxy shows metrics by itself, which
 * needs no exporter: a job of `prometheus.targets`.
 */
export const haproxy = exporter({
  name: 'haproxy',
  summary: 'Metrics of HAProxy, from its page or socket of statistics',
  release: {
    owner: 'prometheus',
    repo: 'haproxy_exporter',
    name: 'haproxy_exporter',
    binaries: ['haproxy_exporter'],
  },
  package: { name: 'prometheus-haproxy-exporter', binary: '/usr/bin/prometheus-haproxy-exporter' },
  port: 9101,
  flagVersions: {
    'haproxy.server-exclude-states': { since: '0.11.0' },
    'http.proxy-from-env': { since: '0.14.0' },
    'web.config.file': { since: '0.13.0' },
  },
  up: 'haproxy_up',
  alerts: new URL('../files/haproxy.yml', import.meta.url),
})
