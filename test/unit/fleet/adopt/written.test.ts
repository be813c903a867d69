/** What goes in comes out: a fleet's own files, adopted and rendered again, mean what they meant. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { type Adoption, adoptFleet } from '../../../../fleet/adopt/adopt.ts'
import { writeAdoption } from '../../../../fleet/adopt/write.ts'
import { InputError } from '../../../../lib/errors.ts'
import { loadInventory } from '../../../../lib/inventory/load.ts'
import type { Host, Inventory, Task } from '../../../../lib/model.ts'
import { scopeOf } from '../../../../lib/playbook.ts'
import { bytesOf, type Content } from '../../../../lib/secret.ts'
import { shippedRoles } from '../../../../roles/registry.ts'
import { connectionTo, hostOf, type Machine, says } from './machine.ts'

const PROMETHEUS = `# Theirs.
global:
  scrape_interval: 30s
  external_labels: {env: "yes", zone: 01, prom: one, since: 2019-01-02}
  query_log_file: /var/log/q.log
x-common: &common
  honor_labels: yes
  sample_limit: 1000
rule_files: [rules/*.yml, /srv/more/*.rules]
alerting:
  alert_relabel_configs:
  - {regex: prom, action: labeldrop}
  - {source_labels: [severity], regex: 'low|$1', action: drop}
  alertmanagers:
  - static_configs: [{targets: ['10.0.0.3:9093', "am-2:9093"]}]
  - static_configs: [{targets: [elsewhere:9093]}]
scrape_configs:
- job_name: 'self'
  static_configs: [{targets: ['localhost:9090'], labels: {page: on, n: 1.10, t: 17:00}}]
- <<: *common
  job_name: db
  scheme: https
  tls_config: {ca_file: tls/ca.pem}
  authorization: {credentials_file: secret/token}
  params: {match: ['{__name__=~"a|b"}'], n: [0x1F]}
  file_sd_configs: [{files: ['sd/db*.yml']}, {files: [/srv/generated/*.json]}]
remote_write:
- url: https://user:sesame@far.example/push
  queue_config: {max_shards: 20}
`
const ALERTMANAGER = `templates: [tmpl/*.tmpl]
route: {receiver: 'null', group_by: ['...'], routes: [{matchers: [page = yes], receiver: chat, continue: true}]}
receivers:
- name: 'null'
- name: chat
  slack_configs: [{api_url_file: slack, channel: '#a', title: '{{ template "t" . }}{{ end }}', color: '{{ if eq .Status "firing" }}danger{{ end }}'}]
  webhook_configs: [{url: 'http://10.1.1.1/hook'}]
  email_configs: [{to: a@b, auth_password: 0123, smarthost: x:25, from: c@d, headers: {Subject: no}}]
time_intervals: [{name: out, time_intervals: [{times: [{start_time: 17:00, end_time: 24:00}]}]}]
`
const prometheus = (name: string, address: string, own: string): Machine => ({
  name,
  address,
  processes: [
    {
      unit: 'prom-server.service',
      user: 'prom',
      folder: '/srv/p',
      version: says('prometheus', '2.53.3'),
      command: [
        '/opt/prometheus',
        ...['--config.file=prometheus.yml', '--storage.tsdb.path=tsdb/', '--storage.tsdb.retention.time=1w2d'],
        ...[
          '--storage.tsdb.retention.size=512MB',
          '--web.external-url=https://prom.example/p/',
          '--web.enable-lifecycle',
        ],
        ...['--query.max-samples', '1000', '--no-scrape.adjust-timestamps', '--enable-feature=a,b'],
      ],
    },
    {
      unit: 'prometheus-node-exporter.service',
      version: says('node_exporter', '1.5.0'),
      command: ['/usr/bin/prometheus-node-exporter', '--collector.systemd', '--no-collector.wifi', '--log.format=json'],
    },
  ],
  files: {
    '/srv/p/prometheus.yml': PROMETHEUS.replace('prom: one', `prom: ${own}`),
    '/srv/p/rules/a.yml': 'groups: [{name: a, rules: [{record: a:b, expr: "1"}]}]\n',
    '/srv/more/a.rules': 'groups: [{name: c, rules: [{alert: X, expr: "1", annotations: {s: "{{ $value }}"}}]}]\n',
    '/srv/p/sd/db1.yml': '- targets: [db-1:9187]\n',
    '/srv/generated/x.json': '[{"targets": ["gen:1"]}]',
    '/srv/p/secret/token': 'the-token\n',
    '/srv/p/tls/ca.pem': 'CERT',
    '/etc/systemd/system/prom-server.service': '[Service]\nExecStart=/opt/prometheus \\\n --other=1\n',
  },
})
const alertmanager = (name: string, address: string): Machine => ({
  name,
  address,
  processes: [
    {
      unit: 'alertmanager.service',
      user: 'alertmanager',
      folder: '/etc/am',
      version: says('alertmanager', '0.28.1'),
      command: [
        '/usr/local/bin/alertmanager',
        '--config.file=/etc/am/am.yml',
        '--cluster.peer=10.0.0.3:9094',
        '--cluster.peer=10.0.0.4:9094',
        '--cluster.peer-timeout=20s',
      ],
    },
  ],
  files: {
    '/etc/am/am.yml': ALERTMANAGER,
    '/etc/am/slack': 'https://hooks.slack.example/services/x\n',
    '/etc/am/tmpl/t.tmpl': '{{ define "t" }}x{{ end }}\n',
  },
})
const machines = [
  prometheus('prom-1', '10.0.0.1', 'one'),
  prometheus('prom-2', '10.0.0.2', 'two'),
  alertmanager('am-1', '10.0.0.3'),
  alertmanager('am-2', '10.0.0.4'),
]
const adopted = (some: readonly Machine[]): Promise<Adoption> =>
  adoptFleet(some.map(hostOf), {
    forks: 4,
    reach: async (host) => connectionTo(some.find(({ name }) => name === host.name) as Machine),
  })

const out = join(mkdtempSync(join(tmpdir(), 'vestal-adopt-')), 'out')
let adoption: Adoption
let inventory: Inventory
beforeAll(async () => {
  adoption = await adopted(machines)
  writeAdoption(out, adoption)
  inventory = await loadInventory([out], shippedRoles)
})

const host = (name: string): Host => inventory.hosts.find((one) => one.name === name) as Host
/** A file as a role would write it on a host. */
const rendered = (role: string, name: string, path: string): string => {
  const one = shippedRoles.find((some) => some.name === role)
  const task = one?.tasks(scopeOf(one, host(name), inventory)).find(({ key }) => key === path) as Task & {
    readonly data: { readonly content: Content }
  }
  return bytesOf(task.data.content).toString()
}
const data = (text: string) => parse(text, { merge: true, schema: 'failsafe' })

