/** What can be wrong with a fleet, planted on a lab: in a copy of inventory/ha, or on its running machines. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { accounts } from '../../../lib/lab/places.ts'
import { ADDRESSES, ALERTMANAGERS, type Member } from '../deploy/fleet.ts'
import { haWith, writeFiles } from '../deploy/inventories.ts'
import { onHost } from '../vestal.ts'

type Settings = Readonly<Record<string, unknown>>
export interface Fault {
  readonly fault: string
  /** The finding's id. */
  readonly id: string
  /** Machines that are looked at; default: one that has nothing to do with it. */
  readonly limit?: string
  /** Default: inventory/ha as it is. */
  readonly inventory?: () => string
  /** Done to running machines before, and undone after. */
  readonly plant?: () => Promise<unknown>
  readonly undo?: () => Promise<unknown>
}

const on = (member: Member, script: string): Promise<string> => onHost(ADDRESSES[member], 'sh -eu', script)

/** A copy of inventory/ha in which one host has other settings than its group. */
const hostWith = (host: Member, group: string, change: (settings: Settings) => Settings): string => {
  const folder = haWith({})
  const settings = parse(readFileSync(join(folder, 'group_vars', `${group}.yml`), 'utf8')) as Settings
  writeFiles(folder, { [`host_vars/${host}.yml`]: change(settings) })
  return folder
}
const roleWith = (host: Member, role: 'prometheus' | 'alertmanager', change: Settings): string =>
  hostWith(host, role, (settings) => ({ ...settings, [role]: { ...(settings[role] as Settings), ...change } }))
const clusterWith = (change: Settings): string =>
  roleWith('am-1', 'alertmanager', { cluster: { label: 'lab', ...change } })

/** inventory/ha with fewer hosts. */
const only = (...hosts: readonly Member[]): string => {
  const folder = haWith({})
  const of = (start: string) =>
    Object.fromEntries(
      hosts.filter((one) => one.startsWith(start)).map((one) => [one, { ansible_host: ADDRESSES[one] }]),
    )
  const children = {
    prometheus: { hosts: of('prom') },
    alertmanager: { hosts: of('am') },
    node_exporter: { children: { prometheus: null, alertmanager: null } },
  }
  writeFiles(folder, { 'hosts.yml': JSON.stringify({ all: { children } }) })
  return folder
}

const firewall = (member: Member, ...rules: readonly string[]) => ({
  plant: () =>
    on(
      member,
      `nft -f - <<'EOF'\ntable inet planted {\nchain in { type filter hook input priority 0;\n${rules.join('\n')}\n}\n}\nEOF\n`,
    ),
  undo: () => on(member, 'nft delete table inet planted'),
})

/** Another prometheus.yml than was deployed, in force. */
const edited = (member: Member, sed: string) => ({
  plant: () =>
    on(
      member,
      `cp -a /etc/prometheus/prometheus.yml /root/kept.yml; sed -i ${sed} /etc/prometheus/prometheus.yml; systemctl reload prometheus`,
    ),
  undo: () => on(member, 'mv /root/kept.yml /etc/prometheus/prometheus.yml; systemctl reload prometheus'),
})

const cutOff = firewall(
  'am-1',
  'udp dport 9094 drop',
  'tcp dport 9094 drop',
  'tcp sport 9094 drop',
  'udp sport 9094 drop',
)

