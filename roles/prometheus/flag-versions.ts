import type { FlagVersions } from '../../lib/program/flag-versions.ts'

export const FLAGS: FlagVersions = {
  agent: { since: '3.0.0' },
  'alertmanager.drain-notification-queue-on-shutdown': { since: '2.54.0' },
  'alertmanager.timeout': { until: '3.0.0' },
  'auto-gomemlimit': { since: '3.0.0' },
  'rules.max-concurrent-evals': { since: '2.51.0' },
  'storage.tsdb.allow-overlapping-blocks': { until: '3.0.0' },
  'storage.tsdb.retention': { until: '3.0.0' },
  'storage.tsdb.wal-compression-type': { since: '2.46.0' },
}