test('a prometheus.yml means what it meant, with what Vestal adds and nothing else', () => {
  const { 'x-common': _, ...was } = data(PROMETHEUS)
  const is = data(rendered('prometheus', 'prom-1', '/etc/prometheus/prometheus.yml'))
  expect(is).toEqual({
    ...was,
    global: { ...was.global, evaluation_interval: '1m' },
    rule_files: ['/etc/prometheus/rules/*.yml'],
    alerting: {
      alert_relabel_configs: was.alerting.alert_relabel_configs,
      alertmanagers: [
        { api_version: 'v2', static_configs: [{ targets: ['10.0.0.3:9093', '10.0.0.4:9093'] }] },
        was.alerting.alertmanagers[1],
      ],
    },
    scrape_configs: [
      {
        job_name: 'vestal_canary',
        params: { 'collect[]': ['textfile'] },
        metric_relabel_configs: [{ source_labels: ['__name__'], regex: 'vestal_canary_.+', action: 'keep' }],
        file_sd_configs: [{ files: ['/etc/prometheus/file_sd/vestal_canary.yml'] }],
      },
      was.scrape_configs[0],
      {
        ...was.scrape_configs[1],
        honor_labels: 'true',
        tls_config: { ca_file: '/srv/p/tls/ca.pem' },
        authorization: { credentials: 'the-token' },
        file_sd_configs: [{ files: ['targets/db1.yml'] }, { files: ['/srv/generated/*.json'] }],
      },
    ],
  })
})

