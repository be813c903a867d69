/** Incidents that others have published, rebuilt small: what finds each, before an alert is lost. docs/incidents.md tells of all, and where each is tested. */
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { RunEvent } from '../../../lib/engine/events.ts'
import type { FleetStatus } from '../../../lib/health/types.ts'
import { clearNotifications, labNotifications } from '../../../lib/lab/receiver.ts'
import { ADDRESSES, ALERTMANAGERS, deploy, type Member } from '../deploy/fleet.ts'
import { haWith } from '../deploy/inventories.ts'
import { onHost, vestal } from '../vestal.ts'

const HA = 'inventory/ha'
const on = (member: Member, script: string): Promise<string> => onHost(ADDRESSES[member], 'sh -eu', script)

beforeAll(async () => {
  await deploy('-i', HA)
})
afterAll(async () => {
  await deploy('-i', HA)
})

/** Prometheus gets a few milliseconds of each second while it starts, as on a machine whose replay takes very long. */
const SLOW = `mkdir -p /etc/systemd/system/prometheus.service.d
cat >/root/slow.sh <<'END'
turn=0
while [ $turn -lt 90 ]; do kill -STOP $1; sleep 1; kill -CONT $1; sleep 0.002; turn=$((turn+1)); done
END
printf '[Service]\\nExecStartPost=+/usr/bin/systemd-run --quiet --collect --unit=planted-slow sh /root/slow.sh $MAINPID\\n' >/etc/systemd/system/prometheus.service.d/planted.conf
systemctl daemon-reload`
const AS_FAST_AS_BEFORE = `rm -r /etc/systemd/system/prometheus.service.d
systemctl daemon-reload
systemctl stop planted-slow 2>/dev/null || :
systemctl kill --signal=CONT prometheus`

test('a replay of the WAL that takes long is waited for as long as it moves, and the replica is left alone until every target is scraped', async () => {
  await on('prom-1', SLOW)
  try {
    const { events } = await deploy('-i', haWith({ prometheus: { prometheus: { retention: { time: '14d' } } } }))
    const said = events.flatMap((event) =>
      event.event === 'gate' && event.host === 'prom-1' && !event.verdict.pass ? [event.verdict.why] : [],
    )
    console.log([...new Set(said)].join('; '))
    expect(said).toContainEqual(expect.stringMatching(/^it is starting: replaying WAL segment \d+ of \d+$/))
    const replica = events.findIndex((event) => event.event === 'step' && event.host === 'prom-2')
    const ready = events.findIndex((event) => passes(event, 'Prometheus is ready, its WAL replayed'))
    const scraped = events.findIndex((event) => passes(event, 'Prometheus has scraped every target since it started'))
    expect(Math.min(ready, scraped)).toBeGreaterThan(-1)
    expect(replica).toBeGreaterThan(Math.max(ready, scraped))
  } finally {
    await on('prom-1', AS_FAST_AS_BEFORE)
  }
})

const passes = (event: RunEvent, name: string): boolean =>
  event.event === 'gate' && event.host === 'prom-1' && event.name === name && event.last && event.verdict.pass

test('a config that runs and stands on no disk, as a wrapper loads one, is seen by status', async () => {
  const inForce = async () => {
    const { stdout } = await vestal(['status', '-i', HA, '--json', '--limit', 'am-1'])
    const { instances } = JSON.parse(stdout) as FleetStatus
    return instances.find(({ role }) => role === 'alertmanager')?.config
  }
  expect(await inForce()).toMatchObject({ inForce: true })
  await on(
    'am-1',
    `cd /etc/alertmanager
cp -p alertmanager.yml /root/kept.yml
echo '# of another hand' >>alertmanager.yml
systemctl reload alertmanager
sleep 2
cat /root/kept.yml >alertmanager.yml`,
  )
  try {
    expect(await inForce()).toMatchObject({ inForce: false })
  } finally {
    await on('am-1', 'systemctl reload alertmanager')
  }
  await expect.poll(inForce, { timeout: 20_000 }).toMatchObject({ inForce: true })
})

test('a receiver that has stopped working is named by explain, while nobody is notified', async () => {
  const { name } = inject('lab')
  const explain = async () => {
    const { code, stdout } = await vestal(['explain', 'VestalQuickstart', '-i', HA, '--json'])
    const { causes, alerts } = JSON.parse(stdout) as Record<'causes' | 'alerts', readonly { readonly id?: string }[]>
    const all = [...causes, ...alerts.flatMap((one) => (one as { causes: readonly { id: string }[] }).causes)]
    return { code, ids: all.map(({ id }) => id) }
  }
  expect(await explain()).toEqual({ code: 1, ids: ['inactive'] })
  clearNotifications(name)
  await Promise.all(
    ALERTMANAGERS.map((member) =>
      on(
        member,
        "nft 'add table inet planted; add chain inet planted out { type filter hook output priority 0; }; add rule inet planted out tcp dport 9095 reject with tcp reset'",
      ),
    ),
  )
  try {
    await onHost(ADDRESSES['node-1'], "echo 'vestal_quickstart 1' >/var/lib/node_exporter/textfile/metric.prom")
    await expect.poll(explain, { timeout: 90_000, interval: 2_000 }).toEqual({ code: 1, ids: ['fails'] })
    expect(labNotifications(name)).toEqual([])
  } finally {
    await Promise.all(ALERTMANAGERS.map((member) => on(member, 'nft delete table inet planted')))
    await onHost(ADDRESSES['node-1'], 'rm -f /var/lib/node_exporter/textfile/metric.prom')
  }
})
