import compare from 'semver/functions/compare.js'
import type { KnownIssue } from '../../lib/model.ts'

interface Config {
  readonly alertmanager?: { readonly sharding_ring?: { readonly disable_replica_set_extension?: boolean } }
}

/** What an upgrade of Cortex's Alertmanager can break. */
export const issues: readonly KnownIssue[] = [
  {
    level: 'warns',
    source: 'cortex CHANGELOG, 1.21.0 (cortex#7372)',
    concerns: (_, to) => compare(to, '1.21.0') < 0,
    find: ({ host, to }) => [{ where: host, what: `would run ${to}` }],
    why: 'Before 1.21.0 an instance that cannot read the ring drops the configurations and the state of its tenants.',
    fix: 'Choose 1.21.1 or later.',
  },
  {
    level: 'warns',
    source: 'cortex#7200',
    concerns: () => true,
    find: ({ host, config }) =>
      (config as Config | null)?.alertmanager?.sharding_ring?.disable_replica_set_extension === false
        ? [{ where: host, what: 'has the extension of replica sets on' }]
        : [],
    why: 'A configuration that ends the process goes on to the next instance, and so through the whole ring.',
    fix: 'Leave cortex_alertmanager.replica_set_extension off.',
  },
  {
    level: 'blocks',
    source: 'cortex#7751',
    concerns: (_, to) => to.startsWith('1.22.'),
    find: ({ host, to }) => [{ where: host, what: `would run ${to}` }],
    why: 'The tree after 1.21.1 panics on a configuration with a webhook receiver until cortex#7751 is in it.',
    fix: 'See that the release has cortex#7751; until then stay on 1.21.1.',
  },
]