test('an alertmanager.yml too', () => {
  const was = data(ALERTMANAGER)
  const { templates, ...is } = data(rendered('alertmanager', 'am-1', '/etc/alertmanager/alertmanager.yml'))
  expect(templates).toEqual(['/etc/alertmanager/templates/*.tmpl'])
  const { templates: _, ...rest } = was
  const [nobody, chat] = was.receivers
  const { api_url_file: __, ...slack } = chat.slack_configs[0]
  expect({
    ...is,
    route: { ...is.route, routes: is.route.routes.slice(1) },
    receivers: is.receivers.slice(0, 2),
  }).toEqual({
    ...rest,
    receivers: [nobody, { ...chat, slack_configs: [{ ...slack, api_url: 'https://hooks.slack.example/services/x' }] }],
  })
  expect(rendered('alertmanager', 'am-2', '/etc/alertmanager/templates/t.tmpl')).toBe('{{ define "t" }}x{{ end }}\n')
})

test('flags become settings, and replicas are told apart by the label that they have', () => {
  const vars = host('prom-2').vars.prometheus
  expect(vars).toMatchObject({
    version: '2.53.3',
    replica_label: 'prom',
    replica: 'two',
    replaces: ['prom-server.service'],
    storage_dir: '/srv/p/tsdb',
    retention: { time: '1w2d', size: '512MB' },
    external_url: 'https://prom.example/p/',
    extra_flags: {
      'web.enable-lifecycle': true,
      'query.max-samples': '1000',
      'scrape.adjust-timestamps': false,
      'enable-feature': 'a,b',
    },
    external_labels: { env: 'yes', zone: '01', since: '2019-01-02' },
  })
  expect(host('prom-1').vars.node_exporter).toMatchObject({
    collectors: { enable: ['systemd'], disable: ['wifi'] },
    extra_flags: { 'log.format': 'json' },
    replaces: ['prometheus-node-exporter.service'],
  })
  expect(host('am-1').vars.alertmanager).toMatchObject({ data_dir: '/etc/am/data', cluster: { peer_timeout: '20s' } })
})

test('secrets are in files of mode 0600, and nowhere else', () => {
  const all = readdirSync(out, { recursive: true, withFileTypes: true }).filter((one) => one.isFile())
  const secrets = all.filter(({ parentPath }) => parentPath.endsWith('/secrets'))
  expect(secrets.map(({ name }) => readFileSync(join(out, 'secrets', name), 'utf8')).sort()).toEqual([
    '0123',
    'https://hooks.slack.example/services/x',
    'https://user:sesame@far.example/push',
    'the-token',
  ])
  for (const { name } of secrets) expect(statSync(join(out, 'secrets', name)).mode & 0o777).toBe(0o600)
  const others = all
    .filter((one) => !secrets.includes(one))
    .map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'utf8'))
  expect(others.join('\n')).not.toMatch(/sesame|the-token|hooks\.slack|0123/)
})

test('rule files of the same name stay apart, and files that others write are left to them', () => {
  expect(readdirSync(join(out, 'rules')).sort()).toEqual(['a.yml', 'more-a.yml'])
  expect(readdirSync(join(out, 'targets'))).toEqual(['db1.yml'])
  expect(adoption.notes).toContainEqual(
    expect.objectContaining({ kind: 'look', what: expect.stringContaining('/srv/generated/*.json stays where it is') }),
  )
})

test('what can’t be said is named, with file and line', () => {
  expect(adoption.notes).toContainEqual({
    host: 'prom-1',
    kind: 'left',
    where: '/srv/p/prometheus.yml:6',
    what: 'has a section x-common, which no setting stands for',
  })
  expect(adoption.notes).toContainEqual(
    expect.objectContaining({
      host: 'prom-1',
      where: '/etc/systemd/system/prom-server.service',
      what: expect.stringContaining('would start prometheus otherwise than it runs'),
    }),
  )
  expect(adoption.notes).toContainEqual(
    expect.objectContaining({
      host: 'prom-1',
      where: expect.stringMatching(/prometheus\.yml:23/),
      what: expect.stringContaining('which the account prometheus can’t read'),
    }),
  )
})

