import type { KnownIssue, UpgradeStep } from '../../lib/model.ts'
import { crosses, features, inRules, withKey } from '../../lib/program/known-issue.ts'
import type { UntypedTarget } from './untyped-targets.ts'

const MIGRATION = 'prometheus docs/migration.md'
const to3 = crosses('3.0.0')
const base = { source: MIGRATION, concerns: to3 } as const

/** What an upgrade of Prometheus can break, each with where it is written. */
export const issues: readonly KnownIssue[] = [
  {
    ...base,
    level: 'blocks',
    find: inRules(/\bholt_winters\s*\(/, () => 'uses holt_winters()'),
    why: 'Prometheus 3 does not know the function, so the rule file is refused.',
    fix: 'Use double_exponential_smoothing() behind --enable-feature=promql-experimental-functions after the roll; take the rule out for it.',
  },
  {
    ...base,
    level: 'warns',
    find: inRules(/\b(?:le|quantile)\s*=\s*"\d+"/, (found) => `selects ${found}`),
    why: 'Prometheus 3 stores whole numbers of le and quantile as "1.0": the selector finds nothing any more, and no error says so.',
    fix: 'Select both, as le=~"1|1.0", until the roll is over.',
  },
  {
    ...base,
    level: 'notes',
    find: inRules(/[=!]~\s*"(?:[^"\\]|\\.)*?(?<!\\)\.(?:[^"\\]|\\.)*"/, (found) => `matches ${found}`),
    why: 'In Prometheus 3 a dot in a regular expression also matches a line end; only values with line ends match otherwise than before.',
    fix: 'Write [^\\n] where that matters.',
  },
  {
    ...base,
    level: 'notes',
    find: inRules(/\[[^\]]+:[^\]]*\]/, (found) => `has the subquery ${found}`),
    why: 'Ranges are open on the left in Prometheus 3: a subquery whose range is a whole number of steps has one point less.',
    fix: 'Widen the range by a step where the number of points matters.',
  },
  {
    ...base,
    level: 'blocks',
    find: configKeys('scrape_classic_histograms'),
    why: 'Prometheus 3 refuses a config with it: the setting is called always_scrape_classic_histograms there.',
    fix: 'Leave it out for the roll, or keep to 2.x.',
  },
  {
    ...base,
    level: 'blocks',
    find: ({ config }) =>
      withKey(config, 'api_version')
        .filter(({ value, way }) => value === 'v1' && way.startsWith('alerting'))
        .map(({ way }) => ({ where: way, what: 'talks to Alertmanager over API v1' })),
    why: 'Prometheus 3 refuses a config with it.',
    fix: 'Use api_version: v2; every Alertmanager since 0.16 has it.',
  },
  {
    ...base,
    level: 'blocks',
    find: (step) =>
      features(step)
        .filter((name) => name === 'agent' || name === 'remote-write-receiver')
        .map((name) => ({ where: '--enable-feature', what: `asks for the feature ${name}` })),
    why: 'The feature flag is gone in Prometheus 3 and would be passed over: what it did would stop.',
    fix: 'Use --agent, or --web.enable-remote-write-receiver.',
  },
  {
    ...base,
    level: 'notes',
    find: (step) =>
      features(step)
        .filter((name) => BY_DEFAULT.includes(name))
        .map((name) => ({ where: '--enable-feature', what: `asks for the feature ${name}` })),
    why: 'It is always on in Prometheus 3, which warns of the flag.',
    fix: 'Leave it out after the roll.',
  },
  {
    ...base,
    level: 'notes',
    find: ({ config }) =>
      withKey(config, 'remote_write').length > 0 ? [{ where: 'remote_write', what: 'sends samples elsewhere' }] : [],
    why: 'HTTP/2 is off for remote_write in Prometheus 3 unless http_config asks for it.',
    fix: 'Set enable_http2: true where the other side needs it.',
  },
  {
    ...base,
    level: 'blocks',
    source: `${MIGRATION}; prometheus/prometheus#15485`,
    find: (step) =>
      untypedIn(step).map(({ job, url, contentType }) => ({
        where: `job ${job}`,
        what: `${url} answers with ${contentType ? `Content-Type ${JSON.stringify(contentType)}` : 'no Content-Type'}`,
      })),
    why: 'Prometheus 3 fails a scrape whose content type is missing or unknown; Prometheus 2 took it for text.',
    fix: 'Set fallback_scrape_protocol: PrometheusText0.0.4 in the job: the roll writes it together with the new version. Or mend the target.',
  },
  {
    ...base,
    level: 'warns',
    concerns: crosses('3.9.0'),
    source: 'prometheus CHANGELOG, 3.9',
    find: (step) =>
      features(step).includes('native-histograms')
        ? [{ where: '--enable-feature', what: 'asks for the feature native-histograms' }]
        : [],
    why: 'The flag does nothing from 3.9 on: native histograms would no longer be scraped.',
    fix: 'Set scrape_native_histograms: true in the config (known since 3.8).',
  },
  {
    ...base,
    level: 'notes',
    concerns: crosses('3.13.0'),
    source: 'prometheus CHANGELOG, 3.13',
    find: ({ config }) =>
      [...withKey(config, 'basic_auth'), ...withKey(config, 'authorization')].slice(0, 1).map(({ way }) => ({
        where: way,
        what: 'sends credentials',
      })),
    why: 'Credentials no longer follow a redirect to another host.',
    fix: 'Name the host that answers.',
  },
  {
    ...base,
    level: 'notes',
    concerns: crosses('3.15.0'),
    source: 'prometheus CHANGELOG, 3.15',
    find: ({ flags }) =>
      (flags.get('log.level') ?? []).some((level) => level !== 'info')
        ? [{ where: '--log.level', what: `is ${flags.get('log.level')?.join()}` }]
        : [],
    why: 'The flag is deprecated from 3.15 on; it still works.',
    fix: 'Leave prometheus.log_level out once you need no other than info.',
  },
  {
    ...base,
    level: 'notes',
    concerns: crosses('3.15.0'),
    source: 'prometheus/prometheus#19444',
    find: ({ rules }) =>
      rules
        .filter(({ where }) => /\bPrometheusHAGroup\w*$/.test(where))
        .map(({ where }) => ({ where, what: 'is an alert of the project’s own mixin for pairs' })),
    why: 'Before the mixin of 3.15 these alerts could never fire.',
    fix: 'Generate the rules anew with the mixin of 3.15 or later.',
  },
  {
    ...base,
    level: 'warns',
    concerns: crosses('3.16.0'),
    source: 'prometheus CHANGELOG, 3.16',
    find: ({ flags }) =>
      flags.has('web.config.file') && !flags.has('web.external-url')
        ? [{ where: '--web.external-url', what: 'is not set, and the web port has a web configuration' }]
        : [],
    why: 'Where its web port speaks TLS, links in notifications begin with https from 3.16 on: receivers that compare them take an alert for another.',
    fix: 'Set prometheus.external_url to the address under which people reach it.',
  },
  {
    ...base,
    level: 'notes',
    concerns: crosses('3.16.0'),
    source: 'prometheus/prometheus#19882',
    find: ({ rules }) => (rules.length > 0 ? [{ where: 'every alert', what: 'with a short `for` is restored' }] : []),
    why: 'From 3.16 on an alert that fires goes on firing over a restart where its `for` is shorter than the grace period (10m) too.',
    fix: 'Nothing is to be done: fewer alerts end and begin again.',
  },
]

const BY_DEFAULT = [
  'promql-at-modifier',
  'promql-negative-offset',
  'new-service-discovery-manager',
  'expand-external-labels',
  'no-default-scrape-port',
  'auto-gomemlimit',
  'auto-gomaxprocs',
]

function configKeys(key: string) {
  return ({ config }: UpgradeStep): readonly { readonly where: string; readonly what: string }[] =>
    withKey(config, key).map(({ way }) => ({ where: way, what: `sets ${key}` }))
}

/** Those of jobs that say what a target without a type is to be read as are no trouble. */
const untypedIn = ({ config, observed }: UpgradeStep): readonly UntypedTarget[] => {
  const { untyped = [] } = observed as { untyped?: readonly UntypedTarget[] }
  const withFallback = new Set(
    withKey(config, 'scrape_configs')
      .flatMap(({ value }) => (Array.isArray(value) ? value : []))
      .filter((job) => job?.fallback_scrape_protocol !== undefined)
      .map((job) => String(job.job_name)),
  )
  return untyped.filter(({ job }) => !withFallback.has(job))
}
