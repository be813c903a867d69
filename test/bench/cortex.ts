/**
 * From 2,000 to 20,000 tenants on instances no bigger: `npm run bench:cortex -- [--tenants N] [--per-instance N] [--real N] [--out FILE]`.
 *
 * First three unsharded instances with as many tenants as one is to have; then the ring that `vestal tenants capacity` recommends, with all tenants
 * brought by `vestal tenants sync`. Some of its instances are real; the others are members of the ring that load no tenant. All run on this
 * machine's loopback over one shared folder, from the configuration that the role writes.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { cpus, tmpdir, totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { stringify } from 'yaml'
import { loadInventory } from '../../lib/inventory/load.ts'
import { bytesOf } from '../../lib/secret.ts'
import { configFile, tokensPath } from '../../roles/cortex-alertmanager/config.ts'
import { type Member, membersIn } from '../../roles/cortex-alertmanager/members.ts'
import { type Capacity, capacityOf } from '../../roles/cortex-alertmanager/ring/capacity.ts'
import { tenantHash } from '../../roles/cortex-alertmanager/ring/hash.ts'
import { countsOf, type RingMember, replicasOf, ringOf } from '../../roles/cortex-alertmanager/ring/ring.ts'
import { chooseTokens, seeded, tokensFile } from '../../roles/cortex-alertmanager/ring/tokens.ts'
import { shippedRoles } from '../../roles/registry.ts'
import { CORTEX_VERSION, cortexBinary } from '../cortex/tools.ts'

const SETTINGS = { replicationFactor: 3, zoneAware: false }
const RECEIVER = 29_999
const say = (what: string): void => void process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${what}\n`)

const { values } = parseArgs({
  options: {
    tenants: { type: 'string', default: '20000' },
    'per-instance': { type: 'string', default: '2000' },
    real: { type: 'string', default: '3' },
    out: { type: 'string', default: '.vestal/bench-cortex.json' },
  },
})
const wanted = {
  tenants: Number(values.tenants),
  perInstance: Number(values['per-instance']),
  real: Number(values.real),
}

/** What one instance takes. */
interface Figures {
  readonly instance: string
  readonly owned: number
  /** By the tokens of the ring; as many as there are without one. */
  readonly predicted: number
  /** After a garbage collection. */
  readonly heapBytes: number
  readonly rssBytes: number
  /** Processors that are busy with it, over a minute in which nothing happens. */
  readonly cpus: number
}
interface Phase {
  readonly instances: readonly Figures[]
  readonly syncSeconds: number
  readonly syncRequests: number
  readonly sampled: number
  readonly deliveredOnce: number
}

const tenantNames = (count: number): readonly string[] => Array.from({ length: count }, (_, at) => `tenant-${at + 1}`)

/** Instances on ports of their own, all told of the same folder. */
const inventoryOf = (
  folder: string,
  {
    instances,
    tenants,
    sharding,
  }: { readonly instances: number; readonly tenants: number; readonly sharding: boolean },
): string => {
  const inventory = join(folder, 'inventory')
  rmSync(inventory, { recursive: true, force: true })
  mkdirSync(join(inventory, 'tenants'), { recursive: true })
  const settings = (at: number) => ({
    version: CORTEX_VERSION,
    listen: `127.0.0.1:${27_000 + at}`,
    grpc_port: 28_000 + at,
    gossip_port: 29_000 + at,
    cluster_port: 30_000 + at,
    sharding,
    data_dir: join(folder, `instance-${at}`),
    poll_interval: '30s',
    users_interval: '15s',
    heartbeat_period: '5s',
    log_level: 'warn',
    // Only the tenants that are counted.
    canary: { enabled: false },
    storage: { backend: 'filesystem', dir: join(folder, 'store') },
  })
  const hosts = Object.fromEntries(
    Array.from({ length: instances }, (_, at) => [
      `ring-${at + 1}`,
      { ansible_host: '127.0.0.1', ansible_connection: 'local', cortex_alertmanager: settings(at + 1) },
    ]),
  )
  writeFileSync(join(inventory, 'hosts.yml'), stringify({ cortex_alertmanager: { hosts } }))
  writeFileSync(
    join(inventory, 'tenants/many.mjs'),
    `export default Object.fromEntries(Array.from({ length: ${tenants} }, (_, at) => [\`tenant-\${at + 1}\`, {
  route: { receiver: 'hook', group_by: ['alertname'], group_wait: '1s', group_interval: '5m', repeat_interval: '4h' },
  receivers: [{ name: 'hook', webhook_configs: [{ url: \`http://127.0.0.1:${RECEIVER}/tenant-\${at + 1}\`, send_resolved: false }] }],
}]))\n`,
  )
  return inventory
}

