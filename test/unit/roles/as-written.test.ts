/** What goes in comes out: plain scalars of sections that Prometheus and Alertmanager read themselves keep their text. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isMap, isScalar, parseDocument } from 'yaml'
import { inventoryJson } from '../../../lib/inventory/json.ts'
import { redactor } from '../../../lib/report/redact.ts'
import { Secret } from '../../../lib/secret.ts'
import { alertmanager } from '../../../roles/alertmanager/role.ts'
import { teamRouting } from '../../../roles/alertmanager/teams.ts'
import { fleet } from './fleet.ts'

const CONFIG = '/etc/alertmanager/alertmanager.yml'
const PROM = '/etc/prometheus/prometheus.yml'

const inventory = ({ am = '', prom = '' }: { am?: string; prom?: string }): string => `all:
  children:
    alertmanager: { hosts: { a-1: { ansible_host: 192.0.2.21 } } }
    prometheus: { hosts: { p-1: { ansible_host: 192.0.2.11 } } }
  vars:
    alertmanager:
      version: 0.33.1
      config:
        receivers: [{ name: a }, { name: pager }]
        route: { receiver: a }
${am}
    prometheus:
      version: 3.5.3
${prom}
`

/** The text of a scalar as Go's parser would hand it to a field that is a text. */
const textAt = (yaml: string, path: readonly (string | number)[]): string | undefined => {
  const node = parseDocument(yaml, { version: '1.2', schema: 'failsafe' }).getIn(path, true)
  return isScalar(node) ? String(node.value) : undefined
}

const ODD = [
  'yes no on off True FALSE y n 01 0123 0o17 0x1F 1_000 1.10 1.0 .5 5. 1e3 1E+3 17:00 09:00 1:30:00 +7 -0 00123456',
  '12345678901234567890 .inf 2026-01-01 0b11 5 true false 1.5 190:20:30',
].flatMap((words) => words.split(' '))

describe('a label’s value', () => {
  test.each(ODD)('%s is the text that was written', async (text) => {
    const am = `
        inhibit_rules:
          - source_match: { page: ${text} }
            target_match: { page: '${text}' }`
    using made = await fleet({ 'hosts.yml': inventory({ am }) })
    const file = made.text('alertmanager', 'a-1', CONFIG)
    expect(textAt(file, ['inhibit_rules', 0, 'source_match', 'page'])).toBe(text)
    expect(textAt(file, ['inhibit_rules', 0, 'target_match', 'page'])).toBe(text)
  })
})

test('fields that are booleans and numbers stay so, however they are spelled', async () => {
  const am = `
        global: { smtp_require_tls: no, resolve_timeout: 5m }`
  const prom = `
      scrape_configs:
        - { job_name: 01, honor_labels: on, sample_limit: 1_000, params: { module: [07] }, static_configs: [{ targets: [a:1], labels: { build: 1.10 } }] }
      tracing: { endpoint: '192.0.2.9:4317', insecure: yes, sampling_fraction: 1.0 }
      storage: { tsdb: { out_of_order_time_window: 30m } }`
  using made = await fleet({ 'hosts.yml': inventory({ am, prom }) })
  const { global } = parseDocument(made.text('alertmanager', 'a-1', CONFIG)).toJS()
  expect(global).toEqual({ smtp_require_tls: false, resolve_timeout: '5m' })
  const file = made.text('prometheus', 'p-1', PROM)
  const at = parseDocument(file).toJS() as {
    scrape_configs: Record<string, unknown>[]
    tracing: unknown
    storage: unknown
  }
  expect(at.scrape_configs.at(-1)).toEqual({
    job_name: '01',
    honor_labels: true,
    sample_limit: 1_000,
    params: { module: ['07'] },
    static_configs: [{ targets: ['a:1'], labels: { build: '1.10' } }],
  })
  expect(at.tracing).toEqual({ endpoint: '192.0.2.9:4317', insecure: true, sampling_fraction: 1 })
  expect(at.storage).toEqual({ tsdb: { out_of_order_time_window: '30m' } })
})

