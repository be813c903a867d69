/** A fleet as the Ansible collection prometheus.prometheus leaves it: its accounts, folders, units and flags; with TLS and passwords on web ports. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect } from '../../../lib/connection/connect.ts'
import { loadInventory } from '../../../lib/inventory/load.ts'
import { ADDRESSES, type Member } from '../deploy/fleet.ts'
import { binariesTo } from '../roles/takeover-machine.ts'
import { onHost, resetHost, vestal } from '../vestal.ts'
import { adopt, hostsOnly, newFolder, silenceBody, takeOver, until } from './fleet.ts'

const ALERTMANAGERS = ['am-1', 'am-2'] as const satisfies readonly Member[]
const MEMBERS = ['prom-1', ...ALERTMANAGERS] as const satisfies readonly Member[]
const given = hostsOnly(MEMBERS)
const out = newFolder()
/** Of the password `test`, as the documentation of Prometheus has it (docs/guides/basic-auth). */
const HASH = '$2b$12$hNf2lSsxfm0.i4a.1kVpSOVyBCfIB51VRjgBUyv6kdnyTlgWj81Ay'

const certificates = mkdtempSync(join(tmpdir(), 'vestal-web-'))
const certificate = (name: Member): string => {
  const [key, cert] = [join(certificates, `${name}.key`), join(certificates, `${name}.crt`)]
  const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=IP:${ADDRESSES[name]},IP:127.0.0.1`]
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', cert, ...subject],
    { stdio: 'pipe' },
  )
  return `${readFileSync(cert, 'utf8')}${readFileSync(key, 'utf8')}`
}

/** As roles/_common/templates/*.service.j2 of the collection have it. */
const unit = (
  name: string,
  user: string,
  flags: readonly string[],
): string => `cat >/etc/systemd/system/${name}.service <<'END'
#
# Ansible managed
#
[Unit]
Description=${name}
After=network-online.target
StartLimitInterval=0
StartLimitIntervalSec=0
[Service]
Type=simple
User=${user}
Group=${user}
ExecReload=/bin/kill -HUP $MAINPID
ExecStart=/usr/local/bin/${name} \\
${flags.map((flag) => `  '--${flag}'`).join(' \\\n')}
SyslogIdentifier=${name}
Restart=always
RestartSec=1
ProtectHome=yes
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths=/var/lib
[Install]
WantedBy=multi-user.target
END
`
const account = (name: string): string => `groupadd --system ${name}
useradd --system --gid ${name} --no-create-home --home-dir / --shell /usr/sbin/nologin ${name}
install -d -m 0770 -o root -g ${name} /etc/${name === 'node-exp' ? 'node_exporter' : name}
`
const web = (name: Member, folder: string, user: string): string => `cat >/etc/${folder}/cert.pem <<'END'
${certificate(name)}END
chown root:${user} /etc/${folder}/cert.pem
chmod 0640 /etc/${folder}/cert.pem
cat >/etc/${folder}/web.yml <<'END'
---
tls_server_config:
  cert_file: cert.pem
  key_file: /etc/${folder}/cert.pem
basic_auth_users:
  admin: ${HASH}
END
chown root:${user} /etc/${folder}/web.yml
chmod 0640 /etc/${folder}/web.yml
`
const nodeExporter = `${account('node-exp')}install -d -o node-exp -g node-exp /var/lib/node_exporter
${unit('node_exporter', 'node-exp', ['collector.systemd', 'collector.textfile', 'collector.textfile.directory=/var/lib/node_exporter', 'web.listen-address=0.0.0.0:9100', 'web.telemetry-path=/metrics'])}
`

const prometheusOn = (name: Member): string => `set -e
${account('prometheus')}${nodeExporter}
install -d -o prometheus -g prometheus /var/lib/prometheus
install -d -m 0770 -o root -g prometheus /etc/prometheus/rules /etc/prometheus/file_sd /etc/prometheus/scrape_configs
${web(name, 'prometheus', 'prometheus')}
cat >/etc/prometheus/prometheus.yml <<'END'
#
# Ansible managed
#
# http://prometheus.io/docs/operating/configuration/

global:
  evaluation_interval: 5s
  scrape_interval: 5s
  scrape_timeout: 4s

  external_labels:
    environment: ${name}

rule_files:
  - /etc/prometheus/rules/*.rules
  - /etc/prometheus/rules/*.yml

alerting:
  alertmanagers:
    - scheme: https
      basic_auth: {password: test, username: admin}
      tls_config: {insecure_skip_verify: true}
      static_configs:
        - targets:
${ALERTMANAGERS.map((one) => `            - ${ADDRESSES[one]}:9093`).join('\n')}
scrape_configs:
  - job_name: prometheus
    metrics_path: /metrics
    scheme: https
    basic_auth: {password: test, username: admin}
    tls_config: {insecure_skip_verify: true}
    static_configs:
      - targets: ['${ADDRESSES[name]}:9090']
  - job_name: node
    file_sd_configs:
      - files: [/etc/prometheus/file_sd/node.yml]
END
printf -- '- targets:\\n${MEMBERS.map((one) => `  - ${ADDRESSES[one]}:9100`).join('\\n')}\\n' >/etc/prometheus/file_sd/node.yml
printf 'groups: [{name: ansible managed alert rules, rules: [{alert: Watchdog, expr: vector(1)}]}]\\n' >/etc/prometheus/rules/ansible_managed.rules
chown -R root:prometheus /etc/prometheus
${unit('prometheus', 'prometheus', [
  'storage.tsdb.path=/var/lib/prometheus',
  'storage.tsdb.retention.time=30d',
  'storage.tsdb.retention.size=0',
  'web.config.file=/etc/prometheus/web.yml',
  'web.console.libraries=/etc/prometheus/console_libraries',
  'web.console.templates=/etc/prometheus/consoles',
  'web.listen-address=0.0.0.0:9090',
  `web.external-url=http://${name}:9090/`,
  'config.file=/etc/prometheus/prometheus.yml',
])}
systemctl daemon-reload
systemctl enable --quiet --now prometheus node_exporter
`
const alertmanagerOn = (name: Member): string => `set -e
${account('alertmanager')}${nodeExporter}
install -d -o alertmanager -g alertmanager /var/lib/alertmanager
install -d -m 0770 -o root -g alertmanager /etc/alertmanager/templates
${web(name, 'alertmanager', 'alertmanager')}
cat >/etc/alertmanager/alertmanager.yml <<'END'
#
# Ansible managed
#
global:
  resolve_timeout: 3m
templates:
- '/etc/alertmanager/templates/*.tmpl'
receivers:
- name: nobody
route:
  group_by: [alertname]
  group_interval: 1m
  group_wait: 30s
  receiver: nobody
  repeat_interval: 4h
END
${unit('alertmanager', 'alertmanager', [
  'config.file=/etc/alertmanager/alertmanager.yml',
  'storage.path=/var/lib/alertmanager',
  'web.listen-address=0.0.0.0:9093',
  `web.external-url=http://${name}:9093/`,
  'web.config.file=/etc/alertmanager/web.yml',
  `cluster.listen-address=${ADDRESSES[name]}:9094`,
  ...ALERTMANAGERS.map((one) => `cluster.peer=${ADDRESSES[one]}:9094`),
])}
systemctl daemon-reload
systemctl enable --quiet --now alertmanager node_exporter
`

/** Asked over TLS, as its users do. */
const asked = async (address: string, port: number, path: string): Promise<unknown> =>
  JSON.parse(
    execFileSync('curl', ['-sfk', '-u', 'admin:test', `https://${address}:${port}${path}`], { encoding: 'utf8' }),
  )
/** Those in force: that of the canary alerts is over with them. */
const silences = async (name: Member): Promise<readonly string[]> =>
  (
    (await asked(ADDRESSES[name], 9093, '/api/v2/silences')) as readonly { id: string; status: { state: string } }[]
  ).flatMap(({ id, status }) => (status.state === 'active' ? [id] : []))
const samples = async (series: string): Promise<number> => {
  const query = encodeURIComponent(`count_over_time(${series}[3h])`)
  const { data } = (await asked(ADDRESSES['prom-1'], 9090, `/api/v1/query?query=${query}`)) as {
    data: { result: readonly { value: readonly [number, string] }[] }
  }
  return Number(data.result[0]?.value[1] ?? 0)
}

let before: readonly string[] = []
let started = ''
/** The processes of services whose binary and flags are right already. */
const processes = (): Promise<string> =>
  onHost(
    ADDRESSES['prom-1'],
    'systemctl show --property=MainPID --property=ExecMainStartTimestamp prometheus node_exporter',
  )
beforeAll(async () => {
  const { hosts } = await loadInventory([given], [])
  await Promise.all(
    hosts.map(async (host) => {
      await resetHost(host.address)
      await using connection = await connect(host)
      const name = host.name as Member
      await binariesTo(connection, [name === 'prom-1' ? 'prometheus' : 'alertmanager', 'node_exporter'])
      await onHost(host.address, 'sh -s', name === 'prom-1' ? prometheusOn(name) : alertmanagerOn(name))
    }),
  )
  const post = ['-sfk', '-u', 'admin:test', '-H', 'content-type: application/json', '-d', silenceBody()]
  const url = `https://${ADDRESSES['am-1']}:9093/api/v2/silences`
  await until(
    () => execFileSync('curl', [...post, url], { encoding: 'utf8' }),
    (said) => said.includes('silenceID'),
  )
  for (const name of ALERTMANAGERS)
    await until(
      () => silences(name),
      (found) => found.length > 0,
    )
  before = await silences('am-2')
  await until(
    () => samples('up{job="prometheus"}'),
    (count) => count > 2,
  )
  started = await processes()
})

afterAll(async () => {
  for (const name of MEMBERS) await resetHost(ADDRESSES[name])
})

test('adopt finds who may ask, and how', async () => {
  const said = await adopt(given, out, MEMBERS)
  expect(said.mistakes).toEqual([])
  const { stdout } = await vestal(['inventory', '-i', out, '--json'])
  const vars = JSON.parse(stdout)._meta.hostvars
  for (const [name, role] of [
    ['prom-1', 'prometheus'],
    ['am-1', 'alertmanager'],
  ] as const)
    expect(vars[name][role]).toMatchObject({
      web_user: { username: 'admin', password: { $file: expect.stringContaining('secrets/') } },
      web_client_tls: { insecure_skip_verify: true },
      web_config: { tls_server_config: { cert_file: `/etc/${role}/cert.pem`, key_file: `/etc/${role}/cert.pem` } },
    })
  expect(JSON.stringify(vars)).not.toContain(HASH)
})

test('it is taken over under watch: nothing is lost, nobody is told twice', () => takeOver(out, 'the collection'))

test('silences, samples and users are kept', async () => {
  for (const name of ALERTMANAGERS)
    await until(
      () => silences(name),
      (found) => isDeepStrictEqual(found, before),
    )
  expect(await samples('up{job="prometheus"}')).toBeGreaterThan(10)
  const nobody = execFileSync(
    'curl',
    ['-sk', '-o', '/dev/null', '-w', '%{http_code}', `https://${ADDRESSES['prom-1']}:9090/`],
    { encoding: 'utf8' },
  )
  expect(nobody).toBe('401')
})

test('what has the right binary and flags was not restarted, and runs under its new unit', async () => {
  expect(await processes()).toBe(started)
  expect(
    await onHost(
      ADDRESSES['prom-1'],
      'systemctl show --property=FragmentPath --value prometheus; readlink /usr/local/bin/prometheus',
    ),
  ).toBe('/etc/systemd/system/prometheus.service\n/opt/vestal/prometheus/current/prometheus\n')
})

test('a second deploy changes nothing', async () => {
  expect(await vestal(['plan', '-i', out, '--exit-code'])).toMatchObject({ code: 0 })
})
