import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { fleet, hostsFile, route } from './fleet.ts'

const CONFIG = '/etc/prometheus/prometheus.yml'
const groups = {
  prometheus: { 'prom-1': { ansible_host: '10.0.0.1' }, 'prom-2': { ansible_host: '10.0.0.2' } },
  alertmanager: { 'am-1': { ansible_host: '10.0.0.3' }, 'am-2': { ansible_host: '10.0.0.4' } },
  node_exporter: { 'prom-1': {}, 'node-1': { ansible_host: 'fd00::9' } },
}
const withVars = (prometheus: object, vars: object = {}) =>
  fleet({
    'hosts.yml': hostsFile(groups, {
      prometheus: { version: '3.5.3', ...prometheus },
      alertmanager: { version: '0.33.1', config: route },
      ...vars,
    }),
  })

describe('replicas', () => {
  test('differ in nothing but the value of the replica label', async () => {
    using made = await withVars({ cluster: 'eu' })
    const [first, second] = ['prom-1', 'prom-2'].map((host) => made.text('prometheus', host, CONFIG))
    expect(first).toContain('    replica: prom-1\n')
    expect(second).toBe(first?.replace('    replica: prom-1\n', '    replica: prom-2\n'))
    expect(made.command('prometheus', 'prom-1')).toEqual(made.command('prometheus', 'prom-2'))
  })

  test('send alerts without the replica label, so that those of both are one', async () => {
    using made = await withVars({ replica_label: 'prometheus_replica' })
    const { alerting, global } = parse(made.text('prometheus', 'prom-1', CONFIG))
    expect(global.external_labels).toEqual({ prometheus_replica: 'prom-1' })
    expect(alerting.alert_relabel_configs).toEqual([{ action: 'labeldrop', regex: 'prometheus_replica' }])
  })

  test('send to every Alertmanager of the inventory', async () => {
    using made = await withVars({})
    const { alerting } = parse(made.text('prometheus', 'prom-2', CONFIG))
    expect(alerting.alertmanagers).toEqual([
      { api_version: 'v2', static_configs: [{ targets: ['10.0.0.3:9093', '10.0.0.4:9093'] }] },
    ])
  })

  test('send below the path of an Alertmanager’s external URL', async () => {
    using made = await withVars(
      {},
      { alertmanager: { version: '0.33.1', config: route, external_url: 'https://x.example.net/alerts/' } },
    )
    const { alerting, scrape_configs } = parse(made.text('prometheus', 'prom-2', CONFIG))
    expect(alerting.alertmanagers[0].path_prefix).toBe('/alerts')
    expect(scrape_configs).toContainEqual(
      expect.objectContaining({ job_name: 'alertmanager', metrics_path: '/alerts/metrics' }),
    )
  })

  test('send to where an Alertmanager’s pages are, behind a proxy that takes the URL’s path off', async () => {
    const web = { external_url: 'https://x.example.net/alerts/', route_prefix: '/' }
    using made = await withVars({}, { alertmanager: { version: '0.33.1', config: route, ...web } })
    const { alerting, scrape_configs } = parse(made.text('prometheus', 'prom-2', CONFIG))
    expect(alerting.alertmanagers[0].path_prefix).toBeUndefined()
    expect(
      scrape_configs.find(({ job_name: job }: { job_name: string }) => job === 'alertmanager').metrics_path,
    ).toBeUndefined()
    expect(
      made.command(
        'alertmanager',
        made.inventory.hosts.find(({ groups }) => groups.includes('alertmanager'))?.name ?? '',
      ),
    ).toContain('--web.route-prefix=/')
  })
})

test.each([
  ['3.5.3', 'a$$b$${c}'],
  ['2.53.3', 'a$b${c}'],
])('an external label with a $ reaches Prometheus %s unchanged', async (version, written) => {
  using made = await withVars({ version, external_labels: { site: 'a$b${c}' } })
  expect(parse(made.text('prometheus', 'prom-1', CONFIG)).global.external_labels.site).toBe(written)
})

