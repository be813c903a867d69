/** Two shards of two replicas on two machines: each machine has one of both, with its sidecar. Rolled, rolled back, taken away and added by their own names. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { FleetStatus } from '../../../lib/health/types.ts'
import { powerLoss, powerOn } from '../../../lib/lab/faults.ts'
import { hostAddress } from '../../../lib/lab/places.ts'
import { evenOwners, tableOf, tableText } from '../../../lib/sharding/table.ts'
import { inventoryOf } from '../deploy/inventories.ts'
import { testLab } from '../lab-setup.ts'
import { changesOf, onHost, planOf, reportOf, resetHost, vestal } from '../vestal.ts'
import { type Exporter, exporterOn } from './exporter.ts'
import { ask, numberOf, on as onInventory, startAsking, until } from './fleet.ts'

const MACHINES = [hostAddress(1), hostAddress(2)] as const
const SPARE = hostAddress(6)
const OTHERS = { 'am-1': hostAddress(3), 'am-2': hostAddress(4), query: hostAddress(5) }
const QUERY = `${OTHERS.query}:10904`
const COUNT = 60
const INTERVAL_S = 5
/** Each shard's own name on a machine, and the port of its Prometheus. */
const SHARDS = [
  { instance: 's0', port: 9090 },
  { instance: 's1', port: 9091 },
] as const
const hostsAt = (addresses: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(addresses).map(([name, ansible_host]) => [name, { ansible_host }]))

let inventory = ''
let exporter: Exporter
const on = (words: readonly string[], expected = 0) => onInventory(words, expected, inventory)

beforeAll(async () => {
  exporter = await exporterOn('10.88.0.1', 21_000, COUNT, () => 200)
  await clean()
  inventory = inventoryOf({
    'hosts.yml': {
      all: {
        children: {
          prometheus: {
            children: {
              // Its hosts come later.
              shard_2: {
                vars: {
                  vestal: { instance: 's2' },
                  prometheus: { listen: '0.0.0.0:9092' },
                  thanos_sidecar: { listen: '0.0.0.0:10922', grpc_listen: '0.0.0.0:10921' },
                },
              },
              shard_0: {
                vars: { vestal: { instance: 's0' } },
                hosts: hostsAt({ 'p-0a': MACHINES[0], 'p-0b': MACHINES[1] }),
              },
              shard_1: {
                vars: {
                  vestal: { instance: 's1' },
                  prometheus: { listen: '0.0.0.0:9091' },
                  thanos_sidecar: { listen: '0.0.0.0:10912', grpc_listen: '0.0.0.0:10911' },
                },
                hosts: hostsAt({ 'p-1a': MACHINES[0], 'p-1b': MACHINES[1] }),
              },
            },
          },
          thanos_sidecar: { children: { prometheus: null } },
          thanos_query: { hosts: hostsAt({ 'query-1': OTHERS.query }) },
          alertmanager: { hosts: hostsAt({ 'am-1': OTHERS['am-1'], 'am-2': OTHERS['am-2'] }) },
          // Of which a machine has one.
          node_exporter: {
            hosts: hostsAt({ 'm-1': MACHINES[0], 'm-2': MACHINES[1] }),
            children: { alertmanager: null, thanos_query: null },
          },
        },
      },
    },
    'shards.yml': tableText(tableOf(evenOwners(2))),
    'group_vars/all/fleet.yml': {
      node_exporter: { version: '1.11.1' },
      thanos_sidecar: { version: '0.42.4', check_interval: '2s' },
      thanos_query: { version: '0.42.4', endpoint_timeout: '3s' },
    },
    'group_vars/prometheus.yml': {
      prometheus: {
        version: '2.53.3',
        cluster: 'lab',
        sharding: 'table',
        scrape_interval: `${INTERVAL_S}s`,
        evaluation_interval: `${INTERVAL_S}s`,
        resend_delay: '10s',
        scrape_configs: [{ job_name: 'many', static_configs: [{ targets: exporter.targets }] }],
      },
    },
    'group_vars/alertmanager.yml': {
      alertmanager: {
        version: '0.33.1',
        cluster: { peer_timeout: '5s' },
        config: {
          route: {
            receiver: 'webhook',
            group_wait: '1s',
            group_interval: '30s',
            routes: [{ matchers: ['alertname = Watchdog'], receiver: 'nobody' }],
          },
          receivers: [
            { name: 'webhook', webhook_configs: [{ url: 'http://10.88.0.1:9095/alerts' }] },
            { name: 'nobody' },
          ],
        },
      },
    },
  })
  await on(['deploy', '-y', '--no-watch-alerts'])
})
afterAll(async () => {
  for (const machine of ['lab-1', 'lab-6']) await powerOn(machine, testLab)
  await clean()
  await exporter[Symbol.asyncDispose]()
})

