import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { describeMistake, type InputError } from '../../../../lib/errors.ts'
import type { CommandData } from '../../../../lib/kinds/command.ts'
import { type Role, taskId } from '../../../../lib/model.ts'
import { checks } from '../../../../roles/thanos-rule/checks.ts'
import { everyGroupEvaluated } from '../../../../roles/thanos-rule/gates.ts'
import { thanosRule } from '../../../../roles/thanos-rule/role.ts'
import { type Fleet, fleet, route } from '../fleet.ts'

const TLS = { 'group_vars/all.yml': 'tls: true\n' }
const RULE_FILE = JSON.stringify({ groups: [{ name: 'g', rules: [{ alert: 'A', expr: 'sum(up) < 1' }] }] })
const global = (
  settings: object = {},
  { groups = {}, files = {} }: { readonly groups?: object; readonly files?: Readonly<Record<string, string>> } = {},
) =>
  fleet({
    'hosts.yml': JSON.stringify({
      all: {
        vars: {
          prometheus: { version: '3.5.3', cluster: 'eu', sharding: 'hashmod' },
          alertmanager: { version: '0.33.1', config: route },
          thanos_sidecar: { version: '0.42.4' },
          thanos_rule: { version: '0.42.4', rules: ['global'], ...settings },
          thanos_query: { version: '0.42.4' },
          gateway: { floating: { address: '10.0.0.100/24' } },
        },
        children: {
          prometheus: {
            children: {
              shard_0: { hosts: { 'p-1': { ansible_host: '10.0.0.1' }, 'p-2': { ansible_host: '10.0.0.2' } } },
              shard_1: { hosts: { 'p-3': { ansible_host: '10.0.0.3' } } },
            },
          },
          thanos_sidecar: { children: { prometheus: {} } },
          alertmanager: { hosts: { 'am-1': { ansible_host: '10.0.0.4' }, 'am-2': { ansible_host: '10.0.0.5' } } },
          thanos_rule: { hosts: { 'r-1': {}, 'r-2': {} } },
          ...groups,
        },
      },
    }),
    'global/fleet.yaml': RULE_FILE,
    ...files,
  })
const flagsOf = (one: Fleet, name = 'r-1', service = 'thanos-rule') =>
  (one.task('thanos-rule', name, `service ${service}`).data as { command: readonly string[] }).command

describe('a ruler', () => {
  test('asks its own query, which asks one for each shard, which asks that shard’s sidecars', async () => {
    using one = await global()
    expect(flagsOf(one)).toContain('--query=127.0.0.1:10911')
    const text = (file: string) => one.text('thanos-rule', 'r-1', `/etc/thanos-rule/${file}.yml`)
    expect(text('query')).toMatch(/127\.0\.0\.1:10914\n +strict: true\n[\s\S]*127\.0\.0\.1:10916\n +strict: true\n/)
    expect(text('shard-0')).toMatch(/10\.0\.0\.1:10901\n +strict: false\n[\s\S]*10\.0\.0\.2:10901\n +strict: false\n/)
    expect(text('shard-1')).toMatch(/10\.0\.0\.3:10901\n +strict: false\n$/)
    expect(flagsOf(one, 'r-1', 'thanos-rule-shard-1')).toEqual(
      expect.arrayContaining(['--grpc-address=127.0.0.1:10916', '--no-query.partial-response']),
    )
    expect(one.unitText('thanos-rule', 'r-1')).toContain(
      'Wants=thanos-rule-shard-0.service thanos-rule-shard-1.service thanos-rule-query.service',
    )
  })

  test('with tls its queries show a certificate to sidecars and rulers, and ask each other in plain text', async () => {
    using one = await global({}, { files: TLS })
    const text = (file: string) => one.text('thanos-rule', 'r-1', `/etc/thanos-rule/${file}.yml`)
    const shown = '/etc/thanos-rule/grpc.pem'
    const config = `    client_config:
      tls_config:
        enabled: true
        cert_file: ${shown}
        key_file: ${shown}
        ca_file: /etc/vestal/authority.crt
`
    expect(text('shard-1')).toContain(`  - address: dns:///10.0.0.3:10901\n${config}    strict: false\n`)
    expect(text('query')).toContain(
      `  - address: 127.0.0.1:10916\n    strict: true\n  - address: dns:///r-1:10905\n${config}`,
    )
    expect(one.task('thanos-rule', 'r-1', `certificate ${shown}`).data).toMatchObject({ client: true })
    expect(flagsOf(one)).toContain('--grpc-server-tls-client-ca=/etc/vestal/authority.crt')
    await expect(global({ version: '0.41.0' }, { files: TLS })).rejects.toThrow('choose 0.42.0 or later')
  })

  test('sends to every Alertmanager, with the labels of Prometheus, and takes its replica label off', async () => {
    using one = await global({ labels: { tier: 'global' } })
    expect(one.text('thanos-rule', 'r-1', '/etc/thanos-rule/alertmanagers.yml')).toMatch(
      /scheme: http\n +path_prefix: ""\n +static_configs:\n +- 10\.0\.0\.4:9093\n +- 10\.0\.0\.5:9093\n/,
    )
    expect(flagsOf(one)).toEqual(
      expect.arrayContaining([
        '--label=cluster="eu"',
        '--label=tier="global"',
        '--label=replica="r-1"',
        '--alert.label-drop=replica',
      ]),
    )
  })

  test('gives alerts their teams as every Prometheus does', async () => {
    using one = await global(
      {},
      {
        files: {
          'teams/shop.yml': JSON.stringify({
            shop: { owns: ['service="shop"'], receivers: { hook: { webhook_configs: [{ url: 'http://x/' }] } } },
          }),
        },
      },
    )
    const steps = (text: string, from: string) => text.slice(text.indexOf(from)).match(/\{.*"target_label":"team".*\}/g)
    const own = steps(one.text('thanos-rule', 'r-1', '/etc/thanos-rule/relabel.yml'), '')
    expect(own).toEqual(steps(one.text('prometheus', 'p-1', '/etc/prometheus/prometheus.yml'), 'alert_relabel_configs'))
    expect(own?.length).toBeGreaterThan(0)
  })

  test('has the rules of its folders, each checked by Thanos itself, and reloads', async () => {
    using one = await global()
    expect(one.fileData('thanos-rule', 'r-1', '/etc/thanos-rule/rules/fleet.yml').validate).toBe(
      '/opt/vestal/thanos/0.42.4/thanos tools rules-check --rules="$1"',
    )
    expect(one.unitText('thanos-rule', 'r-1')).toContain('ExecReload=/bin/kill -HUP $MAINPID')
  })

  test.each([
    [{}, {}, undefined],
    [{}, { gateway: { hosts: { gw: {} } } }, 'http://10.0.0.100:8090'],
    [{}, { thanos_query: { hosts: { q: { ansible_host: '10.0.0.9' } } } }, 'http://10.0.0.9:10904'],
    [{ query_url: 'https://ask.example.net/' }, { gateway: { hosts: { gw: {} } } }, 'https://ask.example.net'],
  ])('%j with %j: its links lead to %s', async (settings, groups, url) => {
    using one = await global(settings, { groups })
    const flag = flagsOf(one).find((word) => word.startsWith('--alert.query-url='))
    expect(flag).toBe(url && `--alert.query-url=${url}`)
  })

  test('is not interrupted while no other one evaluates, and the last one is not taken away', async () => {
    using one = await global()
    const role = thanosRule as Role
    const batch = [one.host('r-1')]
    const before = role.rollout?.before?.({ inventory: one.inventory, batch, hosts: one.inventory.hosts }) ?? []
    expect(before.map(({ host }) => host)).toEqual(['r-2'])
    expect(role.minimum?.(one.host('r-1'), [], one.inventory)?.what).toMatch(/last Thanos Rule/)
  })

  test('with a folder that is not there is refused', async () => {
    using one = await global({ rules: ['nowhere'] })
    try {
      one.tasks('thanos-rule', 'r-1')
      expect('refused').toBe('not')
    } catch (error) {
      expect((error as InputError).mistakes.map(describeMistake).join()).toMatch(/thanos_rule\.rules: cannot be read/)
    }
  })
})

