/**
 * An old pair as tutorials have it: tarballs unpacked below /opt and given to their accounts, programs with their configuration and data beside them, and nothing
 * that tells the replicas apart.
 */
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect } from '../../../lib/connection/connect.ts'
import { loadInventory } from '../../../lib/inventory/load.ts'
import { ADDRESSES, ask, type Member, REPLICAS } from '../deploy/fleet.ts'
import { binariesTo, VERSIONS } from '../roles/takeover-machine.ts'
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
const MEMBERS: readonly Member[] = [...REPLICAS, ...ALERTMANAGERS]
const given = hostsOnly(MEMBERS)
const out = newFolder()
const folderOf = (name: keyof typeof VERSIONS): string => `/opt/${name}-${VERSIONS[name]}.linux-amd64`

/** Unpacked, and given to an account of its name. `words` are those of its unit's ExecStart=. */
const program = (
  name: 'prometheus' | 'alertmanager',
  { tool, config, words }: { tool: string; config: string; words: string },
): string => `
useradd --system --no-create-home --shell /bin/false ${name}
install -d ${folderOf(name)}
cd /usr/local/bin && mv ${name} ${tool} ${folderOf(name)}/
cat >${folderOf(name)}/${name}.yml <<'END'
${config}
END
chown -R ${name}:${name} ${folderOf(name)}
cat >/etc/systemd/system/${name}.service <<'END'
[Unit]
Description=${name}
After=network.target
[Service]
User=${name}
WorkingDirectory=${folderOf(name)}
ExecStart=${folderOf(name)}/${name} ${words}
[Install]
WantedBy=multi-user.target
END
`
const nodeExporter = `
install -d ${folderOf('node_exporter')}
mv /usr/local/bin/node_exporter ${folderOf('node_exporter')}/
printf '[Service]\\nExecStart=${folderOf('node_exporter')}/node_exporter\\n[Install]\\nWantedBy=multi-user.target\\n' >/etc/systemd/system/node-exporter.service
`
const targets = (port: number): string => MEMBERS.map((name) => `'${ADDRESSES[name]}:${port}'`).join(', ')

const prometheus = `set -e
${program('prometheus', {
  tool: 'promtool',
  words: '--config.file=prometheus.yml --storage.tsdb.path=data/',
  config: `global: {scrape_interval: 5s, evaluation_interval: 5s}
rule_files: [alert.rules.yml]
alerting:
  alertmanagers: [{static_configs: [{targets: [${ALERTMANAGERS.map((name) => `'${ADDRESSES[name]}:9093'`).join(', ')}]}]}]
scrape_configs:
- job_name: prometheus
  static_configs: [{targets: ['localhost:9090']}]
- job_name: node
  static_configs: [{targets: [${targets(9100)}]}]`,
})}
printf 'groups: [{name: old, rules: [{alert: AlwaysFires, expr: vector(1), labels: {severity: page}}]}]\\n' >${folderOf('prometheus')}/alert.rules.yml
${nodeExporter}
systemctl daemon-reload
systemctl enable --quiet --now prometheus node-exporter`

const alertmanagerOn = (name: Member): string => `set -e
${program('alertmanager', {
  tool: 'amtool',
  config: 'route: {receiver: nobody, group_by: [alertname], group_interval: 1m}\nreceivers: [{name: nobody}]',
  words: ALERTMANAGERS.filter((one) => one !== name)
    .map((one) => `--cluster.peer=${ADDRESSES[one]}:9094`)
    .concat(
      `--cluster.advertise-address=${ADDRESSES[name]}:9094`,
      '--config.file=alertmanager.yml',
      '--storage.path=data/',
    )
    .join(' '),
})}
${nodeExporter}
systemctl daemon-reload
systemctl enable --quiet --now alertmanager node-exporter`

const CLEAN = `systemctl disable --now --quiet prometheus alertmanager node-exporter 2>/dev/null
rm -rf ${Object.keys(VERSIONS)
  .map((name) => folderOf(name as keyof typeof VERSIONS))
  .join(' ')} /etc/systemd/system/node-exporter.service
for user in prometheus alertmanager; do if getent passwd $user >/dev/null; then userdel $user; fi; done
systemctl daemon-reload; exit 0`

