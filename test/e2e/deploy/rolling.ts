import { beforeAll, describe, expect, test } from 'vitest'
import type { RunEvent } from '../../../lib/engine/events.ts'
import { changesOf, type Ended, onHost, planOf, vestal } from '../vestal.ts'
import { ADDRESSES, ALERTMANAGERS, deploy, fasterFleet, MEMBERS, type Member, REPLICAS } from './fleet.ts'
import { watchReady } from './ready.ts'

const GOSSIP = 'Alertmanager gossips with every member of the inventory'
const SCRAPED = 'Prometheus has scraped every target since it started'

describe('a change of flags and versions on a fleet that serves', () => {
  let inventory = ''

  beforeAll(async () => {
    await deploy('-i', 'inventory/ha')
    inventory = fasterFleet()
  })

  test('is planned for the hosts of --limit and the roles of --tags alone, and --diff shows it', async () => {
    const words = ['-i', inventory, '--limit', 'am-*:!am-3', '--tags', 'alertmanager', '--diff', '--json']
    const plan = planOf(await vestal(['plan', ...words]))
    const tasks = ['file /etc/alertmanager/alertmanager.yml', 'unit alertmanager.service', 'service alertmanager']
    expect(changesOf(plan)).toEqual({ 'am-1': tasks, 'am-2': tasks })
    expect(plan.batches.map(({ hosts }) => hosts.map(({ host }) => host))).toEqual([['am-1'], ['am-2']])
    const diffs = Object.fromEntries(
      plan.batches[0]?.hosts[0]?.changes.map(({ task, diff }) => [task, diff?.match(/^[-+] .*/gm)]) ?? [],
    )
    expect(diffs['file /etc/alertmanager/alertmanager.yml']).toEqual([
      '-  group_interval: 1m',
      '+  group_interval: 12s',
    ])
    expect(diffs['unit alertmanager.service']).toEqual([
      '-  --cluster.peer-timeout=5s \\',
      '-  --cluster.gossip-interval=66ms \\',
      '-  --cluster.pushpull-interval=1667ms \\',
      '+  --cluster.peer-timeout=2s \\',
      '+  --cluster.gossip-interval=26ms \\',
      '+  --cluster.pushpull-interval=667ms \\',
    ])
  })

  test('of a version is planned as a restart', async () => {
    const [batch] = planOf(await vestal(['plan', '-i', inventory, '--limit', 'node-1', '--json'])).batches
    expect(batch?.interrupts).toBe(true)
    expect(batch?.hosts[0]?.changes.at(-1)).toMatchObject({
      task: 'service node_exporter',
      why: 'runs /opt/vestal/node_exporter/1.11.1/node_exporter, not /opt/vestal/node_exporter/1.9.0/node_exporter',
      steps: ['restart node_exporter.service'],
    })
  })

  test('is made on the hosts of --limit alone', async () => {
    await deploy('-i', inventory, '--limit', 'node-1')
    const left = changesOf(planOf(await vestal(['plan', '-i', inventory, '--json'])))
    expect(Object.keys(left).sort()).toEqual(MEMBERS.filter((name) => name !== 'node-1').sort())
  })

  describe('made everywhere', () => {
    let run: Ended
    let down: readonly (readonly Member[])[] = []

    beforeAll(async () => {
      const watch = watchReady()
      run = await deploy('-i', inventory)
      down = await watch.stop()
    })

    test('interrupts one Alertmanager and one Prometheus at a time', () => {
      expect(interruptions(run.events)).toEqual([['am-1'], ['am-2'], ['am-3'], ['prom-1'], ['prom-2']])
      expect(down.filter((names) => ALERTMANAGERS.filter((one) => names.includes(one)).length > 1)).toEqual([])
      expect(down.filter((names) => REPLICAS.filter((one) => names.includes(one)).length > 1)).toEqual([])
      expect(down.flat().length).toBeGreaterThan(0)
    })

    test.each([
      ['am-1', 'am-2', GOSSIP],
      ['am-2', 'am-3', GOSSIP],
      ['prom-1', 'prom-2', SCRAPED],
    ] as const)('goes on from %s to %s when that one serves again', (first, second, gate) => {
      const [from, to] = [first, second].map((host) => run.events.findIndex(isBatchOf(host)))
      const between = run.events.slice(from, to)
      expect(between.filter((event) => event.event === 'gate' && event.host === first && event.last)).toContainEqual(
        expect.objectContaining({ name: gate, verdict: expect.objectContaining({ pass: true }) }),
      )
      const answers = between.filter((event) => event.event === 'gate' && event.last)
      expect(answers.filter((event) => event.event === 'gate' && !event.verdict.pass)).toEqual([])
    })

    test('leaves the new node_exporter running everywhere, and nothing to do', async () => {
      const running = await Promise.all(
        MEMBERS.map((name) => onHost(ADDRESSES[name], 'readlink /proc/$(systemctl show -P MainPID node_exporter)/exe')),
      )
      expect(new Set(running)).toEqual(new Set(['/opt/vestal/node_exporter/1.9.0/node_exporter\n']))
      expect(await vestal(['plan', '-i', inventory, '--exit-code'])).toMatchObject({
        code: 0,
        stdout: 'Nothing to change.\n',
      })
    })
  })
})

const isBatchOf =
  (host: string) =>
  (event: RunEvent): boolean =>
    event.event === 'batch-started' && event.hosts.includes(host)

const interruptions = (events: readonly RunEvent[]): readonly (readonly string[])[] =>
  events.flatMap((event) => (event.event === 'batch-started' && event.interrupts ? [event.hosts] : []))