/** What hosts of other tests' inventories know nothing of. */
const clean = async (): Promise<void> => {
  for (const address of [...MACHINES, SPARE, ...Object.values(OTHERS)]) {
    await onHost(
      address,
      `cd /etc/systemd/system && for unit in $(ls | grep -E '^(prometheus|thanos-sidecar)-s[0-2]\\.service$'); do
  systemctl disable --now --quiet "$unit"
  rm -rf "$unit" "/etc/\${unit%.service}" "/var/lib/\${unit%.service}"
done
systemctl daemon-reload`,
    )
    await resetHost(address)
  }
}

/** The process of each service of Prometheus and sidecar on the machines, and when it was started. */
const processes = async (): Promise<ReadonlyMap<string, string>> => {
  const of = async (machine: string) => {
    const said = await onHost(
      machine,
      `for unit in prometheus-s0 prometheus-s1 prometheus-s2 thanos-sidecar-s0 thanos-sidecar-s1 thanos-sidecar-s2 node_exporter; do
  printf '%s %s %s\\n' $unit "$(systemctl show -P InvocationID $unit)" "$(readlink /proc/$(systemctl show -P MainPID $unit)/exe)"
done`,
    )
    return said
      .trim()
      .split('\n')
      .map((line) => [`${machine} ${line.split(' ')[0]}`, line.slice(line.indexOf(' ') + 1)] as const)
  }
  return new Map((await Promise.all(MACHINES.map(of))).flat())
}
const links = (machine: string): Promise<string> =>
  onHost(machine, 'cd /opt/vestal/prometheus && for link in current*; do echo "$link $(readlink $link)"; done')

/** How long no replica of a shard answered, asked of all of them ten times in a second. */
const startAskingReplicas = () => {
  const askings = SHARDS.map(({ port }) => MACHINES.map((machine) => startAsking('count(up)', `${machine}:${port}`)))
  const down = SHARDS.map(() => 0)
  const stop = new AbortController()
  const loop = (async () => {
    while (!stop.signal.aborted) {
      const answers = await Promise.all(
        SHARDS.map(({ port }) =>
          Promise.all(
            MACHINES.map((machine) =>
              fetch(`http://${machine}:${port}/-/ready`, { signal: AbortSignal.timeout(2_000) }).then(
                ({ ok }) => ok,
                () => false,
              ),
            ),
          ),
        ),
      )
      answers.forEach((ready, at) => {
        if (!ready.some(Boolean)) down[at] = (down[at] ?? 0) + 1
      })
      await sleep(100, undefined, { signal: stop.signal }).catch(() => undefined)
    }
  })()
  return {
    /** How often all replicas were down, by shard; and how many questions each replica left unanswered. */
    async end() {
      stop.abort()
      await loop
      const asked = await Promise.all(askings.flat().map((one) => one.end()))
      return { down, failed: asked.map(({ failed }) => failed) }
    },
  }
}

test('all are whole under their own names, each target is scraped once, and a second deploy changes nothing', async () => {
  expect(changesOf(planOf(await vestal(['plan', '--json', '-i', inventory])))).toEqual({})
  await on(['shards', 'verify', '--within', '1m'])
  const status = JSON.parse((await on(['status', '--json'])).stdout) as FleetStatus
  const rows = status.instances.filter(({ role }) => role === 'prometheus' || role === 'thanos-sidecar')
  expect(rows.map(({ instance, role, healthy }) => `${instance} ${role} ${healthy}`).sort()).toEqual(
    ['p-0a', 'p-0b', 'p-1a', 'p-1b'].flatMap((name) => [`${name} prometheus true`, `${name} thanos-sidecar true`]),
  )
  expect(JSON.parse((await on(['check', '--json'], 0)).stdout).findings.filter(isError)).toEqual([])
  await until('Query sees all', async () => numberOf(await ask(QUERY, 'count(up{job="many"})')) === COUNT, 60_000)
  expect(numberOf(await ask(QUERY, 'count(up{job="many"})', { dedup: 'false' }))).toBe(2 * COUNT)
  expect(numberOf(await ask(QUERY, 'count(up{job="node"})'))).toBe(5)
  expect(numberOf(await ask(QUERY, 'count(up{job="prometheus"})'))).toBe(4)
})
const isError = ({ severity }: { readonly severity: string }): boolean => severity === 'error'

