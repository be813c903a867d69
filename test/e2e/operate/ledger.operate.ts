/** The ledger itself: on a quiet fleet it finds nothing, and what is broken on purpose it tells. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RunEvent } from '../../../lib/engine/events.ts'
import type { LedgerEvent } from '../../../lib/ledger/events.ts'
import { tally } from '../../../lib/ledger/tally.ts'
import type { AlertsReport } from '../../../lib/model.ts'
import { ADDRESSES, ALERTMANAGERS, ask, deploy, failuresOf, MEMBERS, REPLICAS } from '../deploy/fleet.ts'
import { haWith } from '../deploy/inventories.ts'
import { type Ended, onHost, reportOf, runs, startVestal, vestal } from '../vestal.ts'

/** Quick to be over: canaries are looked at again every 20 seconds, and the last member waits for 4. */
const settings = (canary: object = {}) => ({
  alertmanager: {
    alertmanager: { cluster: { peer_timeout: '2s' }, canary: { every: '1s', group_interval: '20s', ...canary } },
  },
})
const inventory = haWith(settings())
/** The same with another limit of memory, for which every Alertmanager must be restarted. */
const restarted = (memory_max: string): string => {
  const { alertmanager } = settings().alertmanager
  return haWith({ alertmanager: { alertmanager: { ...alertmanager, memory_max } } })
}
const PORT = 19094
const watched = ['deploy', '-i', inventory, '--watch-alerts', '--json']

const alertsOf = (ended: Ended): AlertsReport => {
  const { alerts } = reportOf(ended)
  if (!alerts) throw new Error('the report says nothing of alerts')
  return alerts
}
const arrived = (event: RunEvent): boolean =>
  event.event === 'gate' && event.name === 'Canary alerts arrive before anything is changed' && event.verdict.pass

/** What a watched run could leave on its fleet. */
const leftovers = async (): Promise<readonly string[]> => {
  const files = await Promise.all(
    MEMBERS.map((name) => onHost(ADDRESSES[name], 'ls /var/lib/node_exporter/textfile | grep canary || true')),
  )
  const ports = await Promise.all(ALERTMANAGERS.map((name) => onHost(ADDRESSES[name], `ss -Hltn sport = :${PORT}`)))
  const silences = await ask<readonly { status: { state: string } }[]>('am-1', 9093, '/api/v2/silences')
  const held = silences.filter(({ status }) => status.state !== 'expired').map((silence) => JSON.stringify(silence))
  return [...files, ...ports, ...held].filter(Boolean)
}
const canariesFiring = async (): Promise<number> => {
  const answers = await Promise.all(
    REPLICAS.map((replica) =>
      ask<{ data: { alerts: readonly { labels: { alertname: string } }[] } }>(replica, 9090, '/api/v1/alerts'),
    ),
  )
  return answers.flatMap(({ data }) => data.alerts).filter(({ labels }) => labels.alertname === 'VestalCanary').length
}

beforeAll(async () => void (await deploy('-i', inventory)))

describe('a quiet run', () => {
  let ended: Ended
  beforeAll(async () => {
    ended = await vestal(watched)
  })

  test('loses, duplicates and repeats nothing, and ends with 0', () => {
    expect(alertsOf(ended)).toMatchObject({ lost: 0, duplicated: 0, refired: 0, unresolved: 0, linksLost: 0 })
    expect(alertsOf(ended).delivered).toBeGreaterThanOrEqual(3)
    expect(alertsOf(ended).delivered).toBe(alertsOf(ended).sent)
    expect(ended.code).toBe(0)
  })

  test('leaves no metric, no silence and no open port', async () => {
    expect(await leftovers()).toEqual([])
  })

  test('keeps every notification, from which its figures follow again', async () => {
    const { run, alerts } = reportOf(ended)
    const events = readFileSync(join(runs, run, 'notifications.ndjson'), 'utf8')
      .trim()
      .split('\n')
      .map((line): LedgerEvent => JSON.parse(line))
    const patience = { dueMs: 20_000, lateMs: 30_000, quietMs: 10_000 }
    expect(tally(events, patience, Date.now()).report).toEqual(alerts)
    expect(events.filter(({ what }) => what === 'notified').length).toBeGreaterThanOrEqual(2 * (alerts?.sent ?? 0))
    const audit = JSON.parse((await vestal(['audit', run, '--json'])).stdout)
    expect(audit.notifications).toEqual(events)
  })

  test('is followed by a plan with nothing to do', async () => {
    expect(await vestal(['plan', '-i', inventory, '--exit-code'])).toMatchObject({ code: 0 })
  })
})

