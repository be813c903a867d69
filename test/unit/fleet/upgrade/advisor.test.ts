import { describe, expect, test } from 'vitest'
import { advise } from '../../../../fleet/upgrade/advisor.ts'
import type { UpgradeStep } from '../../../../lib/model.ts'
import { alertmanager as alertmanagerRole } from '../../../../roles/alertmanager/role.ts'
import { prometheus as prometheusRole } from '../../../../roles/prometheus/role.ts'

const prometheus = (more: Partial<UpgradeStep> = {}): UpgradeStep => ({
  host: 'prom-1',
  role: prometheusRole,
  from: '2.53.3',
  to: '3.5.3',
  config: {},
  rules: [],
  flags: new Map(),
  folder: '/data/tsdb',
  observed: {},
  ...more,
})
const alertmanager = (more: Partial<UpgradeStep> = {}): UpgradeStep => ({
  ...prometheus(),
  host: 'am-1',
  role: alertmanagerRole,
  from: '0.25.0',
  to: '0.28.1',
  observed: { label: '' },
  ...more,
})
const rule = (expr: string): Partial<UpgradeStep> => ({ rules: [{ where: 'own.yml: Mine', expr }] })
const said = (subjects: readonly UpgradeStep[], allowOneWay = true): readonly string[] =>
  advise(subjects, { allowOneWay }).map(({ level, where, what }) => `${level} ${where}: ${what}`)

const oneWay = 'notes prom-1: goes from Prometheus 2.53.3 to 3.5.3, which is one-way'

describe('a roll to Prometheus 3', () => {
  test.each<[string, Partial<UpgradeStep>, string]>([
    ['a rule with holt_winters', rule('holt_winters(up[5m], 0.1, 0.1)'), 'blocks own.yml: Mine: uses holt_winters()'],
    ['a whole number as le', rule('rate(x_bucket{le="1"}[5m])'), 'warns own.yml: Mine: selects le="1"'],
    ['a whole number as quantile', rule('x{quantile="1"}'), 'warns own.yml: Mine: selects quantile="1"'],
    ['a dot in a regular expression', rule('up{job=~"a.*"}'), 'notes own.yml: Mine: matches =~"a.*"'],
    ['a subquery', rule('max_over_time(up[5m:1m])'), 'notes own.yml: Mine: has the subquery [5m:1m]'],
    [
      'classic histograms by the old name',
      { config: { scrape_configs: [{ job_name: 'a', scrape_classic_histograms: true }] } },
      'blocks scrape_configs.0.scrape_classic_histograms: sets scrape_classic_histograms',
    ],
    [
      'Alertmanager API v1',
      { config: { alerting: { alertmanagers: [{ api_version: 'v1' }] } } },
      'blocks alerting.alertmanagers.0.api_version: talks to Alertmanager over API v1',
    ],
    [
      'the agent as a feature',
      { flags: new Map([['enable-feature', ['exemplar-storage,agent']]]) },
      'blocks --enable-feature: asks for the feature agent',
    ],
    [
      'a feature that is always on',
      { flags: new Map([['enable-feature', ['promql-at-modifier']]]) },
      'notes --enable-feature: asks for the feature promql-at-modifier',
    ],
    [
      'a target without content type',
      { observed: { untyped: [{ job: 'own', url: 'http://10.0.0.1:80/metrics', contentType: '' }] } },
      'blocks job own: http://10.0.0.1:80/metrics answers with no Content-Type',
    ],
    [
      'remote write',
      { config: { remote_write: [{ url: 'http://x' }] } },
      'notes remote_write: sends samples elsewhere',
    ],
  ])('is told of %s', (_, more, finding) => {
    expect(said([prometheus({ from: '2.55.1', ...more })])).toEqual([finding])
  })

  test('says nothing of what was true before', () => {
    expect(said([prometheus({ from: '3.1.0', ...rule('holt_winters(up{le="1"}[5m:1m])') })])).toEqual([])
    expect(said([prometheus({ to: '2.55.1', ...rule('x{le="1"}') })])).toEqual([])
  })

  test.each([['x{le="1.0"}'], ['x{le=~"1|1.0"}'], ['x{job=~"a|b"}'], ['x{path="a.b"}'], [String.raw`x{job=~"a\\.b"}`]])(
    'finds nothing in %s',
    (expr) => {
      expect(said([prometheus(rule(expr))]).filter((one) => /^(warns|blocks)/.test(one))).toEqual([])
    },
  )

  test('is one-way from below 2.55, and waits for --allow-one-way', () => {
    expect(said([prometheus()], false)).toEqual([oneWay.replace('notes', 'blocks')])
    expect(said([prometheus({ from: '2.55.1' })], false)).toEqual([])
    const [allowed] = advise([prometheus()], { allowOneWay: true })
    expect(allowed?.fix).toContain('stays below /data/tsdb/snapshots on the host')
  })

  test('cannot be gone back on below 2.55', () => {
    expect(said([prometheus({ from: '3.5.3', to: '2.53.3' })])).toEqual([
      'blocks prom-1: would go back from Prometheus 3.5.3 to 2.53.3',
    ])
  })
})