test('a watched roll loses nothing, and no shard is ever without a replica', async () => {
  const since = Date.now()
  const [asking, replicas] = [startAsking('count(up{job="many"})', QUERY), startAskingReplicas()]
  const run = await vestal([
    'rolling-upgrade',
    '-i',
    inventory,
    '--json',
    '-y',
    '--prometheus',
    '3.5.3',
    '--allow-one-way',
  ])
  const [asked, seen] = [await asking.end(), await replicas.end()]
  const report = reportOf(run)
  const batches = run.events.flatMap((one) => (one.event === 'batch-started' && one.interrupts ? [one.hosts] : []))
  const unscrapedMs = Math.max(...exporter.targets.map((target) => exporter.longestGap(target, since)))
  console.log(JSON.stringify({ alerts: report.alerts, ms: report.ms, batches, unscrapedMs, asked, seen }))
  expect([run.code, report.stops]).toEqual([0, []])
  expect(report.alerts).toMatchObject({ lost: 0, duplicated: 0, unresolved: 0 })
  expect(report.alerts?.sent).toBeGreaterThan(10)
  expect(seen.down).toEqual([0, 0])
  // Each was down for a moment: what was asked would have seen it.
  expect(Math.min(...seen.failed)).toBeGreaterThan(0)
  expect(asked.failed).toBe(0)
  expect(Math.max(...asked.numbers)).toBe(COUNT)
  expect(batches.flat().sort()).toEqual(['p-0a', 'p-0b', 'p-1a', 'p-1b'])
  // However many of them are of one machine.
  for (const batch of batches) expect(new Set(batch.map((name) => name.slice(0, 3))).size).toBe(batch.length)
  for (const machine of MACHINES) expect(await links(machine)).toBe(versions('3.5.3', '3.5.3'))
  expect(changesOf(planOf(await vestal(['plan', '--json', '-i', inventory])))).toEqual({})
})
const versions = (...of: readonly string[]): string =>
  of.map((version, at) => `current-s${at} /opt/vestal/prometheus/${version}\n`).join('')

test('one goes back to its earlier version, the other on the machine stays as it is', async () => {
  const before = await processes()
  await on(['rollback', '-y', '--limit', 'p-1a', '--restore-data', '--no-watch-alerts'])
  expect(await links(MACHINES[0])).toBe(versions('3.5.3', '2.53.3'))
  const after = await processes()
  const changed = [...after].flatMap(([unit, said]) => (before.get(unit) === said ? [] : [unit]))
  expect(changed).toEqual([`${MACHINES[0]} prometheus-s1`])
  expect(Object.keys(changesOf(planOf(await vestal(['plan', '--json', '-i', inventory]))))).toEqual(['p-1a'])
  await on(['deploy', '-y', '--no-watch-alerts'])
  expect(await links(MACHINES[0])).toBe(versions('3.5.3', '3.5.3'))
})

