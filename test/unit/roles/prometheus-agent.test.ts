import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { describeMistake, InputError } from '../../../lib/errors.ts'
import { shippedRoles } from '../../../roles/registry.ts'
import { fleet } from './fleet.ts'

const SITE = {
  version: '3.5.3',
  cluster: 'shop-eu',
  targets: { node: { group: 'shop', port: 9100, labels: { site: 'eu' }, config: { scrape_interval: '1m' } } },
  remote_write: [{ url: 'http://vm:8428/api/v1/write', deduplicates: true }],
}
const site = (settings: object = {}, groups: object = {}) =>
  fleet({
    'hosts.yml': JSON.stringify({
      all: {
        vars: { prometheus_agent: { ...SITE, ...settings }, prometheus: { version: '3.5.3' } },
        children: {
          prometheus_agent: {
            hosts: { 'agent-1': { ansible_host: '10.0.0.1' }, 'agent-2': { ansible_host: '10.0.0.2' } },
          },
          shop: { hosts: { 'till-1': { ansible_host: '10.0.0.3' }, 'till-2': { ansible_host: 'fd00::4' } } },
          ...groups,
        },
      },
    }),
  })
const mistakesOf = async (settings: object, groups: object = {}): Promise<readonly string[]> => {
  try {
    using made = await site(settings, groups)
    return made.tasks('prometheus-agent', 'agent-1').map(() => 'nothing was refused')
  } catch (error) {
    if (error instanceof InputError) return error.mistakes.map(describeMistake)
    throw error
  }
}

test('two replicas scrape the same, and differ in the replica label alone', async () => {
  using made = await site()
  const [one, other] = ['agent-1', 'agent-2'].map((host) =>
    parse(made.text('prometheus-agent', host, '/etc/prometheus-agent/prometheus.yml')),
  )
  expect(one).toEqual({
    global: { scrape_interval: '15s', external_labels: { cluster: 'shop-eu', replica: 'agent-1' } },
    scrape_configs: [
      {
        job_name: 'node',
        scrape_interval: '1m',
        static_configs: [
          { targets: ['10.0.0.3:9100'], labels: { instance: 'till-1:9100', site: 'eu' } },
          { targets: ['[fd00::4]:9100'], labels: { instance: 'till-2:9100', site: 'eu' } },
        ],
      },
    ],
    remote_write: [
      { url: 'http://vm:8428/api/v1/write', write_relabel_configs: [{ regex: 'replica', action: 'labeldrop' }] },
    ],
  })
  expect(other).toEqual({
    ...one,
    global: { ...one.global, external_labels: { cluster: 'shop-eu', replica: 'agent-2' } },
  })
})

test('a tracker of replicas is sent what it needs', async () => {
  using made = await site({ remote_write: [{ url: 'http://mimir/api/v1/push', ha_tracker: true }] })
  const { remote_write } = parse(made.text('prometheus-agent', 'agent-1', '/etc/prometheus-agent/prometheus.yml'))
  expect(remote_write[0].write_relabel_configs).toEqual([
    { source_labels: ['cluster'], separator: '-', target_label: 'cluster' },
    { source_labels: ['replica'], target_label: '__replica__' },
    { regex: 'replica', action: 'labeldrop' },
  ])
})

test('it runs in agent mode, as a user of its own', async () => {
  using made = await site({ extra_flags: { 'storage.agent.retention.max-time': '8h' } })
  expect(made.command('prometheus-agent', 'agent-1')).toEqual([
    '/usr/local/bin/prometheus',
    '--agent',
    '--config.file=/etc/prometheus-agent/prometheus.yml',
    '--storage.agent.path=/var/lib/prometheus-agent',
    '--web.listen-address=0.0.0.0:9090',
    '--log.level=info',
    '--storage.agent.retention.max-time=8h',
  ])
  expect(made.unitText('prometheus-agent', 'agent-1')).toMatch(
    /^Description=Prometheus agent\n[\s\S]*^User=prometheus-agent$/m,
  )
  expect(made.gates('prometheus-agent', 'agent-1').map(({ name }) => name)).toEqual([
    'Prometheus is ready, its WAL replayed',
    'Prometheus has its config in force',
    'Prometheus has scraped every target since it started',
    'Prometheus has sent samples to every remote write',
  ])
})

test.each([
  { what: 'no receiver', settings: { remote_write: [] }, says: 'expected where samples are sent to' },
  { what: 'a version on trial', settings: { version: '2.53.3' }, says: 'choose 3.0.0 or later' },
  {
    what: 'a group without a host',
    settings: { targets: { node: { group: 'shpo', port: 9100 } } },
    says: 'no host is in a group `shpo`, so nothing would be scraped; did you mean `shop`?',
  },
  {
    what: 'a job twice',
    settings: { scrape_configs: [{ job_name: 'node' }] },
    says: 'a job `node` is there already',
  },
  {
    what: 'a tracker that can’t tell whose replicas are whose',
    settings: { cluster: undefined, remote_write: [{ url: 'http://m/api/v1/push', ha_tracker: true }] },
    says: 'set prometheus_agent.cluster',
  },
  {
    what: 'a field of global with a setting of its own',
    settings: { global: { scrape_interval: '1m' } },
    says: 'write it as prometheus_agent.scrape_interval',
  },
  {
    what: 'a replica on the same host',
    settings: {},
    groups: { prometheus: { hosts: { 'agent-1': null } } },
    says: 'the host is in group `prometheus` as well',
  },
])('$what is refused before any machine is touched', async ({ settings, groups, says }) => {
  expect((await mistakesOf(settings, groups)).join('\n')).toContain(says)
})

test('a role’s web server is called as the role is, by which tls: { plain: [ … ] } names it', () => {
  const named = shippedRoles.flatMap(({ name, web }) => (web ? [[name, web.role]] : []))
  expect(named.length).toBeGreaterThan(4)
  expect(named.filter(([name, role]) => name !== role)).toEqual([])
})