test('queries of shards that are gone are found, those of shards that are there are not', async () => {
  using one = await global()
  const task = one.tasks('thanos-rule', 'r-1').find((task) => taskId(task).startsWith('command queries of shards'))
  const { guard } = (task?.data ?? {}) as Partial<CommandData>
  if (!guard || !('unless' in guard)) throw new Error('no guard')
  const run = (names: readonly string[]): boolean => {
    const paths = names.map((name) => `/tmp/thanos-rule-shard-${name}.service`).join(' ')
    const script = guard.unless
      .replace('/etc/systemd/system/thanos-rule-shard-*.service', paths)
      .replace('[ -e "$path" ] || continue', '')
    try {
      execFileSync('sh', ['-euc', script])
      return true
    } catch {
      return false
    }
  }
  expect([run(['0', '1']), run(['0', '1', '2'])]).toEqual([true, false])
})

describe('its rule groups', () => {
  const group = (more: object) => ({
    name: 'g',
    file: '/r/a.yml',
    lastEvaluation: '2026-11-27T10:00:00Z',
    rules: [{ name: 'A', lastError: '' }],
    ...more,
  })
  test.each([
    ['are evaluated', [group({})], null],
    ['lack a file', [group({ file: '/r/b.yml' })], 'not loaded: /r/a.yml'],
    ['wait', [group({ lastEvaluation: '0001-01-01T00:00:00Z' })], 'not yet evaluated: g'],
    ['fail', [group({ rules: [{ name: 'A', lastError: 'no query API server reachable' }] })], 'fails: A: no query API'],
  ])('%s', async (_, groups, why) => {
    using one = await global()
    const body = JSON.stringify({ data: { groups } })
    const reach = (async () => ({ request: async () => ({ status: 200, headers: {}, body }) })) as never
    const verdict = await everyGroupEvaluated({ host: one.host('r-1'), port: 1 }, ['/r/a.yml']).ask(reach)
    expect(verdict).toMatchObject(why === null ? { pass: true } : { pass: false, why: expect.stringContaining(why) })
  })
})

describe('checks', () => {
  const findings = async (groups: object, settings: object = {}) => {
    using one = await global(settings, { groups })
    const hosts = one.inventory.hosts.filter((host) => host.groups.includes('thanos_rule'))
    const facts = { inventory: one.inventory, hosts, command: () => undefined }
    return checks.flatMap(({ id, find }) => find(facts).map(({ hosts: at }) => `${id} ${at.join()}`))
  }
  test('find nothing where all is right', async () => {
    expect(await findings({})).toEqual([])
  })
  test('find a Prometheus without a sidecar', async () => {
    expect(await findings({ thanos_sidecar: { hosts: { 'p-1': {}, 'p-2': {} } } })).toEqual([
      'shard-without-sidecar p-3',
    ])
  })
  test('find a ruler that sends to some Alertmanagers only', async () => {
    expect(await findings({ half: { hosts: { 'am-1': {} } } }, { alertmanager_group: 'half' })).toEqual([
      'ruler-sends-to-some r-1',
      'ruler-sends-to-some r-2',
    ])
  })
})