describe('a roll to later versions of Prometheus 3', () => {
  const from = '3.13.0'
  const at = (to: string, more: Partial<UpgradeStep>) => said([prometheus({ from, to, ...more })])

  test('links that begin with https, where nobody has said what they begin with', () => {
    const web: readonly [string, readonly string[]] = ['web.config.file', ['/etc/prometheus/web.yml']]
    const told = ['warns --web.external-url: is not set, and the web port has a web configuration']
    expect(at('3.16.0', { flags: new Map([web]) })).toEqual(told)
    expect(at('3.16.0', { flags: new Map([web, ['web.external-url', ['https://p.example.net']]]) })).toEqual([])
    expect(at('3.15.0', { flags: new Map([web]) })).toEqual([])
  })
  test('alerts that go on firing over a restart, and those of the mixin that never fired', () => {
    const rules = [{ where: 'mixin.yml: PrometheusHAGroupDown', expr: 'up == 0' }]
    const mixin = 'notes mixin.yml: PrometheusHAGroupDown: is an alert of the project’s own mixin for pairs'
    expect(at('3.16.0', { rules })).toEqual([mixin, 'notes every alert: with a short `for` is restored'])
    expect(at('3.15.0', { rules })).toEqual([mixin])
    expect(at('3.15.0', rule('up == 0'))).toEqual([])
  })
  test('a log level that is asked for by a flag', () => {
    expect(at('3.15.0', { flags: new Map([['log.level', ['debug']]]) })).toEqual(['notes --log.level: is debug'])
    expect(at('3.15.0', { flags: new Map([['log.level', ['info']]]) })).toEqual([])
  })
})

describe('a roll of Alertmanagers', () => {
  const noted = 'notes every Alertmanager: leaves API v1 behind'

  test('must not change the gossip label, which splits the cluster', () => {
    const flags = new Map([['cluster.label', ['lab']]])
    const split = 'blocks --cluster.label: would change from none to "lab"'
    expect(said([alertmanager({ flags })])).toEqual([split, noted])
    expect(said([alertmanager({ flags, observed: { label: 'lab' } })])).toEqual([noted])
  })

  test('is kept from versions whose silences no older one reads', () => {
    expect(said([alertmanager({ from: '0.28.1', to: '0.33.0' })])).toEqual(['blocks am-1: would run 0.33.0'])
    expect(said([alertmanager({ from: '0.28.1', to: '0.33.1' })])).toEqual([])
    expect(said([alertmanager({ from: '0.33.0', to: '0.28.1' })])).toEqual([
      'blocks am-1: would go back from 0.33.0 to 0.28.1',
    ])
  })

  describe('to 0.34 and later', () => {
    const at34 = (more: Partial<UpgradeStep>) => said([alertmanager({ from: '0.33.1', to: '0.34.2', ...more })])
    const cors = 'notes every Alertmanager: lets no page of another site ask it'
    const MIB = 1024 * 1024

    test('a state well below what 0.34 takes is told, and none that 0.35 takes', () => {
      const observed = { label: '', stateBytes: 6 * MIB }
      const told = 'warns am-1: would run 0.34.2 with a state of 6.0 MiB of 20'
      expect(at34({ observed })).toEqual([told, cors])
      expect(at34({ observed, to: '0.34.0' })).toEqual([told.replace('0.34.2', '0.34.0')])
      expect(at34({ observed, to: '0.35.0' })).toEqual([cors])
      expect(at34({ observed: { label: '', stateBytes: MIB } })).toEqual([cors])
    })
    test('rules of inhibition are no matter to versions that get them right', () => {
      const config = { inhibit_rules: [{ source_matchers: [] }] }
      expect(at34({ config })).toEqual(['warns inhibit_rules: would be applied by 0.34.2', cors])
      expect(at34({ config, to: '0.35.0' })).toEqual([cors])
      expect(at34({ config: { inhibit_rules: [] } })).toEqual([cors])
    })
    test('who has named the sites that may ask is told nothing of CORS', () => {
      expect(at34({ flags: new Map([['web.cors.origin', ['https://karma.example.net']]]) })).toEqual([])
    })
    test('a feature that has become a flag blocks', () => {
      const flags = new Map([['enable-feature', ['auto-gomemlimit']]])
      expect(at34({ flags, to: '0.35.0' })[0]).toBe('blocks --enable-feature: asks for the feature auto-gomemlimit')
      expect(at34({ flags })).toEqual([cors])
    })
  })

  test('is told of rules that use a metric that goes', () => {
    const rules = prometheus({ from: '3.5.3', ...rule('sum(alertmanager_marked_alerts) > 0') })
    expect(said([rules, alertmanager({ from: '0.28.1', to: '0.33.1' })])).toEqual([
      'warns own.yml: Mine: uses alertmanager_marked_alerts',
    ])
    expect(said([rules])).toEqual([])
  })
})

test('a host that runs nothing yet needs no advice, and what is the same on two hosts is told once', () => {
  expect(said([prometheus({ from: null, ...rule('holt_winters(up[5m], 0.1, 0.1)') })])).toEqual([])
  const two = [prometheus(rule('x{le="1"}')), prometheus({ host: 'prom-2', ...rule('x{le="1"}') })]
  expect(said(two).filter((one) => one.startsWith('warns'))).toHaveLength(1)
})
