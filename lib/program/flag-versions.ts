import compare from 'semver/functions/compare.js'

type Program = 'prometheus' | 'alertmanager' | 'node_exporter'
interface Life {
  /** The first version that has the flag; left out: older than any version that Vestal deploys. */
  readonly since?: string
  /** The first version that no longer has it. */
  readonly until?: string
}

/**
 * Flags that not every version has, from the projects' changelogs and their `main.go` at each tag; a test compares this table
 * with real binaries. A flag that isn't listed is taken as known: the unit's own check against the staged binary catches the rest.
 */
export const FLAGS: Readonly<Record<Program, Readonly<Record<string, Life>>>> = {
  prometheus: {
    agent: { since: '3.0.0' },
    'alertmanager.drain-notification-queue-on-shutdown': { since: '2.54.0' },
    'alertmanager.timeout': { until: '3.0.0' },
    'auto-gomemlimit': { since: '3.0.0' },
    'rules.max-concurrent-evals': { since: '2.51.0' },
    'storage.tsdb.allow-overlapping-blocks': { until: '3.0.0' },
    'storage.tsdb.retention': { until: '3.0.0' },
    'storage.tsdb.wal-compression-type': { since: '2.46.0' },
  },
  alertmanager: {
    'cluster.label': { since: '0.26.0' },
    'cluster.peer-name': { since: '0.30.0' },
    'dispatch.start-delay': { since: '0.30.0' },
    'enable-feature': { since: '0.27.0' },
    'silences.max-silence-size-bytes': { since: '0.28.0' },
    'silences.max-silences': { since: '0.28.0' },
  },
  node_exporter: {},
}

/** Whether this version of a program has the flag (its name without dashes). */
export const knowsFlag = (program: Program, version: string, flag: string): boolean => {
  const { since, until } = FLAGS[program][flag] ?? {}
  return (!since || compare(version, since) >= 0) && (!until || compare(version, until) < 0)
}