test('hosts of a role that differ are named, and keep what is theirs', async () => {
  const [one, two] = machines as [Machine, Machine, ...Machine[]]
  const other = {
    ...two,
    files: {
      ...two.files,
      '/srv/p/prometheus.yml': (two.files?.['/srv/p/prometheus.yml'] ?? '').replace('17:00', '18:00'),
      '/srv/p/rules/a.yml': 'groups: [{name: a, rules: [{record: a:b, expr: "2"}]}]\n',
    },
    processes: two.processes?.map((process) => ({
      ...process,
      command: process.command.map((word) => word.replace('1w2d', '30d')),
    })),
  }
  const { notes, hosts } = await adopted([one, other, ...machines.slice(2)])
  const differing = notes.filter(({ kind }) => kind === 'differs').map(({ where, what }) => `${where}: ${what}`)
  expect(differing).toEqual(
    expect.arrayContaining([
      'prometheus.scrape_configs: is not the same on prom-1, prom-2: self',
      'prometheus.retention.time: is not the same: prom-1: 1w2d; prom-2: 30d',
      '/srv/p/rules/a.yml: is not the same on all hosts of prometheus',
    ]),
  )
  expect(hosts.find(({ host: { name } }) => name === 'prom-2')?.vars.rules).toEqual({
    folders: ['rules', 'rules-prom-2'],
  })
})

const HASH = '$2b$12$hNf2lSsxfm0.i4a.1kVpSOVyBCfIB51VRjgBUyv6kdnyTlgWj81Ay'
const guarded = (config: string): Machine => ({
  name: 'web',
  address: '10.0.0.8',
  processes: [
    {
      unit: 'prometheus.service',
      version: says('prometheus', '2.53.3'),
      command: [
        '/usr/bin/prometheus',
        '--config.file=/etc/prometheus/prometheus.yml',
        '--web.config.file=/etc/prometheus/web.yml',
      ],
    },
  ],
  files: {
    '/etc/prometheus/prometheus.yml': config,
    '/etc/prometheus/web.yml': `tls_server_config: {cert_file: ../tls/c.pem, key_file: /k.pem}\nbasic_auth_users: {admin: '${HASH}'}\n`,
  },
})

test('a web port is asked as somebody asks it already, and its hashes are secrets', async () => {
  const job = `scrape_configs: [{job_name: self, scheme: https, basic_auth: {username: admin, password: test}, tls_config: {insecure_skip_verify: true}, static_configs: [{targets: ['localhost:9090']}]}]\n`
  const found = await adopted([guarded(job)])
  const folder = join(mkdtempSync(join(tmpdir(), 'vestal-web-')), 'out')
  writeAdoption(folder, found)
  const group = readFileSync(join(folder, 'group_vars/prometheus.yml'), 'utf8')
  expect(group).not.toContain(HASH)
  expect(parse(group).prometheus).toMatchObject({
    web_config: {
      tls_server_config: { cert_file: '/etc/tls/c.pem', key_file: '/k.pem' },
      basic_auth_users: { admin: { $file: expect.stringContaining('secrets/') } },
    },
    web_user: { username: 'admin', password: { $file: expect.stringContaining('secrets/') } },
    web_client_tls: { insecure_skip_verify: true },
  })
  expect((await loadInventory([folder], shippedRoles)).hosts).toHaveLength(1)
})

test('dollar signs in external labels mean what they meant to Prometheus 3', async () => {
  const three = (config: string): Machine => {
    const one = guarded(config)
    return {
      ...one,
      processes: one.processes?.map((process) => ({ ...process, version: says('prometheus', '3.5.3') })),
    }
  }
  const { groups, notes } = await adopted([three('global: {external_labels: {price: "5$$", zone: "${ZONE}"}}\n')])
  expect(groups.get('prometheus')?.vars.prometheus).toMatchObject({ external_labels: { price: '5$' } })
  expect(notes.filter(({ what }) => what.includes('variable')).map(({ what }) => what)).toEqual([
    expect.stringContaining('label zone'),
  ])
})

