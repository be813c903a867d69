/** Planted cases, each with one true cause, told through the pages that the servers answer with. */
import { expect, test } from 'vitest'
import { factsOf } from '../../../../fleet/explain/ask.ts'
import { explain } from '../../../../fleet/explain/explain.ts'
import { HostError } from '../../../../lib/errors.ts'
import type { Reach } from '../../../../lib/model.ts'
import { matcher } from '../../../../lib/routing/matcher.ts'
import { fleet, hostsFile, route } from '../../roles/fleet.ts'

const NOW = Date.parse('2026-01-05T12:00:00Z')
const ago = (seconds: number): string => new Date(NOW - seconds * 1_000).toISOString()
const RAW = { alertname: 'Slow', service: 'pay', severity: 'page' }
type Json = Record<string, unknown>

interface Prometheus {
  rule: Json
  external: Json
  relabel: Json[]
  sendsTo: string[]
  metrics: string
  down: boolean
}
interface Alertmanager {
  config: { route: Json; receivers: Json[]; time_intervals?: Json[] }
  alerts: Json[]
  silences: Json[]
  cluster: Json
  metrics: string
  down: boolean
}
interface World {
  prom: Prometheus[]
  am: Alertmanager[]
}

const firing = { labels: RAW, state: 'firing', activeAt: ago(900) }
const held = (labels: Json = { ...RAW, cluster: 'lab' }, more: Json = {}): Json => ({
  fingerprint: JSON.stringify(labels),
  startsAt: ago(900),
  endsAt: ago(-230),
  updatedAt: ago(10),
  labels,
  annotations: {},
  status: { state: 'active', silencedBy: [], inhibitedBy: [] },
  ...more,
})
const suppressed = (by: Json): Json => ({ status: { state: 'suppressed', silencedBy: [], inhibitedBy: [], ...by } })
const silence: Json = {
  id: 's1',
  status: { state: 'active' },
  matchers: [{ name: 'service', value: 'pay', isRegex: false, isEqual: true }],
  startsAt: ago(1_000),
  endsAt: ago(-1_000),
  createdBy: 'ann',
  comment: 'moving house',
}

/** Two Prometheus and three Alertmanagers in which the alert Slow is notified as it should be. */
const healthy = (): World => ({
  prom: ['a', 'b'].map((replica) => ({
    rule: {
      type: 'alerting',
      name: 'Slow',
      query: 'slow > 1',
      duration: 60,
      health: 'ok',
      labels: { severity: 'page' },
      alerts: [firing],
    },
    external: { cluster: 'lab', replica },
    relabel: [{ action: 'labeldrop', regex: 'replica' }],
    sendsTo: ['10.0.0.3:9093', '10.0.0.4:9093', '10.0.0.5:9093'],
    metrics: 'prometheus_notifications_dropped_total 0\nprometheus_config_last_reload_successful 1\n',
    down: false,
  })),
  am: [1, 2, 3].map(() => ({
    config: {
      route: { receiver: 'ops', group_by: ['alertname'], routes: [{ receiver: 'pay', matchers: ['service="pay"'] }] },
      receivers: [
        { name: 'ops', webhook_configs: [{ url: 'x' }] },
        { name: 'pay', webhook_configs: [{ url: 'x' }] },
        { name: 'void' },
      ],
    },
    alerts: [held()],
    silences: [],
    cluster: { status: 'ready', peers: [3, 4, 5].map((one) => ({ name: `${one}`, address: `10.0.0.${one}:9094` })) },
    metrics: 'alertmanager_notifications_failed_total{integration="webhook",reason="other"} 0\n',
    down: false,
  })),
})

const pages = (one: Prometheus): Json => ({
  '/api/v1/rules': {
    data: { groups: [{ name: 'g', file: 'f', interval: 15, lastEvaluation: ago(5), rules: [one.rule] }] },
  },
  '/api/v1/status/config': {
    data: {
      yaml: JSON.stringify({
        global: { external_labels: one.external },
        alerting: { alert_relabel_configs: one.relabel },
      }),
    },
  },
  '/api/v1/status/buildinfo': { data: { version: '3.5.3' } },
  '/api/v1/alertmanagers': {
    data: { activeAlertmanagers: one.sendsTo.map((place) => ({ url: `http://${place}/api/v2/alerts` })) },
  },
  '/metrics': one.metrics,
})
const pagesOf = (one: Alertmanager): Json => ({
  '/api/v2/status': {
    cluster: one.cluster,
    versionInfo: { version: '0.33.1' },
    config: { original: JSON.stringify(one.config) },
    uptime: '2026-01-01T00:00:00Z',
  },
  '/api/v2/alerts': one.alerts,
  '/api/v2/silences': one.silences,
  '/metrics': one.metrics,
})

