import { describe, expect, test } from 'vitest'
import { describeMistake, InputError } from '../../../../lib/errors.ts'
import type { Role } from '../../../../lib/model.ts'
import { taskId } from '../../../../lib/model.ts'
import { scopeOf } from '../../../../lib/playbook.ts'
import type { Seen } from '../../../../roles/cortex-alertmanager/api.ts'
import { checks } from '../../../../roles/cortex-alertmanager/checks.ts'
import { ringProblems } from '../../../../roles/cortex-alertmanager/gates.ts'
import { cortexAlertmanager } from '../../../../roles/cortex-alertmanager/role.ts'
import { type Fleet, fleet } from '../fleet.ts'

const ROLE = 'cortex-alertmanager'
const CONFIG = '/etc/cortex-alertmanager/cortex.yml'
const storage = {
  backend: 's3',
  endpoint: 's3:9000',
  bucket: 'b',
  access_key_id: 'me',
  secret_access_key: 'hidden-key',
}
const ring = (
  settings: object = {},
  hosts: Readonly<Record<string, object>> = {},
  files: Readonly<Record<string, string>> = {},
) =>
  fleet({
    'hosts.yml': JSON.stringify({
      cortex_alertmanager: {
        vars: { cortex_alertmanager: { version: '1.21.1', storage, ...settings } },
        hosts: Object.fromEntries(
          [1, 2, 3, 4].map((at) => [`am-${at}`, { ansible_host: `10.0.0.${at}`, ...hosts[`am-${at}`] }]),
        ),
      },
    }),
    ...files,
  })
const refusal = async (made: Promise<Fleet>): Promise<string> => {
  try {
    using one = await made
    one.tasks(ROLE, 'am-1')
    return 'nothing was refused'
  } catch (error) {
    if (error instanceof InputError) return error.mistakes.map(describeMistake).join('\n')
    throw error
  }
}

describe('TLS', () => {
  const flags = (one: Fleet): readonly string[] =>
    one.command(ROLE, 'am-1').flatMap((word) => (word.includes('tls') ? [word.replace(/^--/, '')] : []))
  const ownFlags = (prefix: string) =>
    ['cert', 'key'].map((what) => `${prefix}${what}-path=/etc/cortex-alertmanager/web.pem`)
  const withTls = (tls: unknown, files: Readonly<Record<string, string>> = {}) =>
    ring({}, {}, { 'group_vars/all.yml': JSON.stringify({ tls }), ...files })

  test('of its web server by `tls`: its flags, and how it is scraped and linked to', async () => {
    using one = await withTls(true)
    expect(flags(one)).toEqual(ownFlags('server.http-tls-'))
    expect(one.text(ROLE, 'am-1', CONFIG)).toContain('external_url: https://10.0.0.1:9009/alertmanager')
    const role = cortexAlertmanager as Role
    expect(role.scrape?.(scopeOf(role, one.host('am-1'), one.inventory))).toMatchObject({
      labels: { __scheme__: 'https' },
      config: { scrape_interval: '1m', tls_config: { ca_file: '/etc/vestal/authority.crt' } },
    })
    expect(one.task(ROLE, 'am-1', 'certificate /etc/cortex-alertmanager/web.pem').data).toMatchObject({
      client: true,
      restarts: 'cortex-alertmanager.service',
    })
  })

  test('between instances by `gossip`: each shows a certificate by gRPC, and verifies whom it calls', async () => {
    using one = await withTls({ gossip: true, plain: [ROLE] })
    expect(flags(one)).toEqual([
      ...ownFlags('server.grpc-tls-'),
      'server.grpc-tls-ca-path=/etc/vestal/authority.crt',
      'server.grpc-tls-client-auth=RequireAndVerifyClientCert',
      ...['alertmanager.alertmanager-client.tls-', 'memberlist.tls-'].flatMap((prefix) => [
        `${prefix}enabled=true`,
        ...ownFlags(prefix),
        `${prefix}ca-path=/etc/vestal/authority.crt`,
      ]),
    ])
    expect(one.text(ROLE, 'am-1', CONFIG)).toContain('external_url: http://10.0.0.1:9009/alertmanager')
    using none = await withTls({ plain: [ROLE] })
    expect(flags(none)).toEqual([])
  })

  test('is for all instances of a ring or for none', async () => {
    const one = { 'host_vars/am-2.yml': 'tls: { gossip: false }\n' }
    expect(await refusal(withTls({ gossip: true }, one))).toMatch(
      /am-1 is to speak with TLS to other instances, and am-2 without: they would not hear each other/,
    )
  })
})

