/** Alerts of the global tier: from two rulers to both Alertmanagers, notified once, whatever is lost; and none because a shard is lost. */
import { cpSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { powerLoss, powerOn } from '../../../lib/lab/faults.ts'
import { clearNotifications, labNotifications } from '../../../lib/lab/receiver.ts'
import { testLab } from '../lab-setup.ts'
import { addressOf, ask, at, GLOBAL, machineOf, numberOf, on, QUERIES, until } from './fleet.ts'

/** Scraped by shard 0 and by shard 1. */
const [ONE, OTHER] = ['am-2', 'am-1'] as const
const RULES = {
  groups: [
    {
      name: 'test',
      rules: [
        { record: 'test:global:sum', expr: 'sum(vestal_global_test)' },
        { alert: 'BothShards', expr: 'test:global:sum >= 2', labels: { severity: 'warning' } },
        { alert: 'OneIsNotScraped', expr: `absent(up{instance="${OTHER}:9100",job="node"})` },
      ],
    },
  ],
}
const inventory = mkdtempSync(join(tmpdir(), 'vestal-global-'))
const figures: string[] = []

beforeAll(async () => {
  cpSync(GLOBAL, inventory, { recursive: true })
  writeFileSync(join(inventory, 'global-rules/test.yml'), stringify(RULES))
  await on(['deploy', '-y', '--no-watch-alerts'], 0, inventory)
  clearNotifications(testLab)
})
afterAll(() => console.log(['the global tier:', ...figures].join('\n')))

const metric = (name: string, value: number) =>
  at(
    name,
    `cd /var/lib/node_exporter/textfile && printf 'vestal_global_test ${value}\\n' >t.new && mv t.new global-test.prom`,
  )

/** What was notified of an alert, one a notification. */
const notified = (alertname: string, status: 'firing' | 'resolved') =>
  labNotifications(testLab).filter(({ body }) => {
    const text = JSON.stringify(body)
    return text.includes(`"alertname":"${alertname}"`) && (body as { status?: string }).status === status
  })

/** The labels with which an Alertmanager has an alert. */
const heldBy = async (member: string, alertname: string): Promise<readonly Readonly<Record<string, string>>[]> => {
  const answer = await fetch(`http://${addressOf(member)}:9093/api/v2/alerts`)
  const all = (await answer.json()) as { labels: Record<string, string> }[]
  return all.map(({ labels }) => labels).filter((labels) => labels.alertname === alertname)
}

test('an alert over both shards reaches every Alertmanager, is the same from both rulers, and is notified once', async () => {
  await metric(ONE, 1)
  const began = Date.now()
  await metric(OTHER, 1)
  for (const member of ['am-1', 'am-2'])
    await until(`${member} has it`, async () => (await heldBy(member, 'BothShards')).length > 0, 60_000)
  await until('it is notified', async () => notified('BothShards', 'firing').length > 0, 60_000)
  figures.push(`an alert over two shards is notified after ${Date.now() - began} ms`)
  // Longer than the second Alertmanager waits for the first.
  await sleep(20_000)
  expect(notified('BothShards', 'firing')).toHaveLength(1)
  for (const member of ['am-1', 'am-2'])
    expect(await heldBy(member, 'BothShards')).toEqual([
      { alertname: 'BothShards', cluster: 'lab', severity: 'warning' },
    ])
})

test('it goes on, notified once, while a ruler is killed, a replica and then a ruler’s machine is without power', async () => {
  await at('query-1', 'systemctl kill --signal=KILL thanos-rule')
  await sleep(15_000)
  for (const lost of ['prom-2', 'query-2']) {
    await powerLoss(machineOf(lost), testLab)
    await sleep(50_000)
    await powerOn(machineOf(lost), testLab)
    await until('everything serves', async () => (await on(['status', '--json'], 0, inventory)).code === 0, 120_000)
  }
  expect([notified('BothShards', 'firing').length, notified('BothShards', 'resolved').length]).toEqual([1, 0])
  figures.push('kill of a ruler, loss of a replica and of a ruler’s machine: notified once, resolved never')
})

test('a shard that is lost makes no rule fire: it is not evaluated, and says so', async () => {
  for (const name of ['prom-3', 'prom-4']) await powerLoss(machineOf(name), testLab)
  // What a ruler over one query of all sidecars would go by: without the shard, the machine is absent.
  await until(
    'Query has no data of the shard',
    async () => numberOf(await ask(QUERIES, `absent(up{instance="${OTHER}:9100",job="node"})`)) === 1,
    60_000,
  )
  await sleep(45_000)
  const said = await fetch(`http://${addressOf('query-1')}:10906/api/v1/rules`).then((answer) => answer.text())
  expect(said).toContain('no query API server reachable')
  expect(notified('OneIsNotScraped', 'firing')).toHaveLength(0)
  for (const member of ['am-1', 'am-2']) expect(await heldBy(member, 'OneIsNotScraped')).toEqual([])
  figures.push('a shard without power for 45 s and more: absent() over it has not fired')
  for (const name of ['prom-3', 'prom-4']) await powerOn(machineOf(name), testLab)
  await until('everything serves', async () => (await on(['status', '--json'], 0, inventory)).code === 0, 180_000)
})

test('and it resolves when it is over', async () => {
  await metric(OTHER, 0)
  await until('it is resolved', async () => notified('BothShards', 'resolved').length > 0, 120_000)
})