describe('a ring of Cortex Alertmanagers', () => {
  const ring = (
    prometheus: object,
    instances: object = { 'ring-1': { ansible_host: '10.0.0.7' }, 'ring-2': { ansible_host: '10.0.0.8' } },
    cortex: object = {},
  ) =>
    fleet({
      'hosts.yml': hostsFile(
        {
          prometheus: { 'prom-1': { ansible_host: '10.0.0.1' } },
          cortex_alertmanager: instances as Record<string, object>,
        },
        {
          prometheus: { version: '3.5.3', ...prometheus },
          cortex_alertmanager: {
            version: '1.21.1',
            storage: { backend: 'filesystem', dir: '/srv/shared' },
            ...cortex,
          },
        },
      ),
    })

  test('is sent the alerts of each tenant under its name, and canary alerts under theirs alone', async () => {
    using made = await ring({ tenants: ['a', 'b'] })
    const { alerting, scrape_configs } = parse(made.text('prometheus', 'prom-1', CONFIG))
    const entry = (tenant: string, action = 'drop') => ({
      api_version: 'v2',
      path_prefix: '/alertmanager',
      http_headers: { 'X-Scope-OrgID': { values: [tenant] } },
      alert_relabel_configs: [{ source_labels: ['alertname', 'vestal'], regex: 'VestalCanary;canary', action }],
      static_configs: [{ targets: ['10.0.0.7:9009', '10.0.0.8:9009'] }],
    })
    expect(alerting.alertmanagers).toEqual([entry('a'), entry('b'), entry('vestal-canary', 'keep')])
    expect(made.text('prometheus', 'prom-1', '/etc/prometheus/rules/vestal-canary.yml')).toContain('VestalCanary')
    expect(scrape_configs).toContainEqual(expect.objectContaining({ job_name: 'cortex-alertmanager' }))
  })

  test('is sent no canary alerts where these are turned off, and no tenant gets one', async () => {
    using made = await ring({ tenants: ['a'] }, undefined, { canary: { enabled: false } })
    const { alertmanagers } = parse(made.text('prometheus', 'prom-1', CONFIG)).alerting
    expect(alertmanagers).toMatchObject([{ alert_relabel_configs: [{ action: 'drop' }] }])
    expect(() => made.text('prometheus', 'prom-1', '/etc/prometheus/rules/vestal-canary.yml')).toThrow()
  })

  test('is sent nothing without tenants', async () => {
    using made = await ring({})
    expect(parse(made.text('prometheus', 'prom-1', CONFIG)).alerting.alertmanagers).toEqual([])
  })

  test('cannot be sent to by a version that sends no headers, nor where there is none', async () => {
    using old = await ring({ version: '2.53.3', tenants: ['a'] })
    expect(() => old.tasks('prometheus', 'prom-1')).toThrow(/Prometheus 2\.53\.3 sends no headers/)
    using none = await ring({ tenants: ['a'] }, {})
    expect(() => none.tasks('prometheus', 'prom-1')).toThrow(/no host is in the group cortex_alertmanager/)
  })
})

describe('targets', () => {
  test('come from the inventory, known by their hosts’ names', async () => {
    using made = await withVars({})
    expect(parse(made.text('prometheus', 'prom-1', '/etc/prometheus/file_sd/node.yml'))).toEqual([
      { targets: ['10.0.0.1:9100'], labels: { instance: 'prom-1:9100' } },
      { targets: ['[fd00::9]:9100'], labels: { instance: 'node-1:9100' } },
    ])
    const { scrape_configs } = parse(made.text('prometheus', 'prom-1', CONFIG))
    expect(scrape_configs).toContainEqual({
      job_name: 'node',
      file_sd_configs: [{ files: ['/etc/prometheus/file_sd/node.yml'] }],
    })
  })

  test('the ports are those on which the hosts’ programs listen', async () => {
    using made = await withVars({}, { node_exporter: { version: '1.11.1', listen: ':9999' } })
    expect(made.text('prometheus', 'prom-1', '/etc/prometheus/file_sd/node.yml')).toContain('- 10.0.0.1:9999\n')
  })

  test('a job of one’s own covers a group, with labels and any field of a scrape config', async () => {
    const blackbox = { group: 'alertmanager', port: 9115, labels: { team: 'yes' }, config: { scrape_interval: '1m' } }
    using made = await withVars({ targets: { blackbox, node: null } })
    expect(parse(made.text('prometheus', 'prom-1', '/etc/prometheus/file_sd/blackbox.yml'))[1]).toEqual({
      targets: ['10.0.0.4:9115'],
      labels: { instance: 'am-2:9115', team: 'yes' },
    })
    const { scrape_configs } = parse(made.text('prometheus', 'prom-1', CONFIG))
    const jobs = scrape_configs.map(({ job_name }: { job_name: string }) => job_name)
    expect(jobs).toEqual(['prometheus', 'alertmanager', 'blackbox'])
    expect(scrape_configs[2].scrape_interval).toBe('1m')
  })

  test('scrape configs pass through as they are', async () => {
    const own = {
      job_name: 'own "job"',
      static_configs: [{ targets: ['a:1'] }],
      relabel_configs: [{ regex: '(.*)$1' }],
    }
    using made = await withVars({ scrape_configs: [own] })
    expect(parse(made.text('prometheus', 'prom-1', CONFIG)).scrape_configs).toContainEqual(own)
  })
})

