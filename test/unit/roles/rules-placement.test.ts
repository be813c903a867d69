import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { InputError } from '../../../lib/errors.ts'
import { globalRules } from '../../../roles/rules/placement.ts'
import { fleet, hostsFile, route } from './fleet.ts'

const WEB = `groups:
  - name: web
    rules:
      - alert: Down
        expr: up{job="web"} == 0
      - record: namespace:up:count
        expr: count by (namespace) (up)
      - alert: TooFew
        expr: namespace:up:count < 3
`
const spread = (
  more: { readonly rules?: object; readonly prometheus?: object; readonly tier?: boolean; readonly text?: string } = {},
) =>
  fleet({
    'hosts.yml': hostsFile(
      {
        prometheus: { 'prom-0': {}, 'prom-1': {} },
        alertmanager: { 'am-1': {} },
        node_exporter: { 'am-1': {} },
        ...(more.tier && { thanos_rule: { 'rule-1': {} } }),
      },
      {
        prometheus: { version: '3.5.3', shards: 2, ...more.prometheus },
        alertmanager: { version: '0.33.1', config: route },
        node_exporter: { version: '1.11.1' },
        thanos_rule: { version: '0.42.4' },
        rules: { folders: ['rules'], ...more.rules },
      },
    ),
    'rules/web.yml': more.text ?? WEB,
    'shards.yml': 'labels: [__address__]\nbuckets: 4\nshards:\n  "0": "0-1"\n  "1": "2-3"\n',
  })

const RULES = '/etc/prometheus/rules'
const namesIn = (text: string): readonly string[] =>
  parse(text).groups.flatMap((group: { rules: { alert?: string; record?: string }[] }) =>
    group.rules.map(({ alert, record }) => alert ?? record),
  )

test('shards get what they can evaluate alone, and the tier over all of them the rest', async () => {
  using made = await spread({ tier: true })
  for (const host of ['prom-0', 'prom-1'])
    expect(namesIn(made.text('prometheus', host, `${RULES}/web.yml`))).toEqual(['Down'])
  expect(globalRules(made.inventory).map(({ name, text }) => [name, namesIn(text)])).toEqual([
    ['web.yml', ['namespace:up:count', 'TooFew']],
  ])
  expect(namesIn(made.text('thanos-rule', 'rule-1', '/etc/thanos-rule/rules/web.yml'))).toEqual([
    'namespace:up:count',
    'TooFew',
  ])
})

test('what comes with Vestal is evaluated on every shard: each watches all Alertmanagers, and has canaries of its own', async () => {
  using made = await spread({ rules: { folders: [] } })
  const { only } = made.task('prometheus', 'prom-1', `directory ${RULES}`).data as { only: readonly string[] }
  expect(only).toEqual([
    'vestal-watchdog.yml',
    'vestal-canary.yml',
    'vestal-node.yml',
    'vestal-prometheus.yml',
    'vestal-alertmanager.yml',
  ])
  expect(namesIn(made.text('prometheus', 'prom-1', `${RULES}/vestal-alertmanager.yml`))).toContain(
    'AlertmanagerClusterSplit',
  )
  expect(globalRules(made.inventory)).toEqual([])
  const { scrape_configs } = parse(made.text('prometheus', 'prom-1', '/etc/prometheus/prometheus.yml'))
  const job = scrape_configs.find(({ job_name }: { job_name: string }) => job_name === 'alertmanager')
  expect(job.relabel_configs[0]).toEqual({ target_label: '__tmp_disable_sharding', replacement: 'alertmanager' })
})

test('without a tier over all shards, rules that need one are refused, each at its place', async () => {
  using made = await spread()
  const refused = () => made.tasks('prometheus', 'prom-0')
  expect(refused).toThrow(InputError)
  expect(refused).toThrow(
    /rules\/web\.yml:7:15: namespace:up:count: needs all shards, and no host is in group thanos_rule: `count` by \(namespace\).*\n {2}Add such a host.*\n.*rules\/web\.yml:9:15: TooFew: needs all shards/,
  )
})

test('an operator’s word places a rule on every shard, and clears a job that is in doubt', async () => {
  const named = { on_every_shard: ['namespace:up:count', 'TooFew'] }
  using every = await spread({ rules: named })
  expect(every.text('prometheus', 'prom-0', `${RULES}/web.yml`)).toBe(WEB)
  const push = { scrape_configs: [{ job_name: 'push', honor_labels: true }] }
  const text = WEB.slice(0, WEB.indexOf('      - record'))
  using doubted = await spread({ prometheus: push, text, rules: { self_monitoring: false } })
  expect(() => doubted.tasks('prometheus', 'prom-0')).toThrow(/Down: needs all shards.*job push has honor_labels/)
  using trusted = await spread({ prometheus: push, text, rules: { self_monitoring: false, trusted_jobs: ['push'] } })
  expect(trusted.text('prometheus', 'prom-0', `${RULES}/web.yml`)).toBe(text)
})

test('a fleet without shards has all rules, and nothing for a tier', async () => {
  using made = await fleet({
    'hosts.yml': hostsFile(
      { prometheus: { 'prom-0': {} } },
      { prometheus: { version: '3.5.3' }, rules: { folders: ['rules'] } },
    ),
    'rules/web.yml': WEB,
  })
  expect(made.text('prometheus', 'prom-0', `${RULES}/web.yml`)).toBe(WEB)
  expect(globalRules(made.inventory)).toEqual([])
})
