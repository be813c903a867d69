/** A fleet that somebody else has deployed is taken over while canary alerts are watched from before its first change. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect } from '../../../lib/connection/connect.ts'
import { loadInventory } from '../../../lib/inventory/load.ts'
import type { Host } from '../../../lib/model.ts'
import { rolesOf } from '../../../lib/playbook.ts'
import deploy from '../../../playbooks/deploy.ts'
import { ADDRESSES, ALERTMANAGERS, type Member, REPLICAS } from '../deploy/fleet.ts'
import { binariesTo } from '../roles/takeover-machine.ts'
import { onHost, reportOf, resetHost, vestal } from '../vestal.ts'
import { fleetInventory, MEMBERS, OLDEST } from './fleet.ts'

const inventory = fleetInventory(OLDEST)
const PEERS = ALERTMANAGERS.map((name) => `--cluster.peer=${ADDRESSES[name]}:9094`).join(' ')
const SENDS_TO = ALERTMANAGERS.map((name) => `"${ADDRESSES[name]}:9093"`).join(', ')

const unit = (name: string, command: string): string => `cat >/etc/systemd/system/${name}.service <<'END'
[Service]
User=${name === 'node_exporter' ? 'node-exp' : name}
ExecStart=/usr/local/bin/${command}
Restart=always
[Install]
WantedBy=multi-user.target
END
`
const account = (name: string): string => `groupadd --system ${name}
useradd --system --gid ${name} --no-create-home --home-dir /etc/${name} --shell /usr/sbin/nologin ${name}
`
/** Its node_exporter reads no files, as by default. */
const nodeExporter = `${account('node-exp')}${unit('node_exporter', 'node_exporter')}systemctl enable --quiet --now node_exporter\n`

/** Alerts carry a replica label, and the folder is open to the service's group, as the Ansible collection has it now. */
const prometheusOn = (name: Member): string => `set -e
${account('prometheus')}
install -d -m 0770 -o root -g prometheus /etc/prometheus
install -d -o prometheus -g prometheus /var/lib/prometheus
cat >/etc/prometheus/prometheus.yml <<'END'
# By hand.
global:
  scrape_interval: 5s
  evaluation_interval: 5s
  external_labels: {environment: production, replica: ${name}}
rule_files:
- /etc/prometheus/*.rules
alerting:
  alertmanagers:
  - static_configs:
    - targets: [${SENDS_TO}]
scrape_configs:
- job_name: by-hand
  static_configs:
  - targets: ["127.0.0.1:9090"]   # itself
END
printf 'groups: [{name: by hand, rules: [{alert: Watchdog, expr: vector(1)}]}]\\n' >/etc/prometheus/own.rules
chown root:prometheus /etc/prometheus/*
chmod 0640 /etc/prometheus/*
${unit('prometheus', 'prometheus --config.file=/etc/prometheus/prometheus.yml --storage.tsdb.path=/var/lib/prometheus')}
systemctl enable --quiet --now prometheus
${nodeExporter}`

const alertmanagerOn = `set -e
${account('alertmanager')}
install -d -o alertmanager -g alertmanager /etc/alertmanager /var/lib/alertmanager
printf 'route: {receiver: nobody}\\nreceivers: [{name: nobody}]\\n' >/etc/alertmanager/alertmanager.yml
chown -R alertmanager:alertmanager /etc/alertmanager
${unit('alertmanager', `alertmanager --config.file /etc/alertmanager/alertmanager.yml --storage.path=/var/lib/alertmanager ${PEERS}`)}
systemctl enable --quiet --now alertmanager
${nodeExporter}`

const configs = {
  prometheus: '/etc/prometheus/prometheus.yml',
  alertmanager: '/etc/alertmanager/alertmanager.yml',
} as const
/** What stands in the folders of configurations, whose it is and what is in it. */
const foldersOf = async (): Promise<readonly string[]> =>
  Promise.all(
    MEMBERS.map((name) => {
      const folder = name.startsWith('prom') ? '/etc/prometheus' : '/etc/alertmanager'
      return onHost(
        ADDRESSES[name],
        `find ${folder} -printf '%p %u:%g %m\\n' | sort; find ${folder} -type f -exec sha256sum {} + | sort`,
      )
    }),
  )

