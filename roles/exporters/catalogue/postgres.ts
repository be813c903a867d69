import { exporter } from '../../../lib/program/exporter.ts'

/**
 * Source: https://github.com/prometheus-community/postgres_exporter, README.md (environment variables, /probe with `auth_module`) and
 * cmd/postgres_exporter/main.go: flags and port, at each tag from v0.4.4 to v0.20.1.
 */
export const postgres = exporter({
  name: 'postgres',
  summary: 'Metrics of PostgreSQL',
  release: {
    owner: 'prometheus-community',
    repo: 'postgres_exporter',
    name: 'postgres_exporter',
    binaries: ['postgres_exporter'],
  },
  package: { name: 'prometheus-postgres-exporter', binary: '/usr/bin/prometheus-postgres-exporter' },
  port: 9187,
  config: { flag: 'config.file' },
  flagVersions: {
    'collection-timeout': { since: '0.19.0' },
    'config.file': { since: '0.12.0' },
    'disable-settings-metrics': { until: '0.20.0' },
    'include-databases': { since: '0.10.0' },
    'metric-prefix': { since: '0.9.0' },
    'web.config.file': { since: '0.10.0' },
  },
  environment: {
    DATA_SOURCE_NAME:
      'what it connects to, with the password: postgresql://user:password@host:5432/postgres?sslmode=disable',
    DATA_SOURCE_URI: 'the same without the account: host:5432/postgres?sslmode=disable',
    DATA_SOURCE_USER: 'the account',
    DATA_SOURCE_PASS: 'its password',
  },
  up: 'pg_up',
  probe: { path: '/probe', module: 'auth_module' },
  alerts: new URL('../files/postgres.yml', import.meta.url),
})
