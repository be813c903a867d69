/**
 * A fleet as TiUP lays one out (pingcap/tiup, embed/templates): units named after ports that start a script, which starts the program with its output into a file;
 * everything below /tidb-deploy and /tidb-data, of one account; a deprecated flag, no replica label, and another program in Prometheus's unit.
 */
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect } from '../../../lib/connection/connect.ts'
import { loadInventory } from '../../../lib/inventory/load.ts'
import { ADDRESSES, ALERTMANAGERS, type Member, REPLICAS } from '../deploy/fleet.ts'
import { binariesTo } from '../roles/takeover-machine.ts'
import { changesOf, onHost, planOf, reportOf, resetHost, vestal } from '../vestal.ts'
import {
  adopt,
  clearMachines,
  hostsOnly,
  newFolder,
  type Said,
  samplesOf,
  silenceKept,
  silencesOn,
  takeOver,
  traces,
  until,
} from './fleet.ts'

const MEMBERS: readonly Member[] = [...REPLICAS, ...ALERTMANAGERS]
const given = hostsOnly(MEMBERS)
const out = newFolder()
const PORTS = { prometheus: 9090, alertmanager: 9093, node_exporter: 9100 } as const
type Name = keyof typeof PORTS

const folderOf = (name: Name): string => `/tidb-deploy/${name}-${PORTS[name]}`

/** A component: its binaries, its script, its unit. `more` are lines of the unit, `first` lines of the script. */
const component = (
  name: Name,
  {
    binaries,
    flags,
    first = '',
    more = '',
  }: { binaries: string; flags: readonly string[]; first?: string; more?: string },
): string => `
install -d -o tidb -g tidb ${folderOf(name)} ${folderOf(name)}/bin/${name} ${folderOf(name)}/conf ${folderOf(name)}/scripts ${folderOf(name)}/log
cd /usr/local/bin && mv ${binaries} ${folderOf(name)}/bin/${name}/
cat >${folderOf(name)}/scripts/run_${name}.sh <<'END'
#!/bin/bash
set -e
cd ${folderOf(name)}
${first}
exec > >(tee -i -a "${folderOf(name)}/log/${name}.log")
exec 2>&1
exec bin/${name}/${name} \\
${flags.map((flag) => `    ${flag}`).join(' \\\n')}
END
chmod 0755 ${folderOf(name)}/scripts/run_${name}.sh
cat >/etc/systemd/system/${name}-${PORTS[name]}.service <<'END'
[Unit]
Description=${name} service
After=syslog.target network.target remote-fs.target nss-lookup.target

[Service]
LimitNOFILE=1000000
LimitSTACK=10485760
User=tidb
ExecStart=${folderOf(name)}/scripts/run_${name}.sh
${more}
Restart=always
RestartSec=15s

[Install]
WantedBy=multi-user.target
END
`

const nodeExporter = component('node_exporter', {
  binaries: 'node_exporter',
  flags: [
    '--web.listen-address=":9100"',
    ...['tcpstat', 'systemd', 'mountstats', 'meminfo_numa', 'buddyinfo'].map((one) => `--collector.${one}`),
    '--collector.vmstat.fields="^.*"',
    '--log.level="info"',
  ],
})

const targets = (port: number): string => MEMBERS.map((name) => `\n      - '${ADDRESSES[name]}:${port}'`).join('')

const prometheusOn = (name: Member): string => `
${component('prometheus', {
  binaries: 'prometheus promtool',
  first: '/bin/bash scripts/ng-wrapper.sh &',
  more: "ExecReload=/usr/bin/bash -c 'kill -HUP $MAINPID'",
  flags: [
    `--config.file="${folderOf('prometheus')}/conf/prometheus.yml"`,
    '--web.listen-address=":9090"',
    `--web.external-url="http://${ADDRESSES[name]}:9090/"`,
    '--web.enable-admin-api',
    '--log.level="info"',
    '--storage.tsdb.path="/tidb-data/prometheus-9090"',
    '--storage.tsdb.retention="30d"',
  ],
})}
printf 'while true; do sleep 15s; done\\n' >${folderOf('prometheus')}/scripts/ng-wrapper.sh
cat >${folderOf('prometheus')}/conf/prometheus.yml <<'END'
---
global:
  scrape_interval: 5s # TiUP has 15s
  evaluation_interval: 5s
  external_labels:
    cluster: 'shop'
    monitor: "prometheus"

# Load and evaluate rules in this file every 'evaluation_interval' seconds.
rule_files:
  - 'node.rules.yml'

alerting:
  alertmanagers:
  - static_configs:
    - targets:${ALERTMANAGERS.map((one) => `\n      - '${ADDRESSES[one]}:9093'`).join('')}

scrape_configs:
  - job_name: "overwritten-nodes"
    honor_labels: true # don't overwrite job & instance labels
    static_configs:
    - targets:${targets(9100)}
  - job_name: "monitor_port_probe"
    scrape_interval: 30s
    metrics_path: /probe
    params:
      module: [tcp_connect]
    static_configs:
    - targets:${targets(9100)}
      labels:
        group: 'node_exporter'
    relabel_configs:
      - source_labels: [__address__]
        target_label: __param_target
      - source_labels: [__param_target]
        target_label: instance
      - target_label: __address__
        replacement: '${ADDRESSES['prom-1']}:9115'
END
cat >${folderOf('prometheus')}/conf/node.rules.yml <<'END'
groups:
- name: node.rules
  rules:
  - alert: Watchdog
    expr: vector(1)
    labels: {env: shop, level: warning, expr: vector(1)}
    annotations: {value: '{{ $value }}'}
END
`