const members = async (inventory: string): Promise<readonly Member[]> =>
  membersIn(await loadInventory([inventory], shippedRoles))

/** Starts an instance as the role would; ends with the returned stack. */
const start = (
  binary: string,
  folder: string,
  { member, all, real, tokens }: { member: Member; all: readonly Member[]; real: boolean; tokens?: readonly number[] },
  running: AsyncDisposableStack,
): void => {
  const own = member.vars.data_dir
  mkdirSync(join(own, 'data'), { recursive: true })
  const config = join(own, 'cortex.yml')
  writeFileSync(config, bytesOf(configFile(member, all)))
  if (tokens) writeFileSync(tokensPath(member.vars), tokensFile(tokens))
  const log = openSync(join(folder, `${member.host.name}.log`), 'w')
  const words = [`-config.file=${config}`, ...(real ? [] : ['-alertmanager.enabled-tenants=nobody'])]
  const child = spawn(binary, words, { stdio: ['ignore', log, log], env: { ...process.env, GOMAXPROCS: '2' } })
  running.defer(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
}

const base = ({ vars }: Member): string => `http://${vars.listen}`

const metric = (page: string, name: string): number =>
  Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(page)?.[1] ?? Number.NaN)

const pageOf = async (member: Member): Promise<string> => (await fetch(`${base(member)}/metrics`)).text()

const until = async (what: string, question: () => Promise<boolean>, withinMs: number): Promise<void> => {
  const deadline = Date.now() + withinMs
  while (!(await question().catch(() => false))) {
    if (Date.now() > deadline) throw new Error(`not within ${withinMs / 1_000} s: ${what}`)
    await sleep(1_000)
  }
}

const ready = async (all: readonly Member[], expected: number): Promise<void> => {
  for (const member of all)
    await until(
      `${member.host.name} is ready`,
      async () => (await fetch(`${base(member)}/ready`)).status === 200,
      120_000,
    )
  if (expected === 0) return
  const seen = async (member: Member): Promise<number> => {
    const answer = await fetch(`${base(member)}/multitenant_alertmanager/ring`, {
      headers: { accept: 'application/json' },
    })
    const { shards } = (await answer.json()) as { shards: { state: string }[] }
    return shards.filter(({ state }) => state === 'ACTIVE').length
  }
  for (const member of all)
    await until(`${member.host.name} sees the ring`, async () => (await seen(member)) === expected, 120_000)
}

