import { expect, test } from 'vitest'
import { alertmanagerRules } from '../../../../fleet/check/alertmanager-checks.ts'
import type { FleetFacts } from '../../../../fleet/check/fleet-facts.ts'
import { prometheusRules } from '../../../../fleet/check/prometheus-checks.ts'
import {
  type AlertmanagerParts,
  alertmanagerView,
  type FleetView,
  type PrometheusParts,
  prometheusView,
} from '../../../../fleet/check/view.ts'
import { inventoryView } from '../../../../fleet/check/view-of-inventory.ts'
import { runningYaml } from '../../../../lib/api/running-yaml.ts'
import { findingsOf } from '../../../../lib/health/finding.ts'
import { loadInventory } from '../../../../lib/inventory/load.ts'
import { alertingForm } from '../../../../lib/routing/running-forms.ts'
import { rolesFor } from '../../../../roles/registry.ts'

const MEMBERS = ['am-1', 'am-2', 'am-3'] as const
const gossip = (n: number) => `10.0.0.${n + 1}:9094`
const web = (n: number) => `10.0.0.${n + 1}:9093`

interface Planted {
  readonly prometheus?: Partial<PrometheusParts>
  readonly alertmanager?: Partial<AlertmanagerParts>
  readonly members?: number
  readonly replicas?: number
}

const prometheusConfig = ({
  replica = 'a',
  relabel = '[{action: labeldrop, regex: replica}]',
  interval = '15s',
} = {}) =>
  runningYaml(
    'web-1',
    `
global: {evaluation_interval: ${interval}, external_labels: {cluster: eu, replica: ${replica}}}
alerting:
  alert_relabel_configs: ${relabel}
  alertmanagers: [{static_configs: [{targets: [${MEMBERS.map((_, n) => `'${web(n)}'`)}]}]}]
`,
    alertingForm,
  )
const command = (n: number, more: Readonly<Record<string, string>> = {}) =>
  Object.entries({ 'cluster.advertise-address': gossip(n), 'cluster.peer-timeout': '15s', ...more }).map(
    ([name, value]) => `--${name}=${value}`,
  )

/** A healthy fleet, with what was planted in its second Prometheus and its first Alertmanager. */
const fleet = ({ prometheus = {}, alertmanager = {}, members = 3, replicas = 2 }: Planted = {}): FleetView => ({
  prometheus: ['a', 'b'].slice(0, replicas).map((replica, n) => {
    const alertmanagers = MEMBERS.slice(0, members).map((_, at) => web(at))
    const parts = {
      host: `prom-${replica}`,
      shard: '0',
      version: '3.5.3',
      targets: 't',
      rules: 'r',
      command: [],
      alertmanagers,
    }
    return prometheusView({ ...parts, config: prometheusConfig({ replica }), ...(n === 1 ? prometheus : {}) })
  }),
  alertmanagers: MEMBERS.slice(0, members).map((host, n) => {
    const seen = MEMBERS.slice(0, members).map((_, at) => gossip(at))
    const parts = {
      host,
      address: web(n),
      version: '0.33.1',
      config: { route: { group_interval: '1m' } },
      command: command(n),
      seen,
    }
    return alertmanagerView({ ...parts, ...(n === 0 ? alertmanager : {}) })
  }),
})
const none: FleetView = { prometheus: [], alertmanagers: [] }
const healthy: FleetFacts = { inventory: fleet(), running: fleet(), unread: [], paths: [], untested: [], balanced: [] }
const find = (facts: Partial<FleetFacts>) =>
  findingsOf([...prometheusRules, ...alertmanagerRules], { ...healthy, ...facts })
const idsOf = (facts: Partial<FleetFacts>) => find(facts).map(({ id }) => id)
const path = {
  name: 'gossip',
  from: 'am-2',
  to: 'am-1',
  address: '10.0.0.1',
  port: 9094,
  own: true,
  open: false,
  why: 'no answer',
} as const

test('a healthy fleet gives no finding, deployed or not', () => {
  expect(find({})).toEqual([])
  expect(find({ running: none })).toEqual([])
})

