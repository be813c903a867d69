import { exporter } from '../../../lib/program/exporter.ts'

/**
 * Source: https://github.com/prometheus-community/pgbouncer_exporter, pgbouncer_exporter.go (flags, port, PGBOUNCER_EXPORTER_CONNECTION_STRING) and collector.go, at each tag to v0.12.1.
 */
export const pgbouncer = exporter({
  name: 'pgbouncer',
  summary: 'Pools and connections of PgBouncer',
  release: {
    owner: 'prometheus-community',
    repo: 'pgbouncer_exporter',
    name: 'pgbouncer_exporter',
    binaries: ['pgbouncer_exporter'],
  },
  package: { name: 'prometheus-pgbouncer-exporter', binary: '/usr/bin/prometheus-pgbouncer-exporter' },
  port: 9127,
  flagVersions: {
    'pgBouncer.pid-file': { since: '0.3.0' },
    'web.config.file': { since: '0.6.0' },
  },
  environment: {
    PGBOUNCER_EXPORTER_CONNECTION_STRING:
      'what it connects to: postgres://user:password@localhost:6432/pgbouncer?sslmode=disable',
  },
  secretFlags: { 'pgBouncer.connectionString': 'write PGBOUNCER_EXPORTER_CONNECTION_STRING in `environment`' },
  up: 'pgbouncer_up',
  alerts: new URL('../files/pgbouncer.yml', import.meta.url),
})