const silencesOn = async (name: Member): Promise<string> =>
  (await onHost(ADDRESSES[name], 'amtool --alertmanager.url=http://127.0.0.1:9093 silence query -q')).trim()

let hosts: readonly Host[] = []
let silence = ''
beforeAll(async () => {
  hosts = (await loadInventory([inventory], rolesOf(deploy))).hosts
  await Promise.all(
    hosts.map(async (host) => {
      await resetHost(host.address)
      await using connection = await connect(host)
      const isReplica = REPLICAS.some((name) => name === host.name)
      await binariesTo(connection, [isReplica ? 'prometheus' : 'alertmanager', 'node_exporter'])
      await onHost(host.address, 'sh -s', isReplica ? prometheusOn(host.name as Member) : alertmanagerOn)
    }),
  )
})

afterAll(async () => {
  for (const name of MEMBERS) await resetHost(ADDRESSES[name])
})

test('it stands, and its members know of each other', async () => {
  const add = 'silence add alertname=Kept --comment=kept --author=somebody --duration=2h'
  const made = async (): Promise<string> => {
    if (silence === '')
      silence = await onHost(ADDRESSES['am-1'], `amtool --alertmanager.url=http://127.0.0.1:9093 ${add} || :`)
    return silence
  }
  await expect.poll(made, { timeout: 60_000 }).toMatch(/^[0-9a-f-]{36}\n$/)
  silence = silence.trim()
  for (const name of ALERTMANAGERS) await expect.poll(() => silencesOn(name), { timeout: 60_000 }).toBe(silence)
})

test('where a member can’t be prepared, all are as they were', async () => {
  const name = 'am-2'
  const before = await foldersOf()
  await onHost(ADDRESSES[name], `mv ${configs.alertmanager} /etc/real.yml; ln -s /etc/real.yml ${configs.alertmanager}`)
  const { code, stdout, stderr } = await vestal(['deploy', '-i', inventory, '--watch-alerts'])
  await onHost(ADDRESSES[name], `rm ${configs.alertmanager}; mv /etc/real.yml ${configs.alertmanager}`)
  expect({ code, said: stdout + stderr }).toMatchObject({
    code: 1,
    said: expect.stringContaining(`${configs.alertmanager} is a link`),
  })
  expect(await foldersOf()).toEqual(before)
})

test('it is deployed under watch, and no alert is lost or told twice', async () => {
  const ended = await vestal(['deploy', '-i', inventory, '--watch-alerts', '--json'])
  const { alerts, stops } = reportOf(ended)
  expect({ code: ended.code, stops }).toEqual({ code: 0, stops: [] })
  expect(alerts).toMatchObject({ lost: 0, duplicated: 0 })
  expect(alerts?.sent).toBeGreaterThan(10)
  console.log(`taken over: ${JSON.stringify(alerts)}`)
})

test('silences and samples are kept, and nothing that was lent is left', async () => {
  for (const name of ALERTMANAGERS) expect(await silencesOn(name)).toBe(silence)
  for (const name of REPLICAS) {
    const url = `http://${ADDRESSES[name]}:9090/api/v1/query?query=${encodeURIComponent('count_over_time(up{job="by-hand"}[2h])')}`
    const { data } = (await (await fetch(url, { signal: AbortSignal.timeout(10_000) })).json()) as {
      data: { result: readonly { value: readonly [number, string] }[] }
    }
    expect(Number(data.result[0]?.value[1])).toBeGreaterThan(2)
  }
  expect((await foldersOf()).join('\n')).not.toMatch(/vestal-was|vestal-new|vestal-canary-rules/)
})

test('a second deploy changes nothing', async () => {
  expect(await vestal(['plan', '-i', inventory, '--exit-code'])).toMatchObject({ code: 0 })
})
