/** `explain` on a fleet in which one thing is wrong: what the real servers say leads to that, and to nothing else. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ADDRESSES, ALERTMANAGERS, deploy, type Member, REPLICAS } from '../deploy/fleet.ts'
import { onHost, vestal } from '../vestal.ts'

const HA = 'inventory/ha'
const on = (member: Member, script: string): Promise<string> => onHost(ADDRESSES[member], 'sh -eu', script)
const onAll = (members: readonly Member[], script: string) => Promise.all(members.map((one) => on(one, script)))

interface Cause {
  readonly id: string
}
/** The ids of all causes that are told, each once. */
const explain = async (alert: string) => {
  const { code, stdout } = await vestal(['explain', alert, '-i', HA, '--json'])
  const said = JSON.parse(stdout) as { causes: readonly Cause[]; alerts: readonly { causes: readonly Cause[] }[] }
  const causes = [...said.causes, ...said.alerts.flatMap((one) => one.causes)]
  return { code, causes: [...new Set(causes.map(({ id }) => id))] }
}
const soon = { timeout: 120_000, interval: 1_000 }

interface Case {
  readonly what: string
  readonly cause: string
  /** Default: VestalQuickstart, which fires. */
  readonly alert?: string
  readonly plant?: () => Promise<unknown>
  readonly undo?: () => Promise<unknown>
}

/** Another prometheus.yml than was deployed, in force. */
const prometheusYml = (members: readonly Member[], sed: string) => ({
  plant: () =>
    onAll(
      members,
      `cp -a /etc/prometheus/prometheus.yml /root/kept.yml; sed -i ${sed} /etc/prometheus/prometheus.yml; systemctl reload prometheus`,
    ),
  undo: () => onAll(members, 'mv /root/kept.yml /etc/prometheus/prometheus.yml; systemctl reload prometheus'),
})
const firewall = (members: readonly Member[], rule: string) => ({
  plant: () =>
    onAll(
      members,
      `nft 'add table inet planted; add chain inet planted out { type filter hook output priority 0; }; add rule inet planted out ${rule}'`,
    ),
  undo: () => onAll(members, 'nft delete table inet planted'),
})
const api = async (member: Member, method: 'POST' | 'DELETE', path: string, body?: unknown): Promise<string> => {
  const answer = await fetch(`http://${ADDRESSES[member]}:9093/api/v2${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`)
  return answer.text()
}
const minutes = (count: number): string => new Date(Date.now() + count * 60_000).toISOString()
/** Two alerts, of which the critical one inhibits the other. */
const pair = () =>
  ['critical', 'warning'].map((severity) => ({
    labels: { alertname: 'Planted', cluster: 'lab', instance: 'x', severity },
    startsAt: minutes(-1),
    endsAt: minutes(5),
  }))
const silences: string[] = []

const cases: readonly Case[] = [
  { what: 'nothing is wrong, and the root of the tree takes it', cause: 'no-route' },
  { what: 'no rule is called so', cause: 'no-rule', alert: 'NoSuchAlert' },
  {
    what: 'it is silenced',
    cause: 'silenced',
    async plant() {
      const matchers = [{ name: 'alertname', value: 'VestalQuickstart', isRegex: false, isEqual: true }]
      const made = { matchers, startsAt: minutes(0), endsAt: minutes(5), createdBy: 'test', comment: 'planted' }
      silences.push((JSON.parse(await api('am-1', 'POST', '/silences', made)) as { silenceID: string }).silenceID)
    },
    undo: () => Promise.all(silences.map((id) => api('am-1', 'DELETE', `/silence/${id}`))),
  },
  {
    what: 'another inhibits it',
    cause: 'inhibited',
    alert: 'alertname="Planted",severity="warning"',
    plant: () => Promise.all(ALERTMANAGERS.map((one) => api(one, 'POST', '/alerts', pair()))),
    undo: () =>
      Promise.all(
        ALERTMANAGERS.map((one) =>
          api(
            one,
            'POST',
            '/alerts',
            pair().map((alert) => ({ ...alert, endsAt: minutes(0) })),
          ),
        ),
      ),
  },
  {
    what: 'one replica leaves the replica label on it',
    cause: 'replica-label',
    ...prometheusYml(['prom-2'], '\'s/regex: "*replica"*$/regex: nothing/\''),
  },
  {
    what: 'one Alertmanager hears nothing of the others',
    cause: 'split',
    ...firewall(['am-1'], 'th dport 9094 drop; add rule inet planted out th sport 9094 drop'),
  },
  { what: 'relabelling drops it', cause: 'dropped', ...prometheusYml(REPLICAS, 's/labeldrop/keep/') },
  {
    what: 'no Alertmanager is known to any Prometheus',
    cause: 'sends-to-none',
    ...prometheusYml(REPLICAS, '/:9093/d'),
  },
  {
    what: 'nothing that is sent gets to an Alertmanager',
    cause: 'send-fails',
    ...firewall(REPLICAS, 'tcp dport 9093 reject with tcp reset'),
  },
]

beforeAll(async () => {
  await deploy('-i', HA)
  await onHost(ADDRESSES['node-1'], "echo 'vestal_quickstart 1' >/var/lib/node_exporter/textfile/metric.prom")
})
afterAll(async () => {
  await onHost(ADDRESSES['node-1'], 'rm -f /var/lib/node_exporter/textfile/metric.prom')
  await deploy('-i', HA)
})

test.each(cases)('$what: $cause', async ({ cause, alert = 'VestalQuickstart', plant, undo }) => {
  await plant?.()
  try {
    const code = cause === 'no-route' ? 0 : 1
    await expect.poll(() => explain(alert), soon).toEqual({ code, causes: [cause] })
  } finally {
    await undo?.()
  }
  await expect.poll(() => explain('VestalQuickstart'), soon).toEqual({ code: 0, causes: ['no-route'] })
})
