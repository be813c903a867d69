/** The example inventory as it is: a ring of three, tenants as files, and who is notified. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { clearNotifications } from '../../../lib/lab/receiver.ts'
import { testLab } from '../lab-setup.ts'
import { startVestal, vestal } from '../vestal.ts'
import {
  asTenant,
  configure,
  deliveries,
  deploy,
  emptyStore,
  on,
  ownersOf,
  post,
  processOf,
  ringInventory,
  until,
  writeTenants,
} from './ring.ts'

const TENANTS = Array.from({ length: 100 }, (_, at) => `t-${at + 1}`)
let inventory = ''
beforeAll(async () => {
  await emptyStore()
  inventory = ringInventory(3)
  writeTenants(inventory, TENANTS.length)
  await deploy(inventory)
})
afterAll(() => rmSync(inventory, { recursive: true }))

test('a ring of three is up, and status shows it', async () => {
  const { stdout } = await on(inventory, ['status', '--json'])
  const { healthy, instances } = JSON.parse(stdout)
  expect(healthy).toBe(true)
  expect(instances.map(({ members }: { members: { seen: string[] } }) => members.seen.sort())).toEqual(
    Array(3).fill(['ring-1', 'ring-2', 'ring-3']),
  )
  expect((await on(inventory, ['deploy', '-y', '--no-watch-alerts'])).stdout).toMatch(/: 0 changed,/)
})

test('a plan says what would be created, and changes nothing', async () => {
  const { stdout } = await on(inventory, ['tenants', 'plan', '--json'], 3)
  const { tenants, requests } = JSON.parse(stdout)
  expect([tenants.length, new Set(tenants.map(({ action }: { action: string }) => action)), requests]).toEqual([
    100,
    new Set(['create']),
    100,
  ])
})

test('100 tenants are synced and served by three instances each; a second sync asks once for each and uploads nothing', async () => {
  const first = JSON.parse((await on(inventory, ['tenants', 'sync', '--json'])).stdout)
  expect([first.tenants.length, first.unserved]).toEqual([100, []])
  const second = JSON.parse((await on(inventory, ['tenants', 'sync', '--json'])).stdout)
  expect(new Set(second.tenants.map(({ status }: { status: string }) => status))).toEqual(new Set(['same']))
  expect(second.requests).toBe(100)
  expect((await on(inventory, ['tenants', 'verify'])).stdout).toMatch(/100 tenants: each on its 3 instances/)
  console.log(
    `100 tenants: first sync ${first.ms} ms and ${first.requests} requests, second ${second.ms} ms and ${second.requests}`,
  )
})

test('an alert of each tenant is notified exactly once, to that tenant’s receiver', async () => {
  clearNotifications(testLab)
  await Promise.all(TENANTS.map((tenant, at) => post((at % 3) + 1, tenant, 'once')))
  await sleep(20_000)
  expect(deliveries()).toEqual(new Map(TENANTS.map((tenant) => [`/${tenant} once`, 1])))
})

test('a fourth instance joins; alerts are notified exactly once, posted to owners and to others', async () => {
  await on(inventory, [
    'add-node',
    'ring-4',
    '--host',
    '10.88.0.14',
    '--role',
    'cortex-alertmanager',
    '-y',
    '--no-watch-alerts',
  ])
  expect((await on(inventory, ['tenants', 'verify', '--within', '60s'])).stdout).toMatch(/each on its 3 instances/)
  clearNotifications(testLab)
  const places = await Promise.all(TENANTS.map(ownersOf))
  await Promise.all(
    TENANTS.map(async (tenant, at) => {
      await post(places[at]?.owners[0] ?? 0, tenant, 'by-owner')
      await post(places[at]?.others[0] ?? 0, tenant, 'by-other')
    }),
  )
  await sleep(20_000)
  const wanted = TENANTS.flatMap((tenant) => [`/${tenant} by-owner`, `/${tenant} by-other`]).sort()
  expect([...deliveries()].sort()).toEqual(wanted.map((one) => [one, 1]))
})

test('what each instance owns is what the ring says', async () => {
  const { stdout } = await on(inventory, ['tenants', 'capacity', '--running', '--json'])
  const { now } = JSON.parse(stdout)
  expect(now.instances).toHaveLength(4)
  for (const { predicted, owned } of now.instances) expect(owned).toBe(predicted)
  expect((await on(inventory, ['check', '--json'])).code).toBe(0)
})

test('of 500 tenants one has a mistake: it is told by name before anything is uploaded, and 499 can be served without it', async () => {
  writeTenants(inventory, 499)
  writeFileSync(join(inventory, 'tenants/broken.yml'), 'route: { receiver: nobody }\nreceivers: [{ name: hook }]\n')
  const before = await Promise.all([1, 2, 3, 4].map(processOf))
  const refused = await vestal(['tenants', 'sync', '-i', inventory])
  expect(refused.code).toBe(2)
  expect(refused.stderr).toMatch(/broken\.yml:1:\d+: broken\.route\.receiver: no receiver is called "nobody"/)
  expect(JSON.parse((await on(inventory, ['tenants', 'list', '--json'], 2)).stdout || '{}')).toEqual({})
  const { stdout } = await on(inventory, ['tenants', 'sync', '--skip-invalid', '--json'], 1)
  const { tenants, unserved } = JSON.parse(stdout) as {
    tenants: { tenant: string; status: string }[]
    unserved: unknown[]
  }
  expect(tenants.filter(({ status }) => status === 'invalid').map(({ tenant }) => tenant)).toEqual(['broken'])
  expect([tenants.filter(({ status }) => status === 'created').length, unserved]).toEqual([399, []])
  expect(await Promise.all([1, 2, 3, 4].map(processOf))).toEqual(before)
  rmSync(join(inventory, 'tenants/broken.yml'))
})

test('a sync that is killed half way loses nothing: the next one goes on from there', async () => {
  writeTenants(inventory, 499, '2s')
  const running = startVestal(['tenants', 'sync', '-i', inventory, '--forks', '5'], {
    onStderr: (said) => {
      if (/^[1-9]\d* of \d+ tenants uploaded/m.test(said)) running.kill('SIGKILL')
    },
  })
  expect((await running.ended).code).toBeNull()
  const { tenants, unserved } = JSON.parse((await on(inventory, ['tenants', 'sync', '--json'])).stdout) as {
    tenants: { status: string }[]
    unserved: unknown[]
  }
  const counts = Object.fromEntries(
    [...Map.groupBy(tenants, ({ status }) => status)].map(([status, some]) => [status, some.length]),
  )
  console.log(`after a kill: ${JSON.stringify(counts)}`)
  expect([(counts.same ?? 0) > 3, (counts.changed ?? 0) > 0, unserved]).toEqual([true, true, []])
  expect((await on(inventory, ['tenants', 'verify', '--within', '60s'])).stdout).toMatch(
    /499 tenants: each on its 3 instances/,
  )
})

test('one that only the program refuses is caught at the canaries: nothing else is uploaded', async () => {
  const noAddress = '{ route: { receiver: hook }, receivers: [{ name: hook, slack_configs: [{ channel: x }] }] }'
  writeFileSync(join(inventory, 'tenants/a-refused.yml'), noAddress)
  for (const name of ['b', 'c', 'd', 'e'])
    writeFileSync(
      join(inventory, `tenants/${name}-new.yml`),
      '{ route: { receiver: hook }, receivers: [{ name: hook }] }',
    )
  const { stdout } = await on(inventory, ['tenants', 'sync', '--json'], 1)
  const { tenants } = JSON.parse(stdout) as { tenants: { tenant: string; status: string; why?: string }[] }
  const told = tenants.filter(({ status }) => status !== 'same').map(({ tenant, status }) => `${tenant} ${status}`)
  expect(told).toEqual(['a-refused refused', 'b-new created', 'c-new created', 'd-new skipped', 'e-new skipped'])
  expect(tenants[0]?.why).toMatch(/no Slack API URL/)
  for (const name of ['a-refused', 'b-new', 'c-new', 'd-new', 'e-new']) rmSync(join(inventory, `tenants/${name}.yml`))
})

test('tenants without a file are deleted only when told', async () => {
  const plan = JSON.parse((await on(inventory, ['tenants', 'plan', '--json'])).stdout) as {
    tenants: { tenant: string; action: string }[]
  }
  const unwanted = plan.tenants.filter(({ action }) => action === 'unwanted').map(({ tenant }) => tenant)
  expect(unwanted).toEqual(['b-new', 'c-new'])
  const { stdout } = await on(inventory, ['tenants', 'sync', '--prune', '--json'])
  const { tenants } = JSON.parse(stdout) as { tenants: { tenant: string; status: string }[] }
  expect(tenants.filter(({ status }) => status !== 'same').map(({ tenant, status }) => `${tenant} ${status}`)).toEqual([
    'b-new deleted',
    'c-new deleted',
  ])
})

test('a team is a tenant too: its receivers are told by severity, and hours are kept', async () => {
  const hook = (name: string) => ({
    webhook_configs: [{ url: `http://10.88.0.1:9095/shop-${name}`, send_resolved: false }],
  })
  mkdirSync(join(inventory, 'teams'))
  writeFileSync(
    join(inventory, 'teams/shop.json'),
    JSON.stringify({
      shop: {
        owns: ['namespace="shop"'],
        receivers: { pager: hook('pager'), chat: hook('chat'), never: hook('never') },
        times: { never: [{ years: ['1990'] }] },
        grouping: { by: ['alertname'], wait: '1s' },
        notify: [
          { severity: 'critical', to: 'pager' },
          { severity: 'warning', to: 'chat' },
          { hours: 'never', to: 'never' },
        ],
      },
    }),
  )
  configure(inventory, { tenants: { teams: {} } })
  clearNotifications(testLab)
  const { tenants } = JSON.parse((await on(inventory, ['tenants', 'sync', '--json'])).stdout)
  expect(tenants.filter(({ status }: { status: string }) => status !== 'same')).toEqual([
    { tenant: 'shop', status: 'created' },
  ])
  for (const severity of ['critical', 'warning', 'info']) {
    const body = [{ labels: { alertname: severity, severity } }]
    expect((await asTenant(1, 'shop', '/api/v2/alerts', { method: 'POST', body })).ok).toBe(true)
  }
  await until('both are told', async () => deliveries().size >= 2, 60_000)
  await sleep(15_000)
  expect([...deliveries()].sort()).toEqual([
    ['/shop-chat warning', 1],
    ['/shop-pager critical', 1],
  ])
})
