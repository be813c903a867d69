import { exporter } from '../../../lib/program/exporter.ts'

/**
 * Source: https://github.com/prometheus/mysqld_exporter, mysqld_exporter.go (flags and port) and probe.go, at each tag to v0.20.0; CHANGELOG.md, 0.15.0: DATA_SOURCE_NAME
 * is gone, and the password comes from MYSQLD_EXPORTER_PASSWORD.
 */
export const mysqld = exporter({
  name: 'mysqld',
  summary: 'Metrics of MySQL and MariaDB',
  release: {
    owner: 'prometheus',
    repo: 'mysqld_exporter',
    name: 'mysqld_exporter',
    binaries: ['mysqld_exporter'],
  },
  package: { name: 'prometheus-mysqld-exporter', binary: '/usr/bin/prometheus-mysqld-exporter' },
  port: 9104,
  flagVersions: {
    'mysqld.address': { since: '0.15.0' },
    'mysqld.username': { since: '0.15.0' },
    'web.config.file': { since: '0.13.0' },
  },
  environment: {
    MYSQLD_EXPORTER_PASSWORD: 'the password of the account in --mysqld.username, from 0.15.0 on',
    DATA_SOURCE_NAME: 'before 0.15.0: user:password@(host:3306)/',
  },
  up: 'mysql_up',
  probe: { path: '/probe', module: 'auth_module' },
  alerts: new URL('../files/mysqld.yml', import.meta.url),
})
