/** A machine as the Ansible collection prometheus.prometheus leaves it: the same users, folders, units and files, without Vestal. */
import { spawn } from 'node:child_process'
import { connect } from '../../../lib/connection/connect.ts'
import type { Connection, Host } from '../../../lib/model.ts'
import { onHost, resetHost } from '../vestal.ts'
import { unpacked } from './binaries.ts'

export const VERSIONS = { prometheus: '2.42.0', alertmanager: '0.25.0', node_exporter: '1.5.0' } as const
const BINARIES = {
  prometheus: ['prometheus', 'promtool'],
  alertmanager: ['alertmanager', 'amtool'],
  node_exporter: ['node_exporter'],
} as const

/** Puts binaries where people put them. */
export const binariesTo = async (
  connection: Connection,
  programs: readonly (keyof typeof BINARIES)[],
): Promise<void> => {
  for (const program of programs) {
    const tar = spawn('tar', ['-C', unpacked(program, VERSIONS[program]), '-cf', '-', ...BINARIES[program]])
    const { code, stderr } = await connection.exec('tar -xf - -C /usr/local/bin', { stdin: tar.stdout })
    if (code !== 0) throw new Error(`binaries of ${program}: ${stderr}`)
  }
}

/** Sets the machine up anew and starts its services. Returns the id of a silence that somebody made. */
export const setUpByHand = async (host: Host): Promise<string> => {
  await resetHost(host.address)
  await using connection = await connect(host)
  await binariesTo(connection, ['prometheus', 'alertmanager', 'node_exporter'])
  return (await onHost(host.address, 'sh -s', SET_UP)).trim()
}

const unit = (name: string, { user, flags }: { user: string; flags: string }): string => `
cat >/etc/systemd/system/${name}.service <<'END'
[Unit]
Description=${name}
[Service]
Type=simple
User=${user}
Group=${user}
ExecReload=/bin/kill -HUP $MAINPID
ExecStart=/usr/local/bin/${name} ${flags}
Restart=always
[Install]
WantedBy=multi-user.target
END`

const SET_UP = `set -e
for user in prometheus alertmanager node-exp; do
  groupadd --system $user
  useradd --system --gid $user --no-create-home --home-dir /etc/$user --shell /usr/sbin/nologin $user
done
install -d -o prometheus -g prometheus /etc/prometheus /var/lib/prometheus
install -d -o prometheus -g prometheus -m 775 /etc/prometheus/rules /etc/prometheus/file_sd
install -d -o alertmanager -g alertmanager /etc/alertmanager /etc/alertmanager/templates /var/lib/alertmanager
install -d -o node-exp -g node-exp /etc/node_exporter /var/lib/node_exporter
cat >/etc/prometheus/prometheus.yml <<'END'
global: {scrape_interval: 1s, evaluation_interval: 1s, external_labels: {environment: x}}
rule_files: [/etc/prometheus/rules/*.yml]
alerting: {alertmanagers: [{static_configs: [{targets: ["127.0.0.1:9093"]}]}]}
scrape_configs: [{job_name: by-hand, static_configs: [{targets: ["127.0.0.1:9090"]}]}]
END
cat >/etc/prometheus/rules/ansible_managed.yml <<'END'
groups: [{name: by hand, rules: [{alert: Watchdog, expr: vector(1)}]}]
END
printf 'route: {receiver: nobody}\\nreceivers: [{name: nobody}]\\n' >/etc/alertmanager/alertmanager.yml
chown -R prometheus:prometheus /etc/prometheus
chown -R alertmanager:alertmanager /etc/alertmanager
${unit('prometheus', { user: 'prometheus', flags: '--storage.tsdb.path=/var/lib/prometheus --storage.tsdb.retention.time=30d --web.listen-address=0.0.0.0:9090 --config.file=/etc/prometheus/prometheus.yml' })}
${unit('alertmanager', { user: 'alertmanager', flags: '--cluster.listen-address= --config.file=/etc/alertmanager/alertmanager.yml --storage.path=/var/lib/alertmanager --web.listen-address=0.0.0.0:9093' })}
${unit('node_exporter', { user: 'node-exp', flags: '--collector.textfile.directory=/var/lib/node_exporter --web.listen-address=0.0.0.0:9100' })}
systemctl daemon-reload
systemctl enable --quiet --now prometheus alertmanager node_exporter
for _ in 1 2 3 4 5 6 7 8 9 10; do
  if amtool --alertmanager.url=http://127.0.0.1:9093 silence add alertname=Kept --comment=kept --author=somebody --duration=2h 2>/dev/null; then break; fi
  sleep 0.5
done
`