describe('the configuration', () => {
  test('is a ring: sharding, stable names and tokens, gossip, storage, and no extension of replica sets', async () => {
    using one = await ring({ limits: { max_alerts_count: 100 } })
    const text = one.text(ROLE, 'am-4', CONFIG)
    for (const line of [
      'target: alertmanager',
      'sharding_enabled: true',
      'instance_id: am-4',
      'instance_addr: 10.0.0.4',
      'replication_factor: 3',
      'node_name: am-4',
      'randomize_node_name: false',
      'keep_instance_in_the_ring_on_shutdown: true',
      'disable_replica_set_extension: true',
      'tokens_file_path: /var/lib/cortex-alertmanager/tokens',
      'data_dir: /var/lib/cortex-alertmanager/data',
      'external_url: http://10.0.0.4:9009/alertmanager',
      'strategy: user_index',
      'alertmanager_max_alerts_count: 100',
    ])
      expect(text).toContain(line)
    expect(text).not.toContain('zone')
  })

  test('hides the key of the storage', async () => {
    using one = await ring()
    expect(one.text(ROLE, 'am-1', CONFIG)).toContain('secret_access_key: [secret]')
    expect(JSON.stringify(one.tasks(ROLE, 'am-1'))).not.toContain('hidden-key')
  })

  test('of those that are there stays as it is when one more joins at the end', async () => {
    using one = await ring()
    const first = one.text(ROLE, 'am-1', CONFIG)
    expect(first).toContain('- 10.0.0.3:7946')
    expect(first).not.toContain('10.0.0.4')
  })

  test('has zones where they are given', async () => {
    using one = await ring({}, { 'am-1': { cortex_alertmanager: { version: '1.21.1', storage, zone: 'a' } } })
    expect(one.text(ROLE, 'am-1', CONFIG)).toMatch(/zone_awareness_enabled: true\n +instance_availability_zone: a\n/)
  })

  test('without sharding gossips as plain Alertmanagers do', async () => {
    using one = await ring({ sharding: false })
    const text = one.text(ROLE, 'am-1', CONFIG)
    expect(text).toContain('peers: 10.0.0.2:9094,10.0.0.3:9094,10.0.0.4:9094')
    expect(text).not.toContain('sharding_ring')
  })

  test.each([
    [{ backend: 'gcs', bucket: 'b', service_account: '{}' }, /gcs:\n +bucket_name: b\n +service_account: \[secret\]/],
    [
      { backend: 'azure', account_name: 'n1', account_key: 'k', container: 'c' },
      /azure:\n +account_name: n1\n +account_key: \[secret\]\n +container_name: c/,
    ],
    [
      {
        backend: 'swift',
        auth_url: 'https://keystone/v3',
        username: 'u',
        password: 'p',
        project_name: 'x',
        container: 'c',
      },
      /swift:\n +auth_url: https:\/\/keystone\/v3\n +username: u\n +password: \[secret\]\n +project_name: x\n +container_name: c/,
    ],
    [{ backend: 'filesystem', dir: '/srv/shared' }, /filesystem:\n +dir: \/srv\/shared/],
  ])('knows the storage %j', async (other, text) => {
    using one = await ring({ storage: other })
    expect(one.text(ROLE, 'am-1', CONFIG)).toMatch(text)
  })
})

test.each([
  [{ storage: { backend: 'local', path: '/x' } }, /storage/],
  [{ external_url: 'https://alerts.example.net/' }, /expected a URL whose path is \/alertmanager/],
  [{ memory_max: '0%' }, /memory_max/],
  [{ seeds: ['am-9'] }, /"am-9" is no host of group cortex_alertmanager/],
  [{ tokens: 'nowhere' }, /holds no tokens/],
])('%j is refused', async (settings, said) => {
  expect(await refusal(ring(settings))).toMatch(said)
})

test('a host whose address is a name is refused: the ring holds IP addresses', async () => {
  expect(await refusal(ring({}, { 'am-1': { ansible_host: 'am-1.example.net' } }))).toMatch(/is a name/)
})

test('the unit takes its part of the machine’s memory, or as much as is said', async () => {
  using part = await ring({ memory_max: '50%' })
  expect(part.unitText(ROLE, 'am-1')).toMatch(/\* 450\)\).*\n[\s\S]*MemoryMax=50%/)
  using size = await ring({ memory_max: '4GiB' })
  expect(size.unitText(ROLE, 'am-1')).toMatch(/MemoryMax=4294967296\nEnvironment=GOMEMLIMIT=3865470566/)
})

