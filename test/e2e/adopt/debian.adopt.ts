/** A fleet of Debian's own packages: their units, accounts, folders, and flags in /etc/default. */
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sharedFolder } from '../../../lib/lab/places.ts'
import { debianPackages } from '../../debian-packages.ts'
import { ADDRESSES, type Member } from '../deploy/fleet.ts'
import { testLab } from '../lab-setup.ts'
import { onHost, resetHost, vestal } from '../vestal.ts'
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

const ALERTMANAGERS = ['am-1', 'am-2'] as const satisfies readonly Member[]
const MEMBERS = ['prom-1', 'prom-2', ...ALERTMANAGERS] as const satisfies readonly Member[]
const given = hostsOnly(MEMBERS)
const out = newFolder()

const get = (...names: readonly string[]): string => `set -e
echo 'deb [trusted=yes] file:/srv/shared/adopt-packages ./' >/etc/apt/sources.list
apt-get -qq update
DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends ${names.map((name) => `prometheus${name}`).join(' ')} >/dev/null </dev/null
`
const prometheus = `${get('', '-node-exporter', '-blackbox-exporter')}
cat >/etc/default/prometheus <<'END'
# Set the command-line arguments to pass to the server.
# ARGS="--not-this"
ARGS="--storage.tsdb.retention.time=30d --web.enable-lifecycle"
END
cat >/etc/prometheus/prometheus.yml <<'END'
# Sample config for Prometheus, changed.
global:
  scrape_interval:     5s
  evaluation_interval: 5s
  external_labels:
      monitor: 'example'
alerting:
  alertmanagers:
  - static_configs:
    - targets: [${ALERTMANAGERS.map((name) => `'${ADDRESSES[name]}:9093'`).join(', ')}]
rule_files:
  - "rules/*.yml"
scrape_configs:
  - job_name: 'prometheus'
    scrape_interval: 5s
    static_configs:
      - targets: ['localhost:9090']
  - job_name: node
    file_sd_configs:
      - files: [/etc/prometheus/nodes.yml]
  - job_name: probe
    metrics_path: /probe
    params: {module: [tcp_connect]}
    static_configs: [{targets: ['127.0.0.1:22']}]
    relabel_configs:
    - {source_labels: [__address__], target_label: __param_target}
    - {target_label: __address__, replacement: '127.0.0.1:9115'}
END
printf -- '- targets: [${MEMBERS.map((name) => `"${ADDRESSES[name]}:9100"`).join(', ')}]\\n' >/etc/prometheus/nodes.yml
install -d /etc/prometheus/rules
printf 'groups: [{name: x, rules: [{alert: Watchdog, expr: vector(1)}]}]\\n' >/etc/prometheus/rules/x.yml
systemctl restart prometheus
`
const alertmanager = (name: Member): string => `${get('-alertmanager', '-node-exporter')}
cat >/etc/default/prometheus-alertmanager <<'END'
ARGS="--cluster.advertise-address=${ADDRESSES[name]}:9094 \\
  ${ALERTMANAGERS.filter((one) => one !== name)
    .map((one) => `--cluster.peer=${ADDRESSES[one]}:9094`)
    .join(' ')}"
END
printf 'route: {receiver: nobody, group_interval: 1m}\\nreceivers: [{name: nobody}]\\ntemplates: [/etc/prometheus/alertmanager_templates/*.tmpl]\\n' >/etc/prometheus/alertmanager.yml
systemctl restart prometheus-alertmanager
`
const CLEAN = `export DEBIAN_FRONTEND=noninteractive
apt-get -qq purge -y 'prometheus*' >/dev/null 2>&1 </dev/null
apt-get -qq autoremove --purge -y >/dev/null 2>&1 </dev/null
rm -rf /etc/prometheus /var/lib/prometheus /etc/default/prometheus*
exit 0`

let silence = ''
beforeAll(async () => {
  cpSync(debianPackages('adopt-packages'), join(sharedFolder(testLab), 'adopt-packages'), { recursive: true })
  await Promise.all(
    MEMBERS.map(async (name) => {
      await onHost(ADDRESSES[name], 'sh -s', CLEAN)
      await resetHost(ADDRESSES[name])
      await onHost(ADDRESSES[name], 'sh -s', name.startsWith('prom') ? prometheus : alertmanager(name))
    }),
  )
  silence = await silenceKept(ALERTMANAGERS)
  await until(
    () => samplesOf('prom-1', 'up{job="prometheus"}'),
    (count) => count > 2,
  )
})

afterAll(() => clearMachines(MEMBERS, CLEAN))

test('adopt finds the packages by what runs, with the flags of /etc/default', async () => {
  const said = await adopt(given, out, MEMBERS)
  expect(said.mistakes).toEqual([])
  const named = Object.fromEntries(
    Object.entries(said.hosts).map(([host, programs]) => [
      host,
      programs.map(({ name, unit }) => `${name} ${unit}`).sort(),
    ]),
  )
  expect(named).toMatchObject({
    'prom-1': [
      'blackbox_exporter prometheus-blackbox-exporter.service',
      'node_exporter prometheus-node-exporter.service',
      'prometheus prometheus.service',
    ],
    'am-1': ['alertmanager prometheus-alertmanager.service', 'node_exporter prometheus-node-exporter.service'],
  })
  const { stdout } = await vestal(['inventory', '-i', out, '--json'])
  const vars = JSON.parse(stdout)._meta.hostvars
  expect(vars['prom-1'].prometheus).toMatchObject({
    version: '2.42.0',
    storage_dir: '/var/lib/prometheus/metrics2',
    retention: { time: '30d' },
    extra_flags: { 'web.enable-lifecycle': true },
  })
  expect(vars['am-1'].alertmanager).toMatchObject({ replaces_data: '/var/lib/prometheus/alertmanager' })
  expect(vars['prom-1'].exporters.blackbox).toMatchObject({ replaces: ['prometheus-blackbox-exporter.service'] })
})

test('it is taken over under watch: nothing is lost, nobody is told twice', () => takeOver(out, 'from packages'))

test('silences and samples are kept, and the packages’ units are off', async () => {
  for (const name of ALERTMANAGERS)
    await until(
      () => silencesOn(name),
      (found) => isDeepStrictEqual(found, [silence]),
    )
  for (const name of ['prom-1', 'prom-2'] as const)
    expect(await samplesOf(name, 'up{job="prometheus",instance="localhost:9090"}')).toBeGreaterThan(10)
  const asked =
    'for unit in prometheus-alertmanager prometheus-node-exporter; do systemctl is-active $unit; systemctl is-enabled $unit; done || :'
  expect((await onHost(ADDRESSES['am-1'], asked)).trim().split('\n')).toEqual([
    'inactive',
    'disabled',
    'inactive',
    'disabled',
  ])
})

test('a second deploy changes nothing', async () => {
  expect(await vestal(['plan', '-i', out, '--exit-code'])).toMatchObject({ code: 0 })
})
