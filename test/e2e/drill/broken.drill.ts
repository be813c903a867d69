/** Fleets that are broken before the drill: the drill that is about it fails, and says what is wrong. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ADDRESSES, ALERTMANAGERS, deploy, type Member } from '../deploy/fleet.ts'
import { onHost } from '../vestal.ts'
import { bringUp, drill, drillInventory, drillOf, leftovers, takeDown } from './fleet.ts'

const inventory = drillInventory()
const on = (member: Member, script: string): Promise<string> => onHost(ADDRESSES[member], 'sh -eu', script)
const onAll = (script: string) => Promise.all(ALERTMANAGERS.map((name) => on(name, script)))

interface Broken {
  readonly what: string
  readonly scenario: string
  /** Default: the fleet's own. */
  readonly of?: string
  readonly plant: () => Promise<unknown>
  readonly undo: () => Promise<unknown>
  /** What the report must say. */
  readonly cause: RegExp
}

/** Another prometheus.yml than was deployed, in force. */
const prometheusYml = (member: Member, sed: string) => ({
  plant: () =>
    on(
      member,
      `cp -a /etc/prometheus/prometheus.yml /root/kept.yml; sed -i ${sed} /etc/prometheus/prometheus.yml; systemctl reload prometheus`,
    ),
  undo: () => on(member, 'mv /root/kept.yml /etc/prometheus/prometheus.yml; systemctl reload prometheus'),
})
/** Another unit than was deployed, running. */
const unitOf = (member: Member, service: string, sed: string) => ({
  plant: () =>
    on(
      member,
      `cp -a /etc/systemd/system/${service}.service /root/kept.service; sed -i ${sed} /etc/systemd/system/${service}.service; systemctl daemon-reload; systemctl restart ${service}`,
    ),
  undo: () =>
    on(
      member,
      `mv /root/kept.service /etc/systemd/system/${service}.service; systemctl daemon-reload; systemctl restart ${service}`,
    ),
})
const dropIn = (lines: string) => ({
  plant: () =>
    onAll(
      `mkdir -p /etc/systemd/system/alertmanager.service.d; printf '[Service]\\n${lines}\\n' >/etc/systemd/system/alertmanager.service.d/planted.conf; systemctl daemon-reload`,
    ),
  undo: () => onAll('rm -r /etc/systemd/system/alertmanager.service.d; systemctl daemon-reload'),
})
const eating = drillInventory({
  config: {
    inhibit_rules: [{ source_matchers: ['alertname = Watchdog'], target_matchers: ['alertname = VestalCanary'] }],
  },
})

const table: readonly Broken[] = [
  {
    what: 'a member has another cluster label than the others',
    scenario: 'kill-alertmanager',
    ...unitOf('am-1', 'alertmanager', 's/cluster.label=lab/cluster.label=other/'),
    cause: /am-1: Alertmanager gossips with every member of the inventory: does not see/,
  },
  {
    what: 'the replica label stays on alerts',
    scenario: 'kill-prometheus',
    ...prometheusYml('prom-2', '\'s/regex: "*replica"*$/regex: nothing/\''),
    cause: /differ in the label replica/,
  },
  {
    what: 'what one Prometheus sends is refused by every Alertmanager',
    scenario: 'stop-prometheus',
    // A label without a name.
    ...prometheusYml('prom-1', 's/labeldrop/labelmap/'),
    cause: /prom-1: its Prometheus fails to send(?:.|\n)*\d+ alerts? lost/,
  },
  {
    what: 'a Prometheus does not send to one of the Alertmanagers',
    scenario: 'cut-all-but-one',
    ...prometheusYml('prom-2', `/${ADDRESSES['am-2']}:9093/d`),
    cause: /prom-2: Prometheus sends to every Alertmanager of the inventory: does not send to 10\.88\.0\.14:9093/,
  },
  {
    what: 'what was notified is not kept over a restart',
    scenario: 'restart-alertmanagers',
    ...dropIn('ExecStartPre=+/bin/rm -f /var/lib/alertmanager/nflog'),
    cause: /notified before the faults and once more since/,
  },
  {
    what: 'an inhibition eats the alert',
    scenario: 'partition',
    of: eating,
    plant: () => deploy('-i', eating),
    undo: () => deploy('-i', inventory),
    cause: /am-\d: .*inhibited/,
  },
  {
    what: 'the receiver does not take what is sent to it',
    scenario: 'freeze-prometheus',
    plant: () =>
      onAll(
        `nft -f - <<'E'\ntable inet planted { chain out { type filter hook output priority 0; tcp dport 19094 reject with tcp reset; }; }\nE`,
      ),
    undo: () => onAll('nft delete table inet planted'),
    cause: /am-\d: .*fails to notify/,
  },
  {
    what: 'silences are not kept over a restart, nor told by the others',
    scenario: 'restart-alertmanagers',
    ...dropIn('ExecStartPre=+/bin/rm -f /var/lib/alertmanager/silences'),
    cause: /has lost silences|in spite of a silence|lacks \d+ silence/,
  },
  {
    what: 'a Prometheus is down already',
    scenario: 'kill-prometheus',
    plant: () => on('prom-2', 'systemctl stop prometheus'),
    undo: () => on('prom-2', 'systemctl start prometheus'),
    cause: /before anything was done, prom-2: Prometheus is ready/,
  },
  {
    what: 'the rule for alerts evaluates nothing, as its group is gone',
    scenario: 'stop-prometheus',
    plant: () =>
      Promise.all(
        (['prom-1', 'prom-2'] as const).map((name) =>
          on(name, 'mv /etc/prometheus/rules/vestal-canary.yml /root/; systemctl reload prometheus'),
        ),
      ),
    undo: () =>
      Promise.all(
        (['prom-1', 'prom-2'] as const).map((name) =>
          on(name, 'mv /root/vestal-canary.yml /etc/prometheus/rules/; systemctl reload prometheus'),
        ),
      ),
    cause: /prom-\d: .*(vestal-canary|no rule for canary alerts)/,
  },
  {
    what: 'a member never comes back once it is killed',
    scenario: 'kill-alertmanager',
    plant: () =>
      on(
        'am-1',
        `mkdir -p /etc/systemd/system/alertmanager.service.d; printf '[Service]\\nExecStartPre=/bin/false\\n' >/etc/systemd/system/alertmanager.service.d/planted.conf; systemctl daemon-reload`,
      ),
    undo: () =>
      on(
        'am-1',
        'rm -r /etc/systemd/system/alertmanager.service.d; systemctl daemon-reload; systemctl start alertmanager',
      ),
    cause: /Alertmanager of am-1 is killed: it could not be undone/,
  },
]

beforeAll(() => bringUp(inventory))
afterAll(takeDown)

test.each(table.map((one) => [one.what, one] as const))('%s: the drill fails and says so', async (_, broken) => {
  const { scenario, of = inventory, plant, undo, cause } = broken
  await plant()
  try {
    const ended = await drill(of, scenario, '--force')
    const { alerts, drill: found } = drillOf(ended)
    const { verdict, causes } = found
    console.log(`${scenario}: ${verdict}, ${alerts?.duplicated} twice: ${causes.join('\n  ')}`)
    expect([verdict, causes.join('\n'), ended.code]).toEqual(['failed', expect.stringMatching(cause), 1])
  } finally {
    await undo()
    await drill(inventory, 'heal')
  }
  await expect.poll(leftovers, { timeout: 30_000, interval: 1_000 }).toEqual([])
})