test('chosen tokens come to the host once; one that has tokens keeps them', async () => {
  const tokens = Array.from({ length: 128 }, (_, at) => at)
  using one = await ring({ tokens: 'tokens' }, {}, { 'tokens/am-1.json': JSON.stringify({ tokens }) })
  const task = one.task(ROLE, 'am-1', 'command tokens /var/lib/cortex-alertmanager/tokens')
  expect(task.data).toMatchObject({
    run: expect.stringContaining('"tokens":[0,1,2'),
    guard: { creates: '/var/lib/cortex-alertmanager/tokens' },
  })
})

test('the binary is a release without a tarball', async () => {
  using one = await ring()
  expect(one.tasks(ROLE, 'am-1').map(taskId)).toContain('release cortex 1.21.1')
  expect(cortexAlertmanager.release).toMatchObject({ owner: 'cortexproject', file: 'cortex-{os}-{arch}' })
})

describe('a ring', () => {
  const seen = (id: string, state = 'ACTIVE', heartbeatAgeMs = 1_000): Seen => ({
    id,
    state,
    heartbeatAgeMs,
    zone: '',
    tokens: [],
  })
  test.each([
    ['is whole', [seen('a'), seen('b')], []],
    ['lacks one', [seen('a')], ['does not see b']],
    ['has one too many', [seen('a'), seen('b'), seen('c')], ['also sees c, not in the inventory']],
    ['has one that still joins', [seen('a'), seen('b', 'JOINING')], ['sees b as JOINING']],
    ['has not heard of one', [seen('a'), seen('b', 'ACTIVE', 31_000)], ['has not heard of b for 30 s']],
    ['says no time', [seen('a'), seen('b', 'ACTIVE', Number.NaN)], ['has not heard of b for 30 s']],
    ['has one that is away, in whatever state', [seen('a'), seen('b'), seen('z', 'LEAVING', 1e9)], []],
  ])('that %s', (_, view, problems) => {
    expect(ringProblems(view, ['a', 'b'], new Set(['z']))).toEqual(problems)
  })

  test('is judged by the others while one is interrupted, and by all once it is done', async () => {
    using one = await ring()
    const role = cortexAlertmanager as Role
    const scope = { inventory: one.inventory, batch: [one.host('am-2')], hosts: one.inventory.hosts }
    const before = role.rollout?.before?.(scope) ?? []
    expect(before.map(({ host }) => host)).not.toContain('am-2')
    expect(new Set(before.map(({ host }) => host)).size).toBe(3)
    const whole = (name: string): number =>
      role
        .healthy(scopeOf(role, one.host(name), one.inventory))
        .filter((gate) => gate.name.startsWith('every tenant is on')).length
    expect(['am-1', 'am-2', 'am-3', 'am-4'].map(whole)).toEqual([0, 0, 0, 1])
  })

  test('cannot shrink below its replicas', async () => {
    using one = await ring()
    const left = ['am-1', 'am-2'].map(one.host)
    expect(cortexAlertmanager.minimum?.(one.host('am-3'), left, one.inventory)?.what).toBe(
      'would leave 2 instances for 3 replicas of each tenant',
    )
    expect(cortexAlertmanager.minimum?.(one.host('am-4'), [...left, one.host('am-3')], one.inventory)).toBeNull()
  })
})

describe('checks', () => {
  const findings = async (settings: object, hosts: Readonly<Record<string, object>> = {}) => {
    using one = await ring(settings, hosts)
    const facts = { inventory: one.inventory, hosts: one.inventory.hosts, command: () => undefined }
    return checks.flatMap(({ id, find }) => find(facts).map(({ hosts: at }) => `${id} ${at.join()}`))
  }
  const own = (more: object) => ({ cortex_alertmanager: { version: '1.21.1', storage, ...more } })

  test('find nothing in a ring that is right', async () => {
    expect(await findings({})).toEqual([])
  })
  test('find a ring that is too small', async () => {
    expect(await findings({ replication_factor: 5 })).toEqual(['ring-too-small am-1,am-2,am-3,am-4'])
  })
  test('find settings that differ, a storage among them', async () => {
    const other = own({ storage: { ...storage, bucket: 'other' } })
    expect(await findings({}, { 'am-3': other })).toEqual(['ring-settings-differ am-1,am-3'])
  })
  test('find zones on some instances only', async () => {
    expect(await findings({}, { 'am-1': own({ zone: 'a' }) })).toContain('ring-zones-partial am-2,am-3,am-4')
  })
  test('find fewer zones than replicas', async () => {
    expect(await findings({ zone: 'a' })).toEqual(['ring-zones-few am-1,am-2,am-3,am-4'])
  })
})