export const faults: readonly Fault[] = [
  {
    fault: 'UDP only is blocked at one member',
    id: 'gossip-udp',
    limit: 'alertmanager',
    ...firewall('am-1', 'udp dport 9094 drop'),
  },
  {
    fault: 'TCP only is blocked at one member',
    id: 'gossip-tcp',
    limit: 'alertmanager',
    ...firewall('am-1', 'tcp dport 9094 drop'),
  },
  {
    fault: 'one Prometheus does not reach one Alertmanager',
    id: 'alertmanager-unreachable',
    limit: 'prom-1:am-2',
    ...firewall('am-2', `ip saddr ${ADDRESSES['prom-1']} tcp dport 9093 drop`),
  },
  {
    fault: 'one Prometheus misses one Alertmanager',
    id: 'alertmanager-missing',
    limit: 'prometheus',
    ...edited('prom-2', `/${ADDRESSES['am-2']}:9093/d`),
  },
  {
    fault: 'a Prometheus sends to something else, such as a load balancer',
    id: 'alertmanager-foreign',
    limit: 'prometheus',
    ...edited('prom-2', `'/static_configs/,$ s/${ADDRESSES['am-2']}:9093/10.88.0.1:9093/'`),
  },
  {
    fault: 'the replica label is not dropped from alerts',
    id: 'replica-label-on-alerts',
    limit: 'prometheus',
    ...edited('prom-2', 's/labeldrop/labelmap/'),
  },
  {
    fault: 'a label of one replica only stays on its alerts',
    id: 'replica-label-on-alerts',
    inventory: () => roleWith('prom-1', 'prometheus', { external_labels: { site: 'a' } }),
  },
  {
    fault: 'both replicas have the same label',
    id: 'replica-labels-equal',
    inventory: () => haWith({ prometheus: { prometheus: { replica: 'same' } } }),
  },
  {
    // A container has its box's clock. What the probe asks for the time is what is made to lie.
    fault: 'a clock is five minutes off',
    id: 'clock',
    limit: 'am-2',
    plant: () =>
      on(
        'am-2',
        `printf '#!/bin/sh\\nexec /bin/date --date="5 minutes ago" "$@"\\n' >/usr/local/bin/date; chmod +x /usr/local/bin/date`,
      ),
    undo: () => on('am-2', 'rm /usr/local/bin/date'),
  },
  {
    fault: 'something else listens on 9090',
    id: 'port-taken',
    limit: 'prom-1',
    plant: () =>
      on(
        'prom-1',
        `systemctl stop prometheus
systemd-run --quiet --unit=squatter perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new(LocalPort => 9090, Listen => 1, ReuseAddr => 1) or die; sleep'
timeout 20 sh -c 'until ss -Hltn | grep -q :9090; do sleep 0.1; done'`,
      ),
    undo: () => on('prom-1', 'systemctl stop squatter; systemctl start prometheus'),
  },
  {
    fault: 'a disk is full',
    id: 'disk-full',
    limit: 'am-3',
    plant: () => on('am-3', 'mount -t tmpfs -o size=64k none /var/lib/alertmanager'),
    undo: () => on('am-3', 'umount /var/lib/alertmanager'),
  },
  {
    fault: 'another run has held a lock for hours',
    id: 'locked',
    plant: () =>
      on(
        'node-1',
        `mkdir -p /run/vestal; read -r stat </proc/1/stat; set -- \${stat##*) }
printf 'run=old\\nowner=ada@laptop\\nsince=2026-01-01T00:00:00Z\\nsession=1 %s\\nscript=0 0\\n' "\${20}" >/run/vestal/lock`,
      ),
    undo: () => on('node-1', 'rm /run/vestal/lock'),
  },
  { fault: 'a machine cannot be reached', id: 'unreachable', inventory: () => haWith({ all: { ansible_port: 2222 } }) },
  {
    fault: 'sudo wants a password that nobody gave',
    id: 'sudo',
    inventory: () => haWith({ all: { ansible_user: accounts.deploy, ansible_become: true } }),
  },
  { fault: 'the account is not root', id: 'sudo', inventory: () => haWith({ all: { ansible_user: accounts.ops } }) },
  {
    fault: 'the architecture is another',
    id: 'architecture',
    inventory: () => haWith({ all: { vestal: { arch: 'arm64' } } }),
  },
  {
    fault: 'a member advertises an address that nobody has',
    id: 'advertise-unroutable',
    limit: 'alertmanager',
    inventory: () => clusterWith({ advertise_address: '10.99.0.1' }),
  },
  {
    fault: 'a member advertises itself to itself',
    id: 'advertise-unroutable',
    inventory: () => clusterWith({ advertise_address: '127.0.0.1' }),
  },
  {
    fault: 'one member has other timings',
    id: 'gossip-timings',
    inventory: () => clusterWith({ peer_timeout: '30s' }),
  },
  { fault: 'one member has another label', id: 'gossip-label', inventory: () => clusterWith({ label: 'other' }) },
  {
    fault: 'groups are sent faster than members wait',
    id: 'group-interval',
    inventory: () => haWith({ alertmanager: { alertmanager: { config: { route: { group_interval: '8s' } } } } }),
  },
  {
    fault: 'one replica scrapes less',
    id: 'targets-differ',
    inventory: () => roleWith('prom-2', 'prometheus', { targets: { alertmanager: null } }),
  },
  {
    fault: 'one replica has other rules',
    id: 'rules-differ',
    inventory: () =>
      hostWith('prom-2', 'prometheus', (settings) => ({ ...settings, rules: { folders: ['rules'], watchdog: false } })),
  },
  {
    fault: 'one replica keeps less',
    id: 'retention-differs',
    inventory: () => roleWith('prom-2', 'prometheus', { retention: { time: '2d' } }),
  },
  {
    fault: 'one replica evaluates slower',
    id: 'pace-differs',
    inventory: () => roleWith('prom-2', 'prometheus', { evaluation_interval: '30s' }),
  },
  {
    fault: 'firing alerts are sent again too seldom',
    id: 'resend-slow',
    inventory: () => haWith({ prometheus: { prometheus: { resend_delay: '5m' } } }),
  },
  {
    fault: 'a roll is half done',
    id: 'versions-mixed',
    inventory: () => roleWith('am-1', 'alertmanager', { version: '0.28.1' }),
  },
  {
    fault: 'a shard has one replica',
    id: 'replica-alone',
    limit: 'prom-1',
    inventory: () => only('prom-1', ...ALERTMANAGERS),
  },
  {
    fault: 'a cluster has two members',
    id: 'alertmanager-pair',
    limit: 'prom-1',
    inventory: () => only('prom-1', 'am-1', 'am-2'),
  },
  {
    fault: 'there is one Alertmanager',
    id: 'alertmanager-alone',
    limit: 'prom-1',
    inventory: () => only('prom-1', 'am-1'),
  },
]

/** One member is cut off from the others' gossip; its web port and SSH stay. */
export const partitions = cutOff
