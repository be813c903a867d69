import compare from 'semver/functions/compare.js'
import type { KnownIssue } from '../../lib/model.ts'

/** What is known of versions of Thanos, for the roles that find endpoints by a file. */
export const queryIssues: readonly KnownIssue[] = [
  {
    level: 'blocks',
    source: 'thanos CHANGELOG, 0.38.0 (thanos#7890)',
    concerns: (_, to) => compare(to, '0.38.0') < 0,
    find: ({ host, to }) => [{ where: host, what: `would run Thanos ${to}` }],
    why: 'Before 0.38.0 it has no --endpoint.sd-config-file, by which it is told whom to ask.',
    fix: 'Choose 0.38.0 or later.',
  },
  {
    level: 'warns',
    source: 'thanos CHANGELOG, 0.39.2 (thanos#8374)',
    concerns: (_, to) => compare(to, '0.39.2') < 0,
    find: ({ host, to }) => [{ where: host, what: `would run Thanos ${to}` }],
    why: 'A query whose answer has warnings, as a partial one has, can end the process.',
    fix: 'Choose 0.39.2 or later.',
  },
]