test('a third shard comes to the same machines, and targets move to it as to any other', async () => {
  const before = await processes()
  for (const [name, machine] of [
    ['p-2a', MACHINES[0]],
    ['p-2b', MACHINES[1]],
  ] as const)
    await on(['add-node', name, '--host', machine, '--shard', '2', '-y', '--no-watch-alerts'])
  const since = Date.now()
  await on(['shards', 'move', '--to', '3', '-y', '--overlap', '20s', '--no-watch-alerts'])
  const unscrapedMs = Math.max(...exporter.targets.map((target) => exporter.longestGap(target, since)))
  const parts = await ask(QUERY, 'count by (shard) (up{job="many",replica=~"p-.a"})', { dedup: 'false' })
  const each = parts.data?.result.map(({ metric, value }) => `${metric.shard}: ${value?.[1]}`)
  console.log(JSON.stringify({ move: { unscrapedMs, each } }))
  expect(each).toHaveLength(3)
  expect(unscrapedMs).toBeLessThanOrEqual(2_000 * INTERVAL_S)
  await on(['shards', 'verify', '--within', '1m'])
  const after = await processes()
  const restarted = [...after].flatMap(([unit, said]) => (before.get(unit) === said ? [] : [unit.split(' ')[1]]))
  expect([...new Set(restarted)].sort()).toEqual(['prometheus-s2', 'thanos-sidecar-s2'])
})

test('one is taken away, and the other on the machine is not touched; it comes back by its address', async () => {
  const before = await processes()
  await on(['remove-node', 'p-1b', '-y', '--no-watch-alerts'])
  const after = await processes()
  const untouched = [...before].filter(([unit]) => !unit.startsWith(`${MACHINES[1]} `) || !unit.endsWith('-s1'))
  expect([...after].filter(([unit]) => untouched.some(([one]) => one === unit))).toEqual(untouched)
  for (const gone of ['prometheus-s1', 'thanos-sidecar-s1'])
    expect(await onHost(MACHINES[1], `systemctl is-active ${gone}; systemctl is-enabled ${gone} || :`)).toBe(
      'inactive\ndisabled\n',
    )
  await on(['shards', 'verify', '--within', '1m'])
  // Query asks for those that it has been told of no more until it looks again.
  await until('everything serves', async () => (await on(['status', '--json'])).code === 0, 60_000)
  expect(changesOf(planOf(await vestal(['plan', '--json', '-i', inventory])))).toEqual({})

  expect(
    (await vestal(['add-node', 'p-0c', '-i', inventory, '--host', MACHINES[1], '--shard', '0', '-y'])).stderr,
  ).toContain('p-0c is instance s0 of the same machine as p-0b')
  await on(['add-node', 'p-1b', '--host', MACHINES[1], '--shard', '1', '-y', '--no-watch-alerts'])
  await on(['shards', 'verify', '--within', '1m'])
  const back = await processes()
  expect([...back].filter(([unit]) => untouched.some(([one]) => one === unit))).toEqual(untouched)
})

test('a machine that is lost takes one of each shard: every question is answered, and all go to a new one', async () => {
  const asking = startAsking('count(up{job="many"})', QUERY)
  await powerLoss('lab-1', testLab)
  await sleep(20_000)
  const status = JSON.parse((await on(['status', '--json'], 1)).stdout) as FleetStatus
  const down = Object.entries(status.hosts).flatMap(([name, { reachable }]) => (reachable ? [] : [name]))
  await on(['replace-node', 'p-0a', 'p-0a', '--host', SPARE, '-y', '--no-watch-alerts'])
  await on(['shards', 'verify', '--within', '1m'])
  const asked = await asking.end()
  console.log(JSON.stringify({ powerLoss: asked }))
  expect(down.sort()).toEqual(['m-1', 'p-0a', 'p-1a', 'p-2a'])
  expect([asked.failed, Math.max(...asked.numbers)]).toEqual([0, COUNT])
  // Without one of the shards it would be a good deal less.
  expect(Math.min(...asked.numbers)).toBeGreaterThanOrEqual(COUNT - 5)
  expect(await links(SPARE)).toBe(versions('3.5.3', '3.5.3', '3.5.3'))
  expect(JSON.parse((await on(['status', '--json'])).stdout).healthy).toBe(true)
})

test('of one that is gone for good all hosts leave', async () => {
  await powerLoss('lab-6', testLab)
  await on(['remove-node', 'p-1a', '--dead', '-y', '--no-watch-alerts'])
  const { _meta: left } = JSON.parse((await on(['inventory', '--json'])).stdout)
  expect(Object.keys(left.hostvars).sort()).toEqual(['am-1', 'am-2', 'm-2', 'p-0b', 'p-1b', 'p-2b', 'query-1'])
  await on(['shards', 'verify', '--within', '1m'])
  expect(changesOf(planOf(await vestal(['plan', '--json', '-i', inventory])))).toEqual({})
})