test('hours stay hours', async () => {
  const am = `
        time_intervals:
          - name: office
            time_intervals: [{ times: [{ start_time: 09:00, end_time: 17:00 }], days_of_month: [1:5], years: [2026] }]`
  using made = await fleet({ 'hosts.yml': inventory({ am }) })
  const { time_intervals: intervals } = parseDocument(made.text('alertmanager', 'a-1', CONFIG)).toJS()
  expect(intervals).toEqual([
    {
      name: 'office',
      time_intervals: [{ times: [{ start_time: '09:00', end_time: '17:00' }], days_of_month: ['1:5'], years: [2026] }],
    },
  ])
})

test('routes answer as Alertmanager does for values that look like booleans and numbers', async () => {
  const text = inventory({}).replace(
    'route: { receiver: a }',
    'route: { receiver: a, routes: [{ match: { page: yes }, receiver: pager }, { match: { tier: 1 }, receiver: pager }, { match_re: { power: off }, receiver: pager }, { match: { up: true }, receiver: pager }] }',
  )
  using made = await fleet({ 'hosts.yml': text })
  const host = made.host('a-1')
  const { router } = teamRouting(made.inventory, host, alertmanager.varsOf(host))
  const receiverOf = (labels: Readonly<Record<string, string>>) => router.route(labels).map(({ receiver }) => receiver)
  expect(receiverOf({ page: 'yes' })).toEqual(['pager'])
  expect(receiverOf({ page: 'true' })).toEqual(['a'])
  expect(receiverOf({ tier: '1' })).toEqual(['pager'])
  expect(receiverOf({ power: 'off' })).toEqual(['pager'])
  expect(receiverOf({ up: 'true' })).toEqual(['pager'])
})

test('a password of digits reaches the file as it was written, and prints nowhere', async () => {
  const text = inventory({}).replace(
    '{ name: pager }',
    '{ name: pager, email_configs: [{ to: a@example.org, auth_password: 00123456 }] }',
  )
  using made = await fleet({ 'hosts.yml': text })
  expect(made.text('alertmanager', 'a-1', CONFIG)).toContain('auth_password: [secret]')
  const { content } = made.fileData('alertmanager', 'a-1', CONFIG)
  expect((content as unknown as { reveal(): string }).reveal()).toContain('auth_password: "00123456"')
})

test('what a program hands on as YAML has it is left as YAML has it', async () => {
  const text = inventory({}).replace(
    '{ name: pager }',
    '{ name: pager, jira_configs: [{ project: P, fields: { points: 1.0, id: "10001", flag: yes } }] }',
  )
  using made = await fleet({ 'hosts.yml': text })
  const { receivers } = parseDocument(made.text('alertmanager', 'a-1', CONFIG)).toJS()
  expect(receivers[1].jira_configs[0].fields).toEqual({ points: 1, id: '10001', flag: true })
})

/** Sections of any shape, with plain scalars that YAML 1.1 would take for something else. */
const section = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(...ODD.filter((word) => !/^(5|1\.5|true|false)$/.test(word))),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('alpha', 'beta', 'gamma_delta'), tie('value'), { maxKeys: 3 }),
  ),
})).value

