import type { KnownIssue } from '../../lib/model.ts'
import { crosses, features, inRange, inRules, withKey } from '../../lib/program/known-issue.ts'
import { unreadable } from './data.ts'
import type { RunningMember } from './running-member.ts'
import { MUCH_STATE_BYTES, refusesLargeStates, stateText } from './state-size.ts'

/** What it reads otherwise, each with where it is written. */
const own: readonly KnownIssue[] = [
  {
    level: 'blocks',
    source: 'alertmanager CHANGELOG, 0.26; memberlist `label.go`',
    concerns: () => true,
    find: ({ flags, observed }) => {
      const runningLabel = (observed as RunningMember).label
      const label = flags.get('cluster.label')?.[0] ?? ''
      return runningLabel === undefined || label === runningLabel
        ? []
        : [{ where: '--cluster.label', what: `would change from ${quoted(runningLabel)} to ${quoted(label)}` }]
    },
    why: 'Members gossip only with those of the same label: during the roll the cluster would be two, and every alert would be notified twice. 0.25 does not know the flag, so it counts as none.',
    fix: 'Leave alertmanager.cluster.label as the running members have it; a label can only be changed on all members at once.',
  },
  {
    level: 'blocks',
    source: 'alertmanager#5330',
    concerns: (from, to) => unreadable({ wrote: to, reader: from }) !== null,
    find: ({ host, to }) => [{ where: host, what: `would run ${to}` }],
    why: 'Silences that this version writes cannot be read by any older one: there is no way back that keeps them.',
    fix: 'Choose 0.32.3, 0.33.1 or later.',
  },
  {
    level: 'blocks',
    source: 'alertmanager#5330',
    concerns: (from, to) => unreadable({ wrote: from, reader: to }) !== null,
    find: ({ host, from, to }) => [{ where: host, what: `would go back from ${from} to ${to}` }],
    why: 'The older version cannot read the silences that the running one has written, and would start without them.',
    fix: 'Go to 0.32.3 or 0.33.1 first, which write what older ones read.',
  },
  {
    level: 'notes',
    source: 'alertmanager CHANGELOG, 0.27',
    concerns: crosses('0.27.0'),
    find: () => [{ where: 'every Alertmanager', what: 'leaves API v1 behind' }],
    why: '/api/v1 answers 410 from 0.27 on, and matchers are read by a parser that knows UTF-8, with the older one to fall back on.',
    fix: 'See that no script of yours uses /api/v1; the config is checked with the new amtool before the first restart.',
  },
  {
    level: 'blocks',
    source: 'alertmanager CHANGELOG, 0.33',
    concerns: crosses('0.33.0'),
    find: (step) =>
      features(step).includes('auto-gomaxprocs')
        ? [{ where: '--enable-feature', what: 'asks for the feature auto-gomaxprocs' }]
        : [],
    why: 'The feature is gone in 0.33, which does not start with it.',
    fix: 'Take it out of alertmanager.extra_flags.',
  },
  {
    level: 'warns',
    source: 'alertmanager#5640',
    concerns: (_, to) => refusesLargeStates(to),
    find: ({ host, to, observed }) => {
      const { stateBytes = 0 } = observed as RunningMember
      return stateBytes > MUCH_STATE_BYTES
        ? [{ where: host, what: `would run ${to} with a state of ${stateText(stateBytes)}` }]
        : []
    },
    why: 'A member of 0.34 refuses a peer’s whole state above 20 MiB: silences and the notification log stop syncing, and everything is notified twice.',
    fix: 'Choose 0.35.0 or later; or let old silences expire, and keep less: alertmanager.retention.',
  },
  {
    level: 'warns',
    source: 'alertmanager CHANGELOG, 0.34.1 and 0.34.2',
    concerns: (_, to) => inRange('0.34.1', '0.35.0')(to),
    find: ({ config, to }) =>
      withKey(config, 'inhibit_rules')
        .filter(({ value }) => Array.isArray(value) && value.length > 0)
        .map(({ way }) => ({ where: way, what: `would be applied by ${to}` })),
    why: 'These versions can notify of an alert that an inhibition rule mutes.',
    fix: 'Choose 0.35.0 or later.',
  },
  {
    level: 'notes',
    source: 'alertmanager CHANGELOG, 0.34.2',
    concerns: crosses('0.34.2'),
    find: ({ flags }) =>
      flags.has('web.cors.origin')
        ? []
        : [{ where: 'every Alertmanager', what: 'lets no page of another site ask it' }],
    why: 'CORS is off from 0.34.2 on: dashboards that ask Alertmanager from the browser get no answer.',
    fix: 'Where you have one, set web.cors.origin in alertmanager.extra_flags to its address.',
  },
  {
    level: 'blocks',
    source: 'alertmanager CHANGELOG, 0.35',
    concerns: crosses('0.35.0'),
    find: (step) =>
      features(step).includes('auto-gomemlimit')
        ? [{ where: '--enable-feature', what: 'asks for the feature auto-gomemlimit' }]
        : [],
    why: 'The feature is gone in 0.35, which does not start with it: it is a flag of its own.',
    fix: 'Write auto-gomemlimit: true in alertmanager.extra_flags in its place.',
  },
]

/** What rules, which are Prometheus's, say about Alertmanager's own metrics. */
const inRulesOfOthers: readonly KnownIssue[] = [
  {
    level: 'warns',
    everywhere: true,
    source: 'alertmanager CHANGELOG, 0.33',
    concerns: crosses('0.33.0'),
    find: inRules(/\balertmanager_marked_alerts\b/, (found) => `uses ${found}`),
    why: 'The metric is gone in 0.33: the rule would see nothing, and no error says so.',
    fix: 'Use alertmanager_alerts.',
  },
  {
    level: 'warns',
    everywhere: true,
    source: 'alertmanager CHANGELOG, 0.34',
    concerns: crosses('0.34.0'),
    find: inRules(/reason\s*=~?\s*"[^"]*clientError/, (found) => `selects ${found}"`),
    why: 'From 0.34 on the reason clientError is split into authError, rateLimited and others.',
    fix: 'Select the new reasons as well.',
  },
]

/** What an upgrade of Alertmanager can break. */
export const issues: readonly KnownIssue[] = [...own, ...inRulesOfOthers]

const quoted = (label: string): string => (label === '' ? 'none' : JSON.stringify(label))