const both: readonly (readonly [string, Planted])[] = [
  ['replica-labels-equal', { prometheus: { config: prometheusConfig({ replica: 'a' }) } }],
  ['replica-label-on-alerts', { prometheus: { config: prometheusConfig({ replica: 'b', relabel: '[]' }) } }],
  [
    'replica-label-on-alerts',
    {
      prometheus: {
        config: prometheusConfig({
          replica: 'b',
          relabel: '[{source_labels: [replica], target_label: from}, {action: labeldrop, regex: replica}]',
        }),
      },
    },
  ],
  ['alertmanager-missing', { prometheus: { alertmanagers: [web(0), web(1)] } }],
  ['targets-differ', { prometheus: { targets: 'other' } }],
  ['rules-differ', { prometheus: { rules: 'other' } }],
  ['pace-differs', { prometheus: { config: prometheusConfig({ replica: 'b', interval: '30s' }) } }],
  ['retention-differs', { prometheus: { command: ['--storage.tsdb.retention.time=5d'] } }],
  ['retention-differs', { alertmanager: { command: command(0, { 'data.retention': '2h' }) } }],
  ['resend-slow', { prometheus: { command: ['--rules.alert.resend-delay=5m'] } }],
  ['versions-mixed', { prometheus: { version: '2.53.3' } }],
  ['versions-mixed', { alertmanager: { version: '0.28.1' } }],
  ['gossip-timings', { alertmanager: { command: command(0, { 'cluster.gossip-interval': '1s' }) } }],
  ['gossip-settles-late', { alertmanager: { command: command(0, { 'cluster.gossip-interval': '300ms' }) } }],
  ['gossip-label', { alertmanager: { command: command(0, { 'cluster.label': 'other' }) } }],
  ['group-interval', { alertmanager: { config: { route: { routes: [{ group_interval: '30s' }] } } } }],
]
test.each(both)('%s is found in the inventory, and in what runs', (id, planted) => {
  expect(idsOf({ inventory: fleet(planted), running: none })).toContain(id)
  const [running] = find({ running: fleet(planted) }).filter((one) => one.id === id)
  expect(running?.what).toMatch(/\(as it runs now\)$/)
  expect(find({ inventory: fleet(planted), running: fleet(planted) }).filter((one) => one.id === id)).toHaveLength(1)
})

test('a label that a later step puts back on alerts is found, one that is set alike by both replicas is not', () => {
  const relabel = (step: string) => `[{action: labeldrop, regex: replica}, ${step}]`
  const planted = (step: string) => {
    const config = (replica: string) => prometheusConfig({ replica, relabel: relabel(step) })
    const view = fleet({ prometheus: { config: config('b') } })
    const [first, ...rest] = view.prometheus
    const parts = { host: 'prom-a', shard: '0', version: '3.5.3', targets: 't', rules: 'r', command: [] }
    return { ...view, prometheus: first ? [prometheusView({ ...parts, config: config('a') }), ...rest] : [] }
  }
  expect(idsOf({ inventory: planted('{target_label: site, replacement: x}'), running: none })).toEqual([])
})

test.each<readonly [string, Partial<FleetFacts>]>([
  [
    'alertmanager-foreign',
    { running: fleet({ prometheus: { alertmanagers: ['10.9.9.9:80', web(0), web(1), web(2)] } }) },
  ],
  [
    'alertmanager-of-others',
    {
      inventory: fleet({ prometheus: { alertmanagers: ['am.corp.example:443', web(0), web(1), web(2)] } }),
      running: fleet({ prometheus: { alertmanagers: ['am.corp.example:443', web(0), web(1), web(2)] } }),
    },
  ],
  ['alertmanager-balanced', { balanced: [{ host: 'prom-a', name: 'am.example', addresses: ['1.1.1.1', '1.1.1.2'] }] }],
  ['alertmanager-unreachable', { paths: [{ ...path, name: 'web', protocol: 'tcp', from: 'prom-a' }] }],
  ['replica-alone', { inventory: fleet({ replicas: 1 }), running: none }],
  ['alertmanager-alone', { inventory: fleet({ members: 1 }), running: none }],
  ['alertmanager-pair', { inventory: fleet({ members: 2 }), running: none }],
  ['gossip-tcp', { paths: [{ ...path, protocol: 'tcp' }] }],
  [
    'gossip-udp',
    {
      paths: [
        { ...path, protocol: 'udp' },
        { ...path, protocol: 'tcp', open: true },
      ],
    },
  ],
  ['gossip-untested', { untested: [{ to: 'am-1', why: 'perl: not found' }] }],
  [
    'advertise-unroutable',
    {
      paths: [
        { ...path, protocol: 'tcp', own: false },
        { ...path, protocol: 'udp', own: false },
      ],
    },
  ],
  [
    'advertise-unroutable',
    { inventory: fleet({ alertmanager: { command: command(0, { 'cluster.advertise-address': '127.0.0.1:9094' }) } }) },
  ],
  ['gossip-partition', { running: partitions() }],
  ['gossip-state-large', { inventory: members('0.34.2'), running: members('0.33.1', 6) }],
  ['gossip-state-large', { inventory: members('0.34.0'), running: members('0.34.0', 6) }],
])('%s is found, and nothing else', (id, facts) => {
  expect(idsOf(facts)).toEqual([id])
})

