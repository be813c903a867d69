/** What people do to machines by hand, and what a plan must find of it. */
import type { Member } from './fleet.ts'
import type { SERVICES } from './snapshot.ts'

export interface Drift {
  readonly what: string
  readonly on: Member
  /** Run on that host as root. */
  readonly byHand: string
  /** The tasks that plan must find there, all of them. */
  readonly found: readonly string[]
  /** The service whose process must be another one after the deploy; all others must be the same process. */
  readonly restarts?: (typeof SERVICES)[number]
}

const PROMETHEUS = 'file /etc/prometheus/prometheus.yml'
const ALERTMANAGER = 'file /etc/alertmanager/alertmanager.yml'
const edit = (path: string, script: string): string => `sed -i '${script}' ${path}`
/** Lets a process run with what is not on the disk any more: changed, taken up, and put back by hand. */
const andBack = (path: string, script: string, takeUp: string): string =>
  `cp -a ${path} /root/kept; ${edit(path, script)}; ${takeUp}; sleep 0.1; cp -a /root/kept ${path}.new; mv ${path}.new ${path}; rm /root/kept`

/** Each round is one plan and one deploy, with one drift on each host. */
export const ROUNDS: readonly (readonly Drift[])[] = [
  [
    {
      what: 'a config edited',
      on: 'prom-1',
      byHand: edit('/etc/prometheus/prometheus.yml', 's/scrape_interval: 5s/scrape_interval: 7s/'),
      found: [PROMETHEUS, 'service prometheus'],
    },
    {
      what: 'a rule file edited',
      on: 'prom-2',
      byHand: edit('/etc/prometheus/rules/quickstart.yml', 's/critical/warning/'),
      found: ['file /etc/prometheus/rules/quickstart.yml', 'service prometheus'],
    },
    {
      what: 'a unit edited',
      on: 'am-1',
      byHand: edit('/etc/systemd/system/alertmanager.service', 's/^NoNewPrivileges=.*/NoNewPrivileges=no/'),
      found: ['unit alertmanager.service'],
    },
    {
      what: 'a unit masked',
      on: 'am-2',
      byHand: 'rm /etc/systemd/system/alertmanager.service; systemctl mask -q alertmanager',
      found: ['unit alertmanager.service', 'service alertmanager'],
    },
    {
      what: 'a service disabled',
      on: 'am-3',
      byHand: 'systemctl disable -q alertmanager',
      found: ['service alertmanager'],
    },
    {
      what: 'a service stopped',
      on: 'node-1',
      byHand: 'systemctl stop node_exporter',
      found: ['service node_exporter'],
      restarts: 'node_exporter',
    },
  ],
  [
    {
      what: 'a rule file dropped in',
      on: 'prom-1',
      byHand: `printf 'groups: []\\n' >/etc/prometheus/rules/mine.yml`,
      found: ['directory /etc/prometheus/rules', 'service prometheus'],
    },
    {
      what: 'a binary replaced',
      on: 'prom-2',
      byHand:
        'cd /opt/vestal/prometheus/3.5.3; cp prometheus p.new; printf x >>p.new; mv p.new prometheus; systemctl restart prometheus',
      found: ['release prometheus 3.5.3', 'service prometheus'],
      restarts: 'prometheus',
    },
    {
      what: 'a config edited and loaded',
      on: 'am-1',
      byHand: `${edit('/etc/alertmanager/alertmanager.yml', 's/group_wait: 1s/group_wait: 2s/')}; systemctl reload alertmanager`,
      found: [ALERTMANAGER, 'service alertmanager'],
    },
    {
      what: 'a mode altered',
      on: 'am-2',
      byHand: 'chmod 0666 /etc/alertmanager/alertmanager.yml',
      found: [ALERTMANAGER],
    },
    {
      what: 'an owner altered',
      on: 'am-3',
      byHand: 'chown root:root /var/lib/alertmanager',
      found: ['directory /var/lib/alertmanager'],
    },
    {
      what: 'a link pointed elsewhere',
      on: 'node-1',
      byHand: 'ln -sfn /bin/true /usr/local/bin/node_exporter',
      found: ['symlink /usr/local/bin/node_exporter'],
    },
  ],
  [
    {
      what: 'a file deleted',
      on: 'prom-1',
      byHand: 'rm /etc/prometheus/rules/quickstart.yml',
      found: ['file /etc/prometheus/rules/quickstart.yml', 'service prometheus'],
    },
    {
      what: 'a service started with flags that its unit no longer has',
      on: 'prom-2',
      byHand: andBack(
        '/etc/systemd/system/prometheus.service',
        's/retention.time=10d/retention.time=11d/',
        'systemctl daemon-reload; systemctl restart prometheus',
      ),
      found: ['service prometheus'],
      restarts: 'prometheus',
    },
    {
      what: 'a config loaded that is no longer on the disk',
      on: 'am-1',
      byHand: andBack(
        '/etc/alertmanager/alertmanager.yml',
        's/group_wait: 1s/group_wait: 2s/',
        'systemctl reload alertmanager',
      ),
      found: ['service alertmanager'],
    },
    {
      what: 'the link to the current version pointed nowhere',
      on: 'am-2',
      byHand: 'ln -sfn /opt/vestal/alertmanager/9.9.9 /opt/vestal/alertmanager/current',
      found: ['symlink /opt/vestal/alertmanager/current'],
    },
    {
      what: 'a service killed in a crash',
      on: 'am-3',
      byHand: `was=$(systemctl show -P MainPID alertmanager); systemctl kill -s KILL alertmanager
for look in $(seq 100); do
  sleep 0.1; now=$(systemctl show -P MainPID alertmanager)
  if [ "$now" != "$was" ] && [ "$now" != 0 ]; then break; fi
done`,
      found: [],
    },
    {
      what: 'a unit deleted',
      on: 'node-1',
      byHand: 'rm /etc/systemd/system/node_exporter.service; systemctl daemon-reload',
      found: ['unit node_exporter.service', 'service node_exporter'],
    },
  ],
]