test('a rolling restart under canaries loses and duplicates none, and tells silenced ones from others', async () => {
  const ended = await vestal(['deploy', '-i', restarted('200MiB'), '--watch-alerts', '--json'])
  const alerts = alertsOf(ended)
  expect(alerts).toMatchObject({ lost: 0, duplicated: 0, unresolved: 0, silenced: { notified: 0 } })
  expect(alerts.silenced.sent).toBeGreaterThan(0)
  expect(ended.code).toBe(0)
})

test('alerts that cannot be delivered are told as lost, and the run fails for it', async () => {
  const onAll = (command: string, input?: string) =>
    Promise.all(ALERTMANAGERS.map((name) => onHost(ADDRESSES[name], command, input)))
  const chain = `type filter hook output priority 0; tcp dport ${PORT} reject with tcp reset`
  const faults: Promise<unknown>[] = []
  const { ended } = startVestal(['deploy', '-i', restarted('210MiB'), '--watch-alerts', '--json'], {
    onEvent(event) {
      if (event.event === 'batch-started' && event.hosts.includes('am-2'))
        faults.push(onAll('nft -f -', `table inet canary { chain out { ${chain}; }; }`))
      if (event.event === 'gate' && event.name === 'Every canary alert is delivered' && event.last)
        faults.push(onAll('nft delete table inet canary'))
    },
  })
  const result = await ended
  await Promise.all(faults)
  const alerts = alertsOf(result)
  expect(alerts.lost).toBeGreaterThan(0)
  expect(alerts.canaries.lost.length).toBeGreaterThan(0)
  expect(alerts.longestBlackoutMs).toBeGreaterThan(30_000)
  expect(result.code).toBe(1)
})

test('a link that breaks is made again, and nothing is lost', async () => {
  // A script that is under way on the host goes with the link, and is that host's failure: here none is.
  await deploy('-i', inventory)
  const cut = `kill $(ss -Hltnp sport = :${PORT} | sed -n 's/.*pid=\\([0-9]*\\).*/\\1/p' | head -1)`
  let broken: Promise<unknown> | undefined
  const { ended } = startVestal(watched, {
    onEvent(event) {
      if (arrived(event)) broken ??= onHost(ADDRESSES['am-1'], cut)
    },
  })
  const result = await ended
  await broken
  expect(alertsOf(result)).toMatchObject({ lost: 0, duplicated: 0, linksLost: 1, silenced: { notified: 0 } })
  expect({ code: result.code, failures: failuresOf(result) }).toEqual({ code: 0, failures: [] })
})

test('canaries of a killed run end by themselves, and the next run is not disturbed', async () => {
  const running = startVestal(watched, { onEvent: (event, { kill }) => void (arrived(event) && kill('SIGKILL')) })
  await running.ended
  await expect.poll(canariesFiring, { timeout: 90_000, interval: 500 }).toBe(0)
  const files = MEMBERS.map((name) =>
    onHost(ADDRESSES[name], 'ls /var/lib/node_exporter/textfile | grep canary || true'),
  )
  expect((await Promise.all(files)).join('')).toBe('')
  expect(alertsOf(await vestal(watched))).toMatchObject({ lost: 0, duplicated: 0 })
})

describe('a fleet without canary alerts', () => {
  const without = haWith(settings({ enabled: false }))
  beforeAll(async () => void (await deploy('-i', without)))
  afterAll(async () => void (await deploy('-i', inventory)))

  test('is refused before any machine is touched where its inventory says so', async () => {
    const { code, stderr } = await vestal(['deploy', '-i', without, '--watch-alerts'])
    expect(code).toBe(2)
    expect(stderr).toContain('alertmanager.canary.enabled: is false on am-1, so alerts cannot be watched')
  })

  test('is refused before anything is changed where it was not deployed with them', async () => {
    const { code, stderr, stdout } = await vestal(['deploy', '-i', inventory, '--watch-alerts'])
    expect(code).toBe(1)
    expect(stderr).toContain('this fleet is not prepared for watching alerts')
    expect(stdout).not.toContain('Alertmanagers, one at a time')
  })
})
