import type { FlagVersions } from '../../lib/program/flag-versions.ts'

export const FLAGS: FlagVersions = {
  'cluster.label': { since: '0.26.0' },
  'cluster.peer-name': { since: '0.30.0' },
  'dispatch.start-delay': { since: '0.30.0' },
  'enable-feature': { since: '0.27.0' },
  'silences.max-silence-size-bytes': { since: '0.28.0' },
  'silences.max-silences': { since: '0.28.0' },
}
