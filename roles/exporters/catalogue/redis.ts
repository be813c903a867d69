import { exporter } from '../../../lib/program/exporter.ts'

/**
 * Source: https://github.com/oliver006/redis_exporter, README.md ("Command line flags") and main.go: flags are Go's own, each with an environment
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
  environment: {
    REDIS_ADDR: 'the address of Redis; default: redis://localhost:6379',
    REDIS_USER: 'the account, of Redis 6 and later',
    REDIS_PASSWORD: 'its password',
  },
  secretFlags: { 'redis.password': 'write REDIS_PASSWORD in `environment`' },
  up: 'redis_up',
  probe: { path: '/scrape' },
  alerts: new URL('../files/redis.yml', import.meta.url),
})
