import { exporter } from '../../../lib/program/exporter.ts'

/**
 * Source: https://github.com/prometheus/memcached_exporter, cmd/memcached_exporter/main.go (flags, port), at each tag to v0.16.0.
 */
export const memcached = exporter({
  name: 'memcached',
  summary: 'Metrics of memcached',
  release: {
    owner: 'prometheus',
    repo: 'memcached_exporter',
    name: 'memcached_exporter',
    binaries: ['memcached_exporter'],
  },
  port: 9150,
  flagVersions: {
    'memcached.tls.ca-file': { since: '0.11.0' },
    'memcached.tls.cert-file': { since: '0.11.0' },
    'memcached.tls.enable': { since: '0.11.0' },
    'memcached.tls.insecure-skip-verify': { since: '0.11.0' },
    'memcached.tls.key-file': { since: '0.11.0' },
    'memcached.tls.server-name': { since: '0.11.0' },
    'web.config.file': { since: '0.9.0' },
    'web.scrape-path': { since: '0.13.0' },
  },
  up: 'memcached_up',
  probe: { path: '/scrape' },
  alerts: new URL('../files/memcached.yml', import.meta.url),
})