interface Held {
  readonly fingerprint: string
  readonly labels: Readonly<Record<string, string>>
  readonly status: { readonly state: string; readonly silencedBy: readonly string[] }
}
/** The alert of both replicas, as an Alertmanager holds it. */
const held = async (name: Member): Promise<readonly Held[]> =>
  (await ask<readonly Held[]>(name, 9093, '/api/v2/alerts')).filter(({ labels }) => labels.alertname === 'AlwaysFires')

let silence = ''
let before: readonly Held[] = []
beforeAll(async () => {
  const { hosts } = await loadInventory([given], [])
  await Promise.all(
    hosts.map(async (host) => {
      await onHost(host.address, 'sh -s', CLEAN)
      await resetHost(host.address)
      await using connection = await connect(host)
      const name = host.name as Member
      const isReplica = REPLICAS.some((one) => one === name)
      await binariesTo(connection, [isReplica ? 'prometheus' : 'alertmanager', 'node_exporter'])
      await onHost(host.address, 'sh -s', isReplica ? prometheus : alertmanagerOn(name))
    }),
  )
  silence = await silenceKept(ALERTMANAGERS, 'AlwaysFires')
  for (const name of REPLICAS)
    await until(
      () => samplesOf(name, 'up{job="prometheus"}'),
      (count) => count > 2,
    )
  before = await until(
    () => held('am-1'),
    ([one]) => one?.status.state === 'suppressed',
  )
})

afterAll(() => clearMachines(MEMBERS, CLEAN))

test('adopt finds files beside programs, and says that the replicas will be told apart', async () => {
  const said = await adopt(given, out, MEMBERS)
  expect(said.mistakes).toEqual([])
  expect(said.hosts['prom-2']).toEqual([
    { name: 'prometheus', version: '2.42.0', unit: 'prometheus.service' },
    { name: 'node_exporter', version: '1.5.0', unit: 'node-exporter.service' },
  ])
  expect(said.hosts['am-1']?.[0]).toEqual({ name: 'alertmanager', version: '0.25.0', unit: 'alertmanager.service' })
  const ofPrometheus = said.changes.filter(({ program }) => program === 'prometheus').map(({ what }) => what)
  expect(ofPrometheus).toContainEqual('the external label replica is the host’s name')
  expect(ofPrometheus).toContainEqual('alerts lose the label replica')
  const { stdout } = await vestal(['inventory', '-i', out, '--json'])
  expect(JSON.parse(stdout)._meta.hostvars['prom-1'].prometheus).toMatchObject({
    version: '2.42.0',
    storage_dir: `${folderOf('prometheus')}/data`,
  })
})

test('it is taken over under watch: nothing is lost, nobody is told twice', () => takeOver(out, 'an old pair'))

test('silences and samples are kept, and the replicas’ alert is the same one as before', async () => {
  for (const name of ALERTMANAGERS)
    await until(
      () => silencesOn(name),
      (found) => isDeepStrictEqual(found, [silence]),
    )
  for (const name of ALERTMANAGERS) {
    const after = await until(
      () => held(name),
      (found) => found.length > 0,
    )
    expect(after.map(({ fingerprint, labels, status }) => [fingerprint, labels, status.silencedBy])).toEqual(
      before.map(({ fingerprint, labels }) => [fingerprint, labels, [silence]]),
    )
  }
  for (const name of REPLICAS) {
    expect(await samplesOf(name, 'up{job="prometheus",instance="localhost:9090"}')).toBeGreaterThan(10)
    const { data } = await ask<{ data: { yaml: string } }>(name, 9090, '/api/v1/status/config')
    expect(data.yaml).toContain(`replica: ${name}`)
  }
})

test('a second deploy changes nothing', async () => {
  expect(await vestal(['plan', '-i', out, '--exit-code'])).toMatchObject({ code: 0 })
})