const alertmanagerOn = (name: Member): string => `
${component('alertmanager', {
  binaries: 'alertmanager amtool',
  flags: [
    '--config.file="conf/alertmanager.yml"',
    '--storage.path="/tidb-data/alertmanager-9093"',
    '--data.retention=120h',
    '--log.level="info"',
    '--web.listen-address="0.0.0.0:9093"',
    `--web.external-url="http://${ADDRESSES[name]}:9093"`,
    ...ALERTMANAGERS.map((one) => `--cluster.peer="${ADDRESSES[one]}:9094"`),
    '--cluster.listen-address="0.0.0.0:9094"',
  ],
})}
cat >${folderOf('alertmanager')}/conf/alertmanager.yml <<'END'
global:
  resolve_timeout: 5m
route:
  receiver: "blackhole"
  group_by: ['env', 'instance', 'alertname', 'type', 'group', 'job']
  group_wait: 30s
  group_interval: 3m
  repeat_interval: 3m
receivers:
- name: 'blackhole'
END
`

const setUp = (own: string, started: Name): string => `set -e
useradd --create-home --shell /bin/bash tidb
install -d -o tidb -g tidb /tidb-deploy /tidb-data /tidb-data/${started}-${PORTS[started]}
${own}
${nodeExporter}
chown -R tidb:tidb /tidb-deploy /tidb-data
systemctl daemon-reload
systemctl enable --quiet --now ${started}-${PORTS[started]} node_exporter-9100`

const CLEAN = `systemctl disable --now --quiet prometheus-9090 alertmanager-9093 node_exporter-9100 2>/dev/null
rm -rf /tidb-deploy /tidb-data /etc/systemd/system/prometheus-9090.service /etc/systemd/system/alertmanager-9093.service /etc/systemd/system/node_exporter-9100.service
systemctl daemon-reload
if getent passwd tidb >/dev/null; then userdel --remove tidb 2>/dev/null; fi; exit 0`

let silence = ''
let said: Said | undefined
beforeAll(async () => {
  const { hosts } = await loadInventory([given], [])
  await Promise.all(
    hosts.map(async (host) => {
      await onHost(host.address, 'sh -s', CLEAN)
      await resetHost(host.address)
      await using connection = await connect(host)
      const name = host.name as Member
      const started = REPLICAS.some((one) => one === name) ? 'prometheus' : 'alertmanager'
      await binariesTo(connection, [started, 'node_exporter'])
      await onHost(
        host.address,
        'sh -s',
        setUp(started === 'prometheus' ? prometheusOn(name) : alertmanagerOn(name), started),
      )
    }),
  )
  silence = await silenceKept(ALERTMANAGERS)
  for (const name of REPLICAS)
    await until(
      () => samplesOf(name, `up{job="overwritten-nodes",instance="${ADDRESSES['am-1']}:9100"}`),
      (count) => count > 2,
    )
})

afterAll(() => clearMachines(MEMBERS, CLEAN))

test('adopt finds what the scripts have started, and says what else they do', async () => {
  said = await adopt(given, out, MEMBERS)
  expect(said.mistakes).toEqual([])
  expect(said.hosts['prom-1']).toEqual([
    { name: 'prometheus', version: '2.42.0', unit: 'prometheus-9090.service' },
    { name: 'node_exporter', version: '1.5.0', unit: 'node_exporter-9100.service' },
  ])
  const { notes } = said
  const toldOf = (where: string) =>
    notes.filter((note) => note.host === 'prom-1' && note.where === where).map(({ what }) => what)
  expect(toldOf('/etc/systemd/system/prometheus-9090.service')).toContainEqual(
    expect.stringContaining(`starts prometheus by ${folderOf('prometheus')}/scripts/run_prometheus.sh`),
  )
  expect(toldOf('prometheus-9090.service')).toEqual([expect.stringMatching(/^also runs .*tee/)])
  expect(toldOf('prometheus-9090.service').join()).toContain('sleep')
})

