import { describe, expect, test } from 'vitest'
import { describeMistake, InputError } from '../../../../lib/errors.ts'
import { type Role, taskId } from '../../../../lib/model.ts'
import { storeProblems } from '../../../../roles/thanos/gates.ts'
import { queryIssues } from '../../../../roles/thanos/known-issues.ts'
import { thanosQuery } from '../../../../roles/thanos-query/role.ts'
import { type Fleet, fleet } from '../fleet.ts'

const global = (settings: Readonly<Record<string, object>> = {}, hosts: Readonly<Record<string, object>> = {}) =>
  fleet({
    'hosts.yml': JSON.stringify({
      all: {
        vars: {
          ...settings.all,
          prometheus: { version: '3.5.3', ...settings.prometheus },
          thanos_sidecar: { version: '0.42.4', ...settings.sidecar },
          thanos_query: { version: '0.42.4', ...settings.query },
        },
        children: {
          prometheus: {
            hosts: {
              'prom-1': { ansible_host: '10.0.0.1' },
              'prom-2': { ansible_host: 'fd00::2', ...hosts['prom-2'] },
            },
          },
          thanos_sidecar: { children: { prometheus: {} }, hosts: hosts.sidecar ?? {} },
          thanos_query: { hosts: { 'q-1': { ansible_host: '10.0.0.3', ...hosts['q-1'] }, 'q-2': {}, 'prom-1': {} } },
        },
      },
    }),
  })
const mistakesOf = async (work: () => Promise<unknown>): Promise<string> => {
  try {
    await work()
    return 'nothing was refused'
  } catch (error) {
    if (error instanceof InputError) return error.mistakes.map(describeMistake).join('\n')
    throw error
  }
}

test('with tls each of Thanos has a certificate, is scraped by https, and its readiness is asked with TLS', async () => {
  using one = await global({ all: { tls: true } })
  for (const [role, host] of [
    ['thanos-sidecar', 'prom-1'],
    ['thanos-query', 'q-1'],
  ] as const) {
    expect(one.tasks(role, host).map(taskId)).toContain(`certificate /etc/${role}/web.pem`)
    expect(one.command(role, host)).toContain(`--http.config=/etc/${role}/web.yml`)
    expect(one.text('prometheus', 'prom-1', `/etc/prometheus/file_sd/${role}.yml`)).toContain('__scheme__: https')
  }
  expect(one.command('thanos-sidecar', 'prom-1')).toContain('--prometheus.url=https://10.0.0.1:9090')
  expect(one.text('thanos-query', 'q-1', '/etc/thanos-query/relay.cfg')).toContain(
    'server prom-1 10.0.0.1:10901 ssl crt /etc/thanos-query/grpc.pem alpn h2 port 10902 check-ssl check-alpn http/1.1 verify required ca-file /etc/vestal/authority.crt verifyhost prom-1\n',
  )
})

test('with tls its gRPC wants a certificate, and who asks it has one for clients; without, neither', async () => {
  const flags = (one: Fleet, role: string, host: string) =>
    one.command(role, host).filter((word) => word.includes('tls'))
  using one = await global({ all: { tls: true } })
  for (const [role, host] of [
    ['thanos-sidecar', 'prom-1'],
    ['thanos-query', 'q-1'],
  ] as const)
    expect(flags(one, role, host)).toEqual([
      `--grpc-server-tls-cert=/etc/${role}/web.pem`,
      `--grpc-server-tls-key=/etc/${role}/web.pem`,
      '--grpc-server-tls-client-ca=/etc/vestal/authority.crt',
    ])
  const shown = one.task('thanos-query', 'q-1', 'certificate /etc/thanos-query/grpc.pem')
  expect(shown.data).toMatchObject({ client: true, reloads: 'thanos-query-relay.service' })
  using mixed = await global({ all: { tls: { plain: ['thanos-sidecar'] } } })
  expect(mixed.text('thanos-query', 'q-1', '/etc/thanos-query/relay.cfg')).toContain(
    'server prom-1 10.0.0.1:10901 port 10902\n',
  )
  expect(flags(mixed, 'thanos-sidecar', 'prom-1')).toEqual([])
  expect(mixed.tasks('thanos-query', 'q-1').map(taskId)).not.toContain('certificate /etc/thanos-query/grpc.pem')
})

test('a host without tls has no certificate to show to those that want one: it is refused', async () => {
  expect(
    await mistakesOf(async () => {
      using _ = await global({ all: { tls: { plain: [] } } }, { 'q-1': { tls: false } })
    }),
  ).toMatch(/hosts\.yml:\d+.*q-1 asks prom-1, prom-2 by gRPC with TLS and has to show a certificate/)
})