test('where nobody knows the password, it is said what is to be written', async () => {
  const { notes } = await adopted([guarded('global: {}\n')])
  expect(notes).toContainEqual(
    expect.objectContaining({
      kind: 'left',
      fix: expect.stringContaining('web_user'),
      what: expect.stringContaining('users admin'),
    }),
  )
})

const prefixed = (...flags: readonly string[]): Machine => {
  const one = guarded('global: {}\n')
  const { processes = [] } = one
  return { ...one, processes: processes.map((process) => ({ ...process, command: [...process.command, ...flags] })) }
}

test.each([
  [['--web.external-url=https://x.example/p/'], { external_url: 'https://x.example/p/' }],
  [['--web.external-url=https://x.example/p/', '--web.route-prefix=/p'], { external_url: 'https://x.example/p/' }],
  [
    ['--web.external-url=https://x.example/p/', '--web.route-prefix=/'],
    { external_url: 'https://x.example/p/', route_prefix: '/' },
  ],
  [['--web.external-url=/p/'], { route_prefix: '/p' }],
  [['--web.route-prefix=/q/'], { route_prefix: '/q' }],
])('where pages are served is kept: %s', async (flags, is) => {
  const { groups } = await adopted([prefixed(...flags)])
  const { external_url, route_prefix } = (groups.get('prometheus')?.vars.prometheus ?? {}) as Record<string, unknown>
  expect({ external_url, route_prefix }).toEqual({ external_url: undefined, route_prefix: undefined, ...is })
})

test('an exporter keeps its own flags of where its pages are', async () => {
  const command = ['/usr/bin/blackbox_exporter', '--web.external-url=https://x.example/b/', '--web.route-prefix=/b']
  const processes = [{ unit: 'blackbox_exporter.service', version: says('blackbox_exporter', '0.25.0'), command }]
  const { hosts } = await adopted([{ name: 'probe', address: '10.0.0.8', processes }])
  expect(hosts[0]?.vars.exporters).toMatchObject({
    blackbox: { extra_flags: { 'web.external-url': 'https://x.example/b/', 'web.route-prefix': '/b' } },
  })
})

test('paths that a distribution’s build takes without a flag are found', async () => {
  const debian: Machine = {
    name: 'deb',
    address: '10.0.0.9',
    processes: [
      {
        unit: 'prometheus.service',
        version: says('prometheus', '2.42.0+ds'),
        command: ['/usr/bin/prometheus', '--storage.tsdb.retention.time=30d'],
        usual: 'config.file=/etc/prometheus/prometheus.yml\nstorage.tsdb.path=/var/lib/prometheus/metrics2/',
      },
    ],
    files: { '/etc/prometheus/prometheus.yml': 'global: {scrape_interval: 7s}\n' },
  }
  const { groups } = await adopted([debian])
  expect(groups.get('prometheus')?.vars.prometheus).toMatchObject({
    storage_dir: '/var/lib/prometheus/metrics2',
    retention: { time: '30d' },
  })
  expect(JSON.stringify(groups.get('prometheus')?.vars)).toContain('"scrape_interval":"7s"')
})

test('a folder that is there is refused, empty or not', () => {
  const there = mkdtempSync(join(tmpdir(), 'vestal-there-'))
  expect(() => writeAdoption(there, adoption)).toThrow(InputError)
  expect(() => writeAdoption(out, adoption)).toThrow(/is there already/)
  mkdirSync(join(there, 'x'))
  expect(readdirSync(there)).toEqual(['x'])
})

test('a file’s name on a host leads nowhere on the controller', async () => {
  const [one] = machines as [Machine]
  const evil = {
    ...one,
    files: {
      ...one.files,
      '/srv/p/prometheus.yml': 'rule_files: [rules/*]\n',
      '/srv/p/rules/..\\..\\x.yml': 'groups: []\n',
      '/srv/p/rules/.hidden.yml': 'groups: []\n',
      '/srv/p/rules/a\nb.yml': 'groups: []\n',
      '/srv/p/rules/.._.._evil.yml': 'groups: []\n',
    },
  }
  const { files } = await adopted([evil])
  for (const name of files.keys()) expect(name).toMatch(/^rules\/[\w][\w.-]*$/)
})
