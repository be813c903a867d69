import { exporter } from '../../../lib/program/exporter.ts'

/**
 * Source: https://github.com/percona/mongodb_exporter, main.go (flags, environment, port), at each tag from v0.32.0 to v0.53.0; .goreleaser.yml. Debian's package of that name is another
 * program.
 */
export const mongodb = exporter({
  name: 'mongodb',
  summary: 'Metrics of MongoDB',
  release: {
    owner: 'percona',
    repo: 'mongodb_exporter',
    name: 'mongodb_exporter',
    binaries: ['mongodb_exporter'],
    sums: '{name}_{version}_checksums.txt',
  },
  port: 9216,
  webConfigFlag: 'web.config',
  flagVersions: {
    'collector.collstats-enable-details': { since: '0.44.0' },
    'collector.currentopmetrics': { since: '0.40.0' },
    'collector.dbstatsfreestorage': { since: '0.40.0' },
    'collector.exporter-metrics': { since: '0.41.0' },
    'collector.fcv': { since: '0.41.0' },
    'collector.pbm': { since: '0.41.0' },
    'collector.profile': { since: '0.40.0' },
    'collector.replicasetconfig': { since: '0.43.0' },
    'collector.shards': { since: '0.41.0' },
    'mongodb.connect-timeout-ms': { since: '0.40.0' },
    'mongodb.user': { since: '0.40.0' },
    'split-cluster': { since: '0.42.0' },
    'web.timeout-offset': { since: '0.40.0' },
  },
  environment: {
    MONGODB_URI: 'what it connects to: mongodb://127.0.0.1:27017/admin',
    MONGODB_USER: 'the account, from 0.40.0 on',
    MONGODB_PASSWORD: 'its password, from 0.40.0 on',
  },
  secretFlags: { 'mongodb.password': 'write MONGODB_PASSWORD in `environment`' },
  up: 'mongodb_up',
  alerts: new URL('../files/mongodb.yml', import.meta.url),
})