describe('a sidecar', () => {
  test('asks the Prometheus beside it, and looks for it as often as is said', async () => {
    using one = await global({ sidecar: { check_interval: '2s' } })
    expect(one.command('thanos-sidecar', 'prom-1')).toEqual(
      expect.arrayContaining([
        'sidecar',
        '--prometheus.url=http://127.0.0.1:9090',
        '--prometheus.get_config_interval=2s',
        '--grpc-address=0.0.0.0:10901',
      ]),
    )
    expect(one.command('thanos-sidecar', 'prom-1').slice(0, 2)).toEqual(['/usr/local/bin/thanos', 'sidecar'])
    expect(one.command('thanos-sidecar', 'prom-1').some((word) => word.includes('objstore'))).toBe(false)
  })

  test('logs in where its Prometheus wants that, by its name where it speaks TLS, and hides the password', async () => {
    using one = await global({
      prometheus: {
        external_url: 'https://prom.example.net/p/',
        web_config: { tls_server_config: { cert_file: '/c', key_file: '/k' } },
        web_client_tls: { ca_file: '/ca' },
        web_user: { username: 'vestal', password: 'hidden-word' },
      },
    })
    expect(one.command('thanos-sidecar', 'prom-2')).toContain('--prometheus.url=https://[fd00::2]:9090/p')
    const text = one.text('thanos-sidecar', 'prom-1', '/etc/thanos-sidecar/prometheus.yml')
    expect(text).toMatch(/basic_auth:\n +username: vestal\n +password: \[secret\]\ntls_config:\n +ca_file: \/ca/)
    expect(JSON.stringify(one.tasks('thanos-sidecar', 'prom-1'))).not.toContain('hidden-word')
  })

  test('is refused where there is no Prometheus beside it', async () => {
    using one = await global({}, { sidecar: { lone: {} } })
    expect(await mistakesOf(async () => one.tasks('thanos-sidecar', 'lone'))).toMatch(
      /host lone.*not in group prometheus/,
    )
  })

  test('is scraped by every Prometheus', async () => {
    using one = await global()
    expect(one.text('prometheus', 'prom-1', '/etc/prometheus/file_sd/thanos-sidecar.yml')).toContain('10.0.0.1:10902')
  })
})

describe('a query', () => {
  test('asks every sidecar, also one that is down, and takes replica and shard for labels of copies', async () => {
    using one = await global()
    const sockets = ['prom-1', 'prom-2'].map((name) => `unix:///run/thanos-query-relay/${name}.sock`)
    expect(one.text('thanos-query', 'q-1', '/etc/thanos-query/endpoints.yml')).toContain(
      sockets.map((name) => `  - address: ${name}\n    strict: true\n`).join(''),
    )
    expect(one.command('thanos-query', 'q-1')).toEqual(
      expect.arrayContaining([
        '--query.replica-label=replica',
        '--query.replica-label=shard',
        '--deduplication.func=penalty',
        '--query.partial-response',
      ]),
    )
  })

  test('reaches them by a relay that refuses at once for one that is not ready', async () => {
    using one = await global({ sidecar: { web_config: { basic_auth_users: { v: 'hash' } } } })
    const text = one.text('thanos-query', 'q-1', '/etc/thanos-query/relay.cfg')
    // Its web server wants a login: it counts as ready while it says so.
    expect(text).toContain(
      'listen prom-2\n  bind unix@/run/thanos-query-relay/prom-2.sock mode 600\n  option httpchk GET /-/ready\n  http-check expect status 200,401\n  server prom-2 [fd00::2]:10901 port 10902\n',
    )
    using open = await global()
    expect(open.text('thanos-query', 'q-1', '/etc/thanos-query/relay.cfg')).toContain(
      '  option httpchk GET /-/ready\n  server prom-1 10.0.0.1:10901 port 10902\n',
    )
    expect(open.unitText('thanos-query', 'q-1')).toContain('Wants=thanos-query-relay.service')
  })

  test('takes the replica label of each Prometheus, and those that are given in their place', async () => {
    using other = await global({ prometheus: { replica_label: 'prometheus_replica' } })
    const words = other.command('thanos-query', 'q-1')
    expect(words.filter((word) => word.startsWith('--query.replica-label'))).toEqual([
      '--query.replica-label=prometheus_replica',
      '--query.replica-label=shard',
    ])
    using given = await global({ query: { replica_labels: ['r'], partial_response: false } })
    expect(given.command('thanos-query', 'q-1')).toEqual(
      expect.arrayContaining(['--query.replica-label=r', '--no-query.partial-response']),
    )
  })

  test('is not interrupted while no other one answers, and the last one is not taken away', async () => {
    using one = await global()
    const role = thanosQuery as Role
    const batch = [one.host('q-1')]
    const before = role.rollout?.before?.({ inventory: one.inventory, batch, hosts: one.inventory.hosts }) ?? []
    expect(before.map(({ host }) => host).sort()).toEqual(['prom-1', 'q-2'])
    expect(role.minimum?.(one.host('q-1'), [], one.inventory)?.what).toMatch(/the last Thanos Query/)
    expect(role.minimum?.(one.host('q-1'), [one.host('q-2')], one.inventory)).toBeNull()
  })

  test('has one version with the other Thanos roles of its host: there is one binary', async () => {
    using one = await global({ query: { version: '0.42.3' } })
    expect(one.command('thanos-query', 'q-1')).toContain('query')
    expect(await mistakesOf(async () => one.tasks('thanos-query', 'prom-1'))).toMatch(
      /host prom-1: version: its roles are to run Thanos 0\.42\.3 and thanos_sidecar 0\.42\.4/,
    )
  })
})

describe('the endpoints that a query sees', () => {
  const seen = [
    { name: 'a:1', lastError: null },
    { name: 'b:1', lastError: 'connection refused' },
    { name: 'x:1', lastError: null },
  ]
  test.each([
    [['a:1'], [], []],
    [['a:1', 'c:1'], ['c:1'], []],
    [['a:1', 'b:1'], [], ['b:1']],
  ])('of %j lack %j, and %j fail', (expected, missing, failing) => {
    const found = storeProblems(
      seen,
      expected.map((name) => ({ name, address: `at ${name}` })),
    )
    expect([found.missing.map(({ name }) => name), found.failing.map(({ address }) => address.slice(3))]).toEqual([
      missing,
      failing,
    ])
  })
})

test.each([
  ['0.37.2', ['blocks', 'warns']],
  ['0.39.1', ['warns']],
  ['0.42.4', []],
])('of version %s is known: %j', (to, levels) => {
  expect(queryIssues.filter(({ concerns }) => concerns('0.30.0', to)).map(({ level }) => level)).toEqual(levels)
})