test('a large state is no matter to versions that take it', () => {
  expect(idsOf({ inventory: members('0.35.0'), running: members('0.33.1', 30) })).toEqual([])
  expect(idsOf({ inventory: members('0.34.2'), running: members('0.34.2', 4) })).toEqual([])
})

/** Members of a version; the first that runs has a state of so many MiB. */
function members(version: string, mebibytes = 0): FleetView {
  const view = fleet()
  const alertmanagers = view.alertmanagers.map((one, n) => ({
    ...one,
    version,
    stateBytes: n === 0 ? mebibytes * 1024 * 1024 : 0,
  }))
  return { ...view, alertmanagers }
}

/** The first member sees only itself, the others only each other. */
function partitions(): FleetView {
  const view = fleet()
  const alertmanagers = view.alertmanagers.map((one, n) => {
    const seen = n === 0 ? [gossip(0)] : [gossip(1), gossip(2)]
    return { ...one, gossip: one.gossip && { ...one.gossip, seen } }
  })
  return { ...view, alertmanagers }
}

const sends = (host: string, shard: string, { cluster = 'eu', replica = '', url = 'http://mimir/api/v1/push' } = {}) =>
  prometheusView({
    host,
    shard,
    version: '3.5.3',
    targets: shard,
    rules: 'r',
    command: [],
    alertmanagers: MEMBERS.map((_, at) => web(at)),
    config: runningYaml(
      host,
      `
global: {external_labels: {cluster: ${cluster}, replica: ${host}}}
alerting: {alert_relabel_configs: [{action: labeldrop, regex: replica}]}
remote_write: [{url: '${url}', write_relabel_configs: [{target_label: __replica__, replacement: '${replica}'}]}]
`,
      alertingForm,
    ),
  })
const sent = (...prometheus: readonly ReturnType<typeof sends>[]) =>
  find({ running: { ...fleet(), prometheus } }).filter(({ id }) => id.startsWith('remote-write'))

test('samples of which an HA tracker would drop a shard, or keep too many, are found where they are sent', () => {
  const tracked = (host: string, shard: string, cluster: string) => sends(host, shard, { cluster, replica: host })
  expect(sent(tracked('a', '0', 'eu-0'), tracked('b', '0', 'eu-0'), tracked('c', '1', 'eu-1'))).toEqual([])
  expect(sent(tracked('a', '0', 'eu'), tracked('c', '1', 'eu'))).toMatchObject([
    {
      id: 'remote-write-shards-alike',
      hosts: ['a', 'c'],
      what: 'shards 0, 1 send samples with `__replica__` and the same `cluster` "eu" to http://mimir/api/v1/push (as it runs now)',
    },
  ])
  expect(sent(tracked('a', '0', 'eu-0'), tracked('b', '0', 'eu-x'))).toMatchObject([
    { id: 'remote-write-replica-alone', hosts: ['a', 'b'] },
  ])
  expect(sent(sends('a', '0'), sends('b', '0'))).toMatchObject([{ id: 'remote-write-untracked', hosts: ['a', 'b'] }])
  expect(sent(sends('a', '0'), sends('c', '1'))).toEqual([])
  const elsewhere = { url: 'http://vm:8428/api/v1/write' }
  expect(sent(sends('a', '0', elsewhere), sends('b', '0', elsewhere))).toEqual([])
})

test('instances of a ring are no strangers to the Prometheus that sends to them as a tenant', async () => {
  const paths = ['inventory/cortex']
  const inventory = inventoryView(await loadInventory(paths, await rolesFor(paths)))
  const sentTo = inventory.prometheus.flatMap(({ alertmanagers }) => alertmanagers)
  expect(new Set(sentTo)).toEqual(new Set(['10.88.0.11:9009', '10.88.0.12:9009', '10.88.0.13:9009']))
  const rule = prometheusRules.find(({ id }) => id === 'alertmanager-foreign')
  const running = { prometheus: inventory.prometheus, alertmanagers: [] }
  expect(rule?.find({ inventory, running } as unknown as FleetFacts)).toEqual([])
})