const GROUPS = {
  prometheus: { 'prom-1': { ansible_host: '10.0.0.1' }, 'prom-2': { ansible_host: '10.0.0.2' } },
  alertmanager: {
    'am-1': { ansible_host: '10.0.0.3' },
    'am-2': { ansible_host: '10.0.0.4' },
    'am-3': { ansible_host: '10.0.0.5' },
  },
}

const causesIn = async (world: World, alert = 'Slow') => {
  using made = await fleet({
    'hosts.yml': hostsFile(GROUPS, {
      prometheus: { version: '3.5.3' },
      alertmanager: { version: '0.33.1', config: route },
    }),
  })
  const reach = (async ({ name }: { name: string }) => ({
    request: async ({ path }: { path: string }) => {
      const at = Number(name.split('-')[1]) - 1
      const server = name.startsWith('prom') ? world.prom[at] : world.am[at]
      if (!server || server.down) throw new HostError(name, 'nothing listens there')
      const body = ('rule' in server ? pages(server) : pagesOf(server))[path]
      const headers = { date: new Date(NOW).toUTCString() }
      return { status: 200, headers, body: typeof body === 'string' ? body : JSON.stringify(body) }
    },
  })) as unknown as Reach
  const found = explain([matcher('alertname', '=', alert)], await factsOf(made.inventory.hosts, reach))
  return [...new Set([...found.causes, ...found.alerts.flatMap(({ causes }) => causes)].map(({ id }) => id))]
}

type Plant = (world: World) => void
const prom =
  (change: Partial<Prometheus>): Plant =>
  (world) => {
    for (const one of world.prom) Object.assign(one, change)
  }
const am =
  (change: Partial<Alertmanager>): Plant =>
  (world) => {
    for (const one of world.am) Object.assign(one, change)
  }
const firstAm =
  (change: Partial<Alertmanager>): Plant =>
  (world) =>
    Object.assign(world.am[0] ?? {}, change)
const all =
  (...plants: readonly Plant[]): Plant =>
  (world) => {
    for (const one of plants) one(world)
  }
const unheld = am({ alerts: [] })
const quiet = (more: Json): Plant =>
  all(unheld, (world) => {
    for (const one of world.prom) Object.assign(one.rule, { alerts: [] }, more)
  })
const config = (root: Json, time_intervals: Json[] = []): Partial<Alertmanager> => {
  const [{ config: own } = { config: { route: {}, receivers: [] } }] = healthy().am
  return { config: { ...own, route: { ...own.route, ...root }, time_intervals } }
}
const pay = (more: Json): Json => ({ receiver: 'pay', matchers: ['service="pay"'], ...more })
const hours = (name: string, start_time: string, end_time: string): Json => ({
  name,
  time_intervals: [{ times: [{ start_time, end_time }] }],
})
const down = held({ alertname: 'Down', cluster: 'lab' })
const inhibited = held(undefined, suppressed({ inhibitedBy: [down.fingerprint] }))
const muted = { silences: [silence], alerts: [held(undefined, suppressed({ silencedBy: ['s1'] }))] }
const failed = (labels: string): string => `alertmanager_notifications_failed_total{integration="webhook"${labels}} 4\n`

