import { exporter } from '../../../lib/program/exporter.ts'

/**
 * Source: https://github.com/prometheus-community/bind_exporter, bind_exporter.go (flags, port), at each tag to v0.8.0; README.md: BIND needs
 * `statistics-channels { inet 127.0.0.1 port 8053 allow { 127.0.0.1; }; };`.
 */
export const bind = exporter({
  name: 'bind',
  summary: 'Metrics of BIND, from its statistics channel',
  release: {
    owner: 'prometheus-community',
    repo: 'bind_exporter',
    name: 'bind_exporter',
    binaries: ['bind_exporter'],
  },
  package: { name: 'prometheus-bind-exporter', binary: '/usr/bin/prometheus-bind-exporter' },
  port: 9119,
  flagVersions: {
    'web.config.file': { since: '0.4.0' },
  },
  up: 'bind_up',
  alerts: new URL('../files/bind.yml', import.meta.url),
})