test('the folder above the data is the account’s own, which root trusts nobody with: plan, check and a deploy say so before anything is changed', async () => {
  const fix = expect.stringContaining('chown root:root /tidb-data')
  const task = 'directory /tidb-data/prometheus-9090'
  const planned = await vestal(['plan', '-i', out, '--json'])
  const refused = planOf({ ...planned, code: 0 })
    .batches.flatMap(({ hosts }) => hosts)
    .flatMap(({ host, changes }) => changes.flatMap((one) => (one.refused ? [{ host, ...one }] : [])))
  expect(planned.code).toBe(1)
  expect(refused.map((one) => [one.host, one.task, one.refused?.fix])).toEqual(
    REPLICAS.map((name) => [name, task, fix]),
  )
  const checked = await vestal(['check', '-i', out, '--json'])
  const { findings } = JSON.parse(checked.stdout) as {
    findings: readonly { id: string; hosts: string[]; fix: string }[]
  }
  expect(findings.filter(({ id }) => id === 'way-of-another').map(({ hosts, fix: said }) => [hosts, said])).toEqual(
    REPLICAS.map((name) => [[name], fix]),
  )
  const before = await Promise.all(MEMBERS.map((name) => traces(ADDRESSES[name])))
  const ended = await vestal(['deploy', '-i', out, '--watch-alerts', '--json'])
  const { hosts, stops, cost } = reportOf(ended)
  expect([ended.code, stops]).toEqual([1, [expect.stringContaining('nothing was changed anywhere')]])
  for (const name of REPLICAS) expect(hosts[name]?.[task]).toMatchObject({ status: 'failed', hint: fix })
  for (const name of ALERTMANAGERS) expect(cost[name]?.execs).toBe(1)
  expect(await Promise.all(MEMBERS.map((name) => traces(ADDRESSES[name])))).toEqual(before)
})

test('adopt has said so too, and the operator does as it says', async () => {
  const data = said?.notes.filter(({ what }) =>
    what.includes('/tidb-data/prometheus-9090 lies in a folder of the account tidb'),
  )
  expect(data?.map(({ host, kind }) => [host, kind])).toEqual(REPLICAS.map((name) => [name, 'left']))
  for (const name of REPLICAS) await onHost(ADDRESSES[name], 'chown root:root /tidb-data')
})

test('the plan names what is needed to own it', async () => {
  const changes = changesOf(planOf(await vestal(['plan', '-i', out, '--json', '--diff'])))
  expect(Object.keys(changes).sort()).toEqual([...MEMBERS].sort())
  expect(changes['prom-1']).toContain('handover prometheus.service')
  expect(changes['am-1']).toContain('handover alertmanager.service')
})

test('it is taken over under watch: nothing is lost, nobody is told twice', () => takeOver(out, 'TiUP'))

test('silences and samples are kept, flags too, and the old units are off', async () => {
  for (const name of ALERTMANAGERS)
    await until(
      () => silencesOn(name),
      (found) => isDeepStrictEqual(found, [silence]),
    )
  for (const name of REPLICAS) {
    const series = `up{job="overwritten-nodes",instance="${ADDRESSES['am-1']}:9100"}`
    await until(
      () => samplesOf(name, series),
      (count) => count > 10,
    )
    const command = await onHost(
      ADDRESSES[name],
      'tr "\\0" "\\n" </proc/$(systemctl show -P MainPID prometheus)/cmdline',
    )
    expect(command.split('\n')).toEqual(
      expect.arrayContaining([
        '--storage.tsdb.path=/tidb-data/prometheus-9090',
        '--storage.tsdb.retention.time=30d',
        '--web.enable-admin-api',
        `--web.external-url=http://${ADDRESSES[name]}:9090/`,
      ]),
    )
    expect(await onHost(ADDRESSES[name], 'find /tidb-data/prometheus-9090 ! -user prometheus | head -n 3')).toBe('')
  }
  const states = await onHost(
    ADDRESSES['prom-1'],
    'systemctl is-active prometheus-9090 node_exporter-9100 prometheus node_exporter || :',
  )
  expect(states.trim().split('\n')).toEqual(['inactive', 'inactive', 'active', 'active'])
})

test('a second deploy changes nothing', async () => {
  expect(await vestal(['plan', '-i', out, '--exit-code'])).toMatchObject({ code: 0 })
})