const cases: readonly (readonly [string, string, Plant])[] = [
  ['nothing is wrong', 'notified', () => undefined],
  ['no Prometheus answers', 'prometheus-silent', all(unheld, prom({ down: true }))],
  ['no rule makes it', 'no-rule', quiet({ name: 'Other' })],
  ['a rule of its name only records', 'no-rule', quiet({ type: 'recording' })],
  [
    'a Prometheus has refused the config with the rule',
    'prometheus-old-config',
    all(quiet({ name: 'Other' }), prom({ metrics: 'prometheus_config_last_reload_successful 0\n' })),
  ],
  ['its condition does not hold', 'inactive', quiet({})],
  ['its expression fails', 'rule-fails', quiet({ health: 'err', lastError: 'many-to-many matching not allowed' })],
  ['its rule was never evaluated', 'not-evaluated', quiet({ health: 'unknown' })],
  ['it is pending', 'pending', quiet({ alerts: [{ ...firing, state: 'pending' }] })],
  [
    'relabelling drops it by its name',
    'dropped',
    all(unheld, prom({ relabel: [{ action: 'drop', source_labels: ['alertname'], regex: 'Slow' }] })),
  ],
  [
    'relabelling keeps others only',
    'dropped',
    all(unheld, prom({ relabel: [{ action: 'keep', source_labels: ['service'], regex: 'shop' }] })),
  ],
  ['no Alertmanager answers', 'alertmanager-silent', am({ down: true })],
  ['Prometheus sends to nobody', 'sends-to-none', all(unheld, prom({ sendsTo: [] }))],
  ['Prometheus sends to machines of others', 'sends-elsewhere', all(unheld, prom({ sendsTo: ['10.9.9.9:9093'] }))],
  [
    'Prometheus fails to send',
    'send-fails',
    all(unheld, prom({ metrics: 'prometheus_notifications_errors_total{alertmanager="http://10.0.0.3:9093"} 7\n' })),
  ],
  ['its queue is full', 'queue-full', all(unheld, prom({ metrics: 'prometheus_notifications_dropped_total 12\n' }))],
  ['it is refused', 'refused', am({ alerts: [], metrics: 'alertmanager_alerts_invalid_total{version="v2"} 3\n' })],
  ['it is lost between both', 'not-received', unheld],
  ['a silence holds', 'silenced', am(muted)],
  ['another alert inhibits it', 'inhibited', am({ alerts: [down, inhibited] })],
  [
    'its route is muted now',
    'muted',
    am(config({ routes: [pay({ mute_time_intervals: ['noon'] })] }, [hours('noon', '11:00', '13:00')])),
  ],
  [
    'its route is active at other hours',
    'muted',
    am(config({ routes: [pay({ active_time_intervals: ['night'] })] }, [hours('night', '22:00', '23:00')])),
  ],
  ['its receiver has no integration', 'empty-receiver', am(config({ routes: [pay({ receiver: 'void' })] }))],
  ['its group waits for others', 'group-wait', am({ alerts: [held(undefined, { startsAt: ago(5) })] })],
  [
    'its group was told already',
    'group-interval',
    am({
      ...config({ group_by: ['service'] }),
      alerts: [held(undefined, { startsAt: ago(100) }), held({ alertname: 'Older', service: 'pay' })],
    }),
  ],
  ['the receiver answers 500', 'fails', am({ metrics: failed(',reason="serverError"') })],
  ['the receiver is too slow', 'fails', am({ metrics: failed(',reason="contextDeadlineExceeded"') })],
  ['an older Alertmanager fails and gives no reason', 'fails', am({ metrics: failed('') })],
  ['no route takes it', 'no-route', am(config({ routes: [pay({ matchers: ['service="shop"'] })] }))],
  [
    'Alertmanager has refused its last config',
    'alertmanager-old-config',
    am({ metrics: 'alertmanager_config_last_reload_successful 0\n' }),
  ],
  [
    'the replica label stays on it',
    'replica-label',
    all(prom({ relabel: [] }), am({ alerts: ['a', 'b'].map((replica) => held({ ...RAW, cluster: 'lab', replica })) })),
  ],
  [
    'one member sees itself only',
    'split',
    firstAm({ cluster: { status: 'ready', peers: [{ name: '1', address: 'x' }] } }),
  ],
  ['one runs without a cluster', 'no-cluster', firstAm({ cluster: { status: 'disabled', peers: [] } })],
  ['one has another route', 'configs-differ', firstAm(config({ routes: [pay({ receiver: 'ops' })] }))],
  ['one groups by other labels', 'configs-differ', firstAm(config({ group_by: ['service'] }))],
  ['one lacks the silence', 'silence-not-everywhere', all(am(muted), firstAm({ silences: [], alerts: [held()] }))],
  [
    'a route goes on to another',
    'several-routes',
    am(config({ routes: [pay({ continue: true }), pay({ receiver: 'ops' })] })),
  ],
  ['it is repeated every five minutes', 'repeats', am(config({ repeat_interval: '5m' }))],
  [
    'its rule has other labels on one replica',
    'rules-differ',
    (world) => Object.assign(world.prom[0]?.rule ?? {}, { labels: { severity: 'ticket' } }),
  ],
]

test.each(cases)('%s: %s', async (_, cause, plant) => {
  const world = healthy()
  plant(world)
  expect(await causesIn(world)).toEqual([cause])
})

test('an alert that only Alertmanager has is explained too', async () => {
  const world = healthy()
  am({ alerts: [held({ alertname: 'Foreign', service: 'pay' })] })(world)
  expect(await causesIn(world, 'Foreign')).toEqual(['notified'])
})
