/** A fleet set up by hand: units in odd places under odd names, accounts of its own, two Prometheus on one host, no replica label. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect } from '../../../lib/connection/connect.ts'
import { loadInventory } from '../../../lib/inventory/load.ts'
import { ADDRESSES, ALERTMANAGERS, type Member, REPLICAS } from '../deploy/fleet.ts'
import { binariesTo } from '../roles/takeover-machine.ts'
import { changesOf, onHost, planOf, resetHost, vestal } from '../vestal.ts'
import {
  adopt,
  clearMachines,
  hostsOnly,
  newFolder,
  samplesOf,
  silenceKept,
  silencesOn,
  takeOver,
  until,
} from './fleet.ts'

const MEMBERS: readonly Member[] = [...REPLICAS, ...ALERTMANAGERS]
const given = hostsOnly(MEMBERS)
const out = newFolder()
const PEERS = ALERTMANAGERS.map((name) => `--cluster.peer=${ADDRESSES[name]}:9094`).join(' ')
const SENDS_TO = ALERTMANAGERS.map((name) => `"${ADDRESSES[name]}:9093"`).join(', ')
const NODES = MEMBERS.map((name) => `"${ADDRESSES[name]}:9100"`).join(', ')

const moved = (names: readonly string[]): string =>
  `install -d /opt/monitoring/bin /opt/monitoring/units\ncd /usr/local/bin && mv ${names.join(' ')} /opt/monitoring/bin/\n`

const nodeExporter = `useradd --system --no-create-home --shell /usr/sbin/nologin nodeexp
cat >/opt/monitoring/units/machine-metrics.service <<'END'
[Service]
User=nodeexp
ExecStart=/opt/monitoring/bin/node_exporter --collector.systemd \\
  --no-collector.wifi
[Install]
WantedBy=multi-user.target
END
systemctl enable --quiet --now /opt/monitoring/units/machine-metrics.service
`

const prometheusOn = (name: Member): string => `set -e
${moved(['prometheus', 'promtool', 'node_exporter'])}
useradd --system --no-create-home --shell /usr/sbin/nologin prom
install -d -o prom -g prom /srv/tsdb /srv/tsdb2
install -d /opt/monitoring/conf/alerts /opt/monitoring/conf/sd
cat >/opt/monitoring/conf/prometheus.yml <<'END'
# By hand, since 2019.
global:
  scrape_interval: 5s
  evaluation_interval: 5s
  external_labels:
    environment: production
    zone: "01"
rule_files:
- alerts/*.rules
alerting:
  alertmanagers:
  - static_configs:
    - targets: [${SENDS_TO}]
scrape_configs:
- job_name: self
  static_configs:
  - targets: ["localhost:9090"]   # itself
- job_name: machines
  static_configs:
  - targets: [${NODES}]
- job_name: apps
  basic_auth:
    username: scraper
    password_file: app-password
  file_sd_configs:
  - files: [sd/*.json]
END
printf 'sesame-and-%s' lilies >/opt/monitoring/conf/app-password
chmod 0400 /opt/monitoring/conf/app-password
chown prom /opt/monitoring/conf/app-password
printf '[{"targets":["${ADDRESSES[name]}:9100"],"labels":{"app":"shop"}}]' >/opt/monitoring/conf/sd/apps.json
cat >/opt/monitoring/conf/alerts/own.rules <<'END'
groups:
- name: by hand
  rules:
  - alert: Watchdog
    expr: vector(1)
    annotations: {summary: "{{ $value | humanize }}"}   # as ever
END
cat >/opt/monitoring/units/metrics-server.service <<'END'
[Unit]
Description=The metrics server
[Service]
User=prom
WorkingDirectory=/srv
EnvironmentFile=-/opt/monitoring/server.env
ExecStart=/opt/monitoring/bin/prometheus --config.file /opt/monitoring/conf/prometheus.yml --storage.tsdb.path=tsdb $MORE "--web.page-title=The old \\x2d one"
ExecReload=/bin/kill -HUP $MAINPID
[Install]
WantedBy=multi-user.target
END
sed -i 's/ "--web.page-title[^"]*"//' /opt/monitoring/units/metrics-server.service
cat >/opt/monitoring/server.env <<'END'
# Flags.
MORE="--storage.tsdb.retention.time=1w \\
  --web.enable-lifecycle --query.max-samples=1000000"
END
systemctl enable --quiet --now /opt/monitoring/units/metrics-server.service
${
  name === 'prom-1'
    ? `cat >/etc/systemd/system/second.service <<'END'
[Service]
User=prom
ExecStart=/opt/monitoring/bin/prometheus --config.file=/opt/monitoring/conf/prometheus.yml --storage.tsdb.path=/srv/tsdb2 --web.listen-address=:9191
END
systemctl start second`
    : ':'
}
${nodeExporter}`

const alertmanagerOn = `set -e
${moved(['alertmanager', 'amtool', 'node_exporter'])}
install -d /opt/monitoring/am/data /opt/monitoring/am/tmpl
cat >/opt/monitoring/am/am.yml <<'END'
global:
  resolve_timeout: 5m
templates: [tmpl/*]
route:
  receiver: nobody
  group_by: [alertname]
  group_interval: 1m
  routes:
  - matchers: [page = yes]
    receiver: chat
receivers:
- name: nobody
- name: chat
  slack_configs:
  - api_url: https://hooks.example.invalid/services/T0/B0/secretword
    channel: '#ops'
    title: '{{ template "own.title" . }}'
END
printf '{{ define "own.title" }}{{ .Status }}{{ end }}\\n' >/opt/monitoring/am/tmpl/own.tmpl
cat >/opt/monitoring/units/notifier.service <<'END'
[Service]
WorkingDirectory=/opt/monitoring/am
ExecStart=/opt/monitoring/bin/alertmanager --config.file=am.yml --storage.path=data ${PEERS}
[Install]
WantedBy=multi-user.target
END
install -d /etc/systemd/system/notifier.service.d
printf '[Service]\\nRestart=always\\n' >/etc/systemd/system/notifier.service.d/restart.conf
systemctl enable --quiet --now /opt/monitoring/units/notifier.service
${nodeExporter}`

const CLEAN = `systemctl disable --now --quiet metrics-server second machine-metrics notifier 2>/dev/null
rm -rf /opt/monitoring /srv/tsdb /srv/tsdb2 /etc/systemd/system/second.service /etc/systemd/system/notifier.service.d
systemctl daemon-reload
for user in prom nodeexp; do if getent passwd $user >/dev/null; then userdel $user; fi; done; exit 0`

let silence = ''
beforeAll(async () => {
  const { hosts } = await loadInventory([given], [])
  await Promise.all(
    hosts.map(async (host) => {
      await onHost(host.address, 'sh -s', CLEAN)
      await resetHost(host.address)
      await using connection = await connect(host)
      const isReplica = REPLICAS.some((name) => name === host.name)
      await binariesTo(connection, [isReplica ? 'prometheus' : 'alertmanager', 'node_exporter'])
      await onHost(host.address, 'sh -s', isReplica ? prometheusOn(host.name as Member) : alertmanagerOn)
    }),
  )
  silence = await silenceKept(ALERTMANAGERS)
  for (const name of REPLICAS)
    await until(
      () => samplesOf(name, 'up{job="self"}'),
      (count) => count > 2,
    )
})

afterAll(() => clearMachines(MEMBERS, CLEAN))

test('adopt writes an inventory and changes nothing on the machines', async () => {
  const said = await adopt(given, out, MEMBERS)
  expect(said.mistakes).toEqual([])
  expect(said.hosts['prom-1']).toEqual([
    { name: 'prometheus', version: '2.42.0', unit: 'metrics-server.service' },
    { name: 'node_exporter', version: '1.5.0', unit: 'machine-metrics.service' },
  ])
  expect(said.notes).toContainEqual(
    expect.objectContaining({
      host: 'prom-1',
      kind: 'left',
      where: 'second.service',
      what: expect.stringContaining('a second prometheus'),
    }),
  )
})

test('no secret stands in the inventory, and each is in a file that its owner alone may read', () => {
  const group = readFileSync(join(out, 'group_vars/prometheus.yml'), 'utf8')
  expect(group).not.toContain('sesame')
  expect(readFileSync(join(out, 'group_vars/alertmanager.yml'), 'utf8')).not.toContain('secretword')
  const file = /\$file: \.\.\/(secrets\/\S+)/.exec(group)?.[1] ?? ''
  expect(readFileSync(join(out, file), 'utf8')).toBe('sesame-and-lilies')
  expect(statSync(join(out, file)).mode & 0o777).toBe(0o600)
  expect(existsSync(join(out, 'rules/own.yml'))).toBe(true)
})

test('it writes over nothing', async () => {
  const { code, stderr } = await vestal(['adopt', '-i', given, '--out', out])
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('is there already') })
})

test('the plan names what is needed to own it', async () => {
  const ended = await vestal(['plan', '-i', out, '--json', '--diff'])
  const changes = changesOf(planOf(ended))
  expect(Object.keys(changes).sort()).toEqual([...MEMBERS].sort())
  expect(changes['prom-1']).toContain('handover prometheus.service')
})

test('it is taken over under watch: nothing is lost, nobody is told twice', () => takeOver(out, 'by hand'))

test('silences and samples are kept, the old units are off, and the second Prometheus was left alone', async () => {
  for (const name of ALERTMANAGERS)
    await until(
      () => silencesOn(name),
      (found) => isDeepStrictEqual(found, [silence]),
    )
  for (const name of REPLICAS) {
    expect(await samplesOf(name, 'up{job="self",instance="localhost:9090"}')).toBeGreaterThan(2)
    expect(await onHost(ADDRESSES[name], 'find /srv/tsdb ! -user prometheus | head -n 3')).toBe('')
  }
  const states = await onHost(
    ADDRESSES['prom-1'],
    'systemctl is-active metrics-server machine-metrics second prometheus node_exporter || :',
  )
  expect(states.trim().split('\n')).toEqual(['inactive', 'inactive', 'active', 'active', 'active'])
})

test('a second deploy changes nothing', async () => {
  expect(await vestal(['plan', '-i', out, '--exit-code'])).toMatchObject({ code: 0 })
})