test('Alertmanagers outside group alertmanager are refused, with what to write in their place', async () => {
  await expect(withVars({ alertmanager_group: 'node_exporter' })).rejects.toThrow(
    /hosts\.yml:1:\d+: prometheus\.alertmanager_group: prom-1, node-1 of group node_exporter are in no group alertmanager[\s\S]*write alerting: \{ alertmanagers:/,
  )
})

test('sizes are written as Prometheus reads them, and flags of one’s own come last', async () => {
  using made = await withVars({
    retention: { time: '2d', size: '512MiB' },
    extra_flags: {
      'web.enable-lifecycle': true,
      'query.timeout': '1m',
      'enable-feature': ['a', 'b'],
    },
  })
  const command = made.command('prometheus', 'prom-1')
  expect(command).toEqual([
    '/usr/local/bin/prometheus',
    '--config.file=/etc/prometheus/prometheus.yml',
    '--storage.tsdb.path=/var/lib/prometheus',
    '--storage.tsdb.retention.time=2d',
    '--storage.tsdb.retention.size=512MB',
    '--web.listen-address=0.0.0.0:9090',
    '--rules.alert.resend-delay=1m',
    '--log.level=info',
    '--web.enable-lifecycle',
    '--query.timeout=1m',
    '--enable-feature=a',
    '--enable-feature=b',
  ])
})

test('a web port that asks for client certificates is refused, because gates have none', async () => {
  const web_config = { tls_server_config: { cert_file: '/x', client_auth_type: 'RequireAndVerifyClientCert' } }
  await expect(withVars({ web_config })).rejects.toThrow(/client certificates cannot be required/)
})

test('TLS on the web port is how each Prometheus is scraped', async () => {
  using made = await withVars({
    web_config: { tls_server_config: { cert_file: '/x', key_file: '/y' } },
    web_client_tls: { ca_file: '/ca' },
  })
  const { scrape_configs } = parse(made.text('prometheus', 'prom-1', '/etc/prometheus/prometheus.yml'))
  expect(scrape_configs).toContainEqual(
    expect.objectContaining({ job_name: 'prometheus', scheme: 'https', tls_config: { ca_file: '/ca' } }),
  )
})

test('a web config is kept from others and checked by the version that will read it', async () => {
  using made = await withVars({
    version: '2.53.3',
    web_config: { basic_auth_users: { vestal: `$2y$05$${'x'.repeat(53)}` } },
    web_user: { username: 'vestal', password: 'x' },
  })
  const task = made.tasks('prometheus', 'prom-1').find(({ key }) => key === '/etc/prometheus/web.yml')
  expect(task?.desired).toMatchObject({ mode: '0640', group: 'prometheus' })
  expect(task?.data).toMatchObject({ validate: '/opt/vestal/prometheus/2.53.3/promtool check web-config "$1"' })
  expect(made.command('prometheus', 'prom-1')).toContain('--web.config.file=/etc/prometheus/web.yml')
})

test('a data folder with a space stands quoted in the unit', async () => {
  using made = await withVars({ storage_dir: '/srv/a b' })
  expect(made.unitText('prometheus', 'prom-1')).toContain('\nReadWritePaths="/srv/a b"\n')
  expect(made.unitText('prometheus', 'prom-1')).toContain('  "--storage.tsdb.path=/srv/a b" \\\n')
})

test('rules and config are checked before the version is switched, and the service comes last', async () => {
  using made = await withVars({})
  const order = made.tasks('prometheus', 'prom-1').map(({ kind, key }) => `${kind.name} ${key}`)
  const at = (id: string) => order.indexOf(id)
  expect(at('release prometheus 3.5.3')).toBeLessThan(at('file /etc/prometheus/rules/vestal-watchdog.yml'))
  expect(at('file /etc/prometheus/rules/vestal-watchdog.yml')).toBeLessThan(at(`file ${CONFIG}`))
  expect(at('file /etc/prometheus/file_sd/node.yml')).toBeLessThan(at(`file ${CONFIG}`))
  expect(at(`file ${CONFIG}`)).toBeLessThan(at('symlink /opt/vestal/prometheus/current'))
  expect(at('symlink /opt/vestal/prometheus/current')).toBeLessThan(at('unit prometheus.service'))
  expect(order.at(-1)).toBe('service prometheus')
})
