import { exporter } from '../../../lib/program/exporter.ts'

/**
 * Source: https://github.com/oliver006/redis_exporter, README.md ("Command line flags") and main.go at each tag from v1.63.0 to v1.88.0: flags are Go's own, each with an environment
 * variable; TLS of its listener has flags of its own, and no web configuration. Its Makefile and package-github-binaries.sh name the tarball.
 */
export const redis = exporter({
  name: 'redis',
  summary: 'Metrics of Redis and Valkey',
  release: {
    owner: 'oliver006',
    repo: 'redis_exporter',
    name: 'redis_exporter',
    binaries: ['redis_exporter'],
    tarball: '{name}-v{version}.{os}-{arch}.tar.gz',
  },
  package: { name: 'prometheus-redis-exporter', binary: '/usr/bin/prometheus-redis-exporter' },
  port: 9121,
  goFlags: true,
  webConfigFlag: null,
  flagVersions: {
    'append-instance-role-label': { since: '1.82.0' },
    'basic-auth-password': { since: '1.67.0' },
    'basic-auth-username': { since: '1.67.0' },
    'check-search-indexes': { since: '1.79.0' },
    'include-go-runtime-metrics': { since: '1.77.0' },
    'include-metrics-for-empty-databases': { since: '1.71.0' },
    'include-modules-metrics': { since: '1.64.0' },
    'include-search-indexes-metrics': { since: '1.79.0' },
    'log-level': { since: '1.75.0' },
    'skip-checkkeys-for-role-master': { since: '1.71.0' },
    'tls-server-name': { since: '1.87.0' },
  },
  environment: {
    REDIS_ADDR: 'the address of Redis; default: redis://localhost:6379',
    REDIS_USER: 'the account, of Redis 6 and later',
    REDIS_PASSWORD: 'its password',
  },
  secretFlags: {
    'basic-auth-password': 'write REDIS_EXPORTER_BASIC_AUTH_PASSWORD in `environment`',
    'redis.password': 'write REDIS_PASSWORD in `environment`',
  },
  up: 'redis_up',
  probe: { path: '/scrape' },
  alerts: new URL('../files/redis.yml', import.meta.url),
})