const flow = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`
  if (typeof value !== 'object' || value === null) return String(value)
  return `{ ${Object.entries(value)
    .map(([key, one]) => `${key}: ${flow(one)}`)
    .join(', ')} }`
}

test('any section comes out with the texts that went in', async () => {
  await fc.assert(
    fc.asyncProperty(section, async (value) => {
      using made = await fleet({ 'hosts.yml': inventory({ prom: `      storage: { any: ${flow(value)} }` }) })
      const document = parseDocument(made.text('prometheus', 'p-1', PROM), { version: '1.2', schema: 'failsafe' })
      const found = document.getIn(['storage', 'any'], true)
      expect(isMap(found) || isScalar(found) || found !== undefined).toBe(true)
      expect((document.toJS() as { storage: { any: unknown } }).storage.any).toEqual(value)
    }),
    { numRuns: 100 },
  )
})

describe('settings of one host', () => {
  test('are joined key by key with those of its groups; what a program reads as it is is replaced whole', async () => {
    const files = {
      'hosts.yml': inventory({}),
      'host_vars/a-1.yml': 'alertmanager: { cluster: { label: x }, retention: 5d }\n',
      'host_vars/p-1.yml':
        'prometheus: { external_labels: { zone: b }, storage: { exemplars: {} } }\nvestal: { arch: arm64 }\n',
      'group_vars/all.yml':
        'vestal: { releases: "file:/srv/m" }\nprometheus: { external_labels: { region: eu }, storage: { tsdb: {} } }\n',
    }
    using made = await fleet(files)
    expect(alertmanager.varsOf(made.host('a-1'))).toMatchObject({
      version: '0.33.1',
      cluster: { label: 'x', port: 9094 },
    })
    expect(made.command('alertmanager', 'a-1')).toContain('--data.retention=120h')
    expect(made.host('p-1').vars.prometheus).toEqual({
      version: '3.5.3',
      external_labels: { region: 'eu', zone: 'b' },
      storage: { exemplars: {} },
    })
    expect(made.host('p-1').machine).toMatchObject({ arch: 'arm64', releases: 'file:/srv/m' })
  })
  test('have their mistakes told in the file that they stand in', async () => {
    const files = { 'hosts.yml': inventory({}), 'host_vars/a-1.yml': 'alertmanager:\n  cluster: { port: 0 }\n' }
    await expect(fleet(files)).rejects.toThrow(/host_vars\/a-1\.yml:2:20: alertmanager\.cluster\.port: expected a port/)
  })
})

describe('a mirror’s password', () => {
  const mirrored = (releases: string) => ({
    'hosts.yml': `node_exporter: { hosts: { n-1: { ansible_host: 192.0.2.1 } }, vars: { node_exporter: { version: 1.11.1 }, vestal: { releases: ${releases} } } }\n`,
  })
  const URL = 'http://bob:s3cret-pass@mirror.example.net/{owner}/{repo}/{name}-{version}.{os}-{arch}.tar.gz'
  test.each([`"${URL}"`, '{ $env: MIRROR }'])('prints nowhere, written as %s', async (written) => {
    using made = await fleet(mirrored(written), { MIRROR: URL })
    const { machine } = made.host('n-1')
    expect(JSON.stringify([made.inventory, inventoryJson(made.inventory)])).not.toContain('s3cret')
    expect(machine.releases instanceof Secret && machine.releases.reveal()).toBe(URL)
    expect(redactor(made.inventory)('fetching s3cret-pass')).toBe('fetching [secret]')
  })
  test('is a mistake where the rest is no address, without being told', async () => {
    await expect(fleet(mirrored('{ $env: MIRROR }'), { MIRROR: 'ftp://bob:s3cret@h/{version}' })).rejects.toThrow(
      /hosts\.yml:1:\d+: vestal\.releases: expected a URL \(http, https\) or file:\/folder, got a secret/,
    )
  })
})

test('a webhook’s token is a secret, and its plain address is not', async () => {
  const text = inventory({}).replace(
    '{ name: pager }',
    "{ name: pager, webhook_configs: [{ url: 'https://h.example.net/alert?token=s3cret-one' }, { url: 'https://h.example.net/hooks/abcdef0123456789s3cret' }, { url: 'http://10.0.0.1:9099/alerts' }] }",
  )
  using made = await fleet({ 'hosts.yml': text })
  const shown = JSON.stringify(inventoryJson(made.inventory))
  expect(shown).not.toContain('s3cret')
  expect(shown).toContain('http://10.0.0.1:9099/alerts')
})