/** `vestal tenants sync`, on tenants of which the canaries are served by real instances alone. */
const sync = async (
  inventory: string,
  canaries: readonly string[],
): Promise<{ seconds: number; requests: number; bad: readonly string[] }> => {
  const began = Date.now()
  const words = [
    'cli/vestal.js',
    'tenants',
    'sync',
    '-i',
    inventory,
    '--json',
    '--within',
    '2m',
    ...canaries.flatMap((one) => ['--canaries', one]),
  ]
  const child = spawn(process.execPath, words, {
    cwd: join(import.meta.dirname, '../..'),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const pieces: Buffer[] = []
  for await (const piece of child.stdout) pieces.push(piece)
  const { tenants, requests } = JSON.parse(Buffer.concat(pieces).toString()) as {
    tenants: { tenant: string; status: string; why?: string }[]
    requests: number
  }
  const bad = tenants
    .filter(({ status }) => !['created', 'same'].includes(status))
    .map(({ tenant, status, why }) => `${tenant} ${status}: ${why}`)
  return { seconds: (Date.now() - began) / 1_000, requests, bad }
}

const figures = async (some: readonly Member[], predicted: (member: Member) => number): Promise<readonly Figures[]> => {
  const cpuSeconds = async () =>
    Promise.all(some.map(async (one) => metric(await pageOf(one), 'process_cpu_seconds_total')))
  const before = await cpuSeconds()
  const at = Date.now()
  await sleep(60_000)
  const after = await cpuSeconds()
  const seconds = (Date.now() - at) / 1_000
  const found: Figures[] = []
  for (const [index, member] of some.entries()) {
    await (await fetch(`${base(member)}/debug/pprof/heap?gc=1`)).arrayBuffer()
    const page = await pageOf(member)
    found.push({
      instance: member.host.name,
      owned: metric(page, 'cortex_alertmanager_tenants_owned'),
      predicted: predicted(member),
      heapBytes: metric(page, 'go_memstats_heap_alloc_bytes'),
      rssBytes: metric(page, 'process_resident_memory_bytes'),
      cpus: ((after[index] ?? 0) - (before[index] ?? 0)) / seconds,
    })
  }
  return found
}

const notified = new Map<string, number>()
/** Sends an alert of each of these tenants to some instance, and counts those that are notified once. */
const deliver = async (names: readonly string[], through: readonly Member[]): Promise<number> => {
  notified.clear()
  for (const [at, tenant] of names.entries()) {
    const member = through[at % through.length]
    if (!member) continue
    const answer = await fetch(`${base(member)}/alertmanager/api/v2/alerts`, {
      method: 'POST',
      body: JSON.stringify([{ labels: { alertname: 'bench' } }]),
      headers: { 'X-Scope-OrgID': tenant, 'content-type': 'application/json' },
    })
    if (!answer.ok) say(`${tenant}: ${member.host.name} answered ${answer.status}`)
  }
  await sleep(60_000)
  return names.filter((name) => notified.get(`/${name}`) === 1).length
}

const baseline = async (binary: string, folder: string): Promise<Phase> => {
  const inventory = inventoryOf(folder, { instances: 3, tenants: wanted.perInstance, sharding: false })
  const all = await members(inventory)
  await using running = new AsyncDisposableStack()
  for (const member of all) start(binary, folder, { member, all, real: true }, running)
  await ready(all, 0)
  const { seconds, requests, bad } = await sync(inventory, [])
  if (bad.length > 0) throw new Error(bad.slice(0, 3).join('; '))
  const owned = async (one: Member) =>
    metric(await pageOf(one), 'cortex_alertmanager_tenants_owned') === wanted.perInstance
  for (const one of all) await until(`${one.host.name} has its tenants`, () => owned(one), 300_000)
  await sleep(30_000)
  const sampled = tenantNames(wanted.perInstance).slice(0, 20)
  return {
    instances: await figures(all, () => wanted.perInstance),
    syncSeconds: seconds,
    syncRequests: requests,
    sampled: sampled.length,
    deliveredOnce: await deliver(sampled, all),
  }
}

const sharded = async (binary: string, folder: string, capacity: Capacity): Promise<Phase> => {
  const names = tenantNames(wanted.tenants)
  const keys = names.map(tenantHash)
  const { instances } = capacity.chosen
  const inventory = inventoryOf(folder, { instances, tenants: wanted.tenants, sharding: true })
  const all = await members(inventory)
  const random = seeded(1)
  const ringMembers: RingMember[] = []
  for (const { host } of all)
    ringMembers.push({ id: host.name, tokens: chooseTokens(ringMembers, { settings: SETTINGS, random, keys }) })
  const ring = ringOf(ringMembers, SETTINGS)
  const predicted = countsOf(ring, keys)
  const real = all.slice(0, wanted.real)
  // Tenants that real instances alone have: these can be served here, and so be canaries and samples.
  const whole = names.filter((name) => replicasOf(ring, tenantHash(name)).every((at) => at < wanted.real)).slice(0, 20)
  await using running = new AsyncDisposableStack()
  for (const [at, member] of all.entries()) {
    start(binary, folder, { member, all, real: at < wanted.real, tokens: ringMembers[at]?.tokens }, running)
    // They start one after the other: together they would take all processors for a while.
    await sleep(300)
  }
  await ready(all, instances)
  say(`a ring of ${instances}, ${real.length} of them real`)
  const { seconds, requests, bad } = await sync(inventory, whole.slice(0, 3))
  if (bad.length > 0) throw new Error(`${bad.length} tenants: ${bad.slice(0, 3).join('; ')}`)
  say(`${wanted.tenants} tenants synced in ${seconds.toFixed(0)} s with ${requests} requests`)
  const expected = (member: Member): number => predicted[all.indexOf(member)] ?? 0
  const owned = async (one: Member) => metric(await pageOf(one), 'cortex_alertmanager_tenants_owned') === expected(one)
  for (const one of real) await until(`${one.host.name} owns what the ring says`, () => owned(one), 300_000)
  await sleep(30_000)
  return {
    instances: await figures(real, expected),
    syncSeconds: seconds,
    syncRequests: requests,
    sampled: whole.length,
    deliveredOnce: await deliver(whole, real),
  }
}

const largest = (phase: Phase, of: (figures: Figures) => number): number => Math.max(...phase.instances.map(of))

const table = (title: string, { instances, ...phase }: Phase): string =>
  [
    title,
    ...instances.map(
      ({ instance, owned, predicted, heapBytes, rssBytes, cpus: busy }) =>
        `  ${instance.padEnd(9)} owns ${owned} (${predicted} by the ring), heap ${(heapBytes / 1e9).toFixed(3)} GB, resident ${(rssBytes / 1e9).toFixed(2)} GB, ${busy.toFixed(2)} CPUs`,
    ),
    `  synced in ${phase.syncSeconds.toFixed(0)} s with ${phase.syncRequests} requests; ${phase.deliveredOnce} of ${phase.sampled} sampled tenants were notified once`,
  ].join('\n')

const bench = async (): Promise<number> => {
  const began = Date.now()
  const binary = await cortexBinary(say)
  const receiver = createServer((request, response) => {
    notified.set(request.url ?? '', (notified.get(request.url ?? '') ?? 0) + 1)
    request.resume().once('end', () => response.end())
  }).listen(RECEIVER, '127.0.0.1')
  // A second one on this machine ends here, before it has started anything.
  await once(receiver, 'listening')
  const folder = mkdtempSync(join(tmpdir(), 'vestal-bench-cortex-'))
  try {
    mkdirSync(join(folder, 'store'))
    const capacity = capacityOf({
      ...wanted,
      names: tenantNames(wanted.tenants),
      settings: SETTINGS,
      pollIntervalMs: 30_000,
    })
    say(
      `capacity recommends ${capacity.chosen.instances} instances with chosen tokens, ${capacity.drawn.instances} with drawn ones`,
    )
    const before = await baseline(binary, folder)
    process.stdout.write(`${table(`Three unsharded instances, ${wanted.perInstance} tenants`, before)}\n`)
    rmSync(join(folder, 'store'), { recursive: true })
    mkdirSync(join(folder, 'store'))
    for (const at of [1, 2, 3]) rmSync(join(folder, `instance-${at}`), { recursive: true })
    const after = await sharded(binary, folder, capacity)
    const title = `A ring of ${capacity.chosen.instances}, ${wanted.tenants} tenants; ${after.instances.length} instances are real`
    process.stdout.write(`${table(title, after)}\n`)
    const verdicts = {
      'no instance owns more than 5% above the baseline':
        largest(after, ({ owned }) => owned) <= largest(before, ({ owned }) => owned) * 1.05,
      'no heap is more than 5% above the baseline':
        largest(after, ({ heapBytes }) => heapBytes) <= largest(before, ({ heapBytes }) => heapBytes) * 1.05,
      'every real instance owns what the ring says': after.instances.every(
        ({ owned, predicted }) => owned === predicted,
      ),
      'every sampled tenant was notified once':
        after.deliveredOnce === after.sampled && before.deliveredOnce === before.sampled,
    }
    for (const [what, so] of Object.entries(verdicts)) process.stdout.write(`${so ? 'yes' : 'NO '} ${what}\n`)
    const seconds = Math.round((Date.now() - began) / 1_000)
    mkdirSync(dirname(values.out), { recursive: true })
    const machine = {
      cpus: cpus().length,
      memoryBytes: totalmem(),
      kernel: readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim(),
    }
    writeFileSync(
      values.out,
      `${JSON.stringify({ cortex: CORTEX_VERSION, machine, wanted, capacity, before, after, verdicts, seconds }, null, 2)}\n`,
    )
    say(`${seconds} s; the figures are in ${values.out}`)
    return Object.values(verdicts).every(Boolean) ? 0 : 1
  } finally {
    receiver.close()
    receiver.closeAllConnections()
    rmSync(folder, { recursive: true, force: true })
  }
}

process.exitCode = await bench()
