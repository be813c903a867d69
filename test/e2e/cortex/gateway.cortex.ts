/** A gateway in front of a ring: people reach every tenant by one address, whichever instances are there, and nothing that manages the ring. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { hostAddress } from '../../../lib/lab/places.ts'
import { clearNotifications } from '../../../lib/lab/receiver.ts'
import { testLab } from '../lab-setup.ts'
import { deliveries, deploy, emptyStore, on, onInstance, ringInventory, silence, until, writeTenants } from './ring.ts'

const GATEWAY = hostAddress(4)
const PLACE = `http://${GATEWAY}:8094`
const TENANTS = 6
let inventory = ''
beforeAll(async () => {
  await emptyStore()
  inventory = ringInventory(3)
  writeTenants(inventory, TENANTS)
  const file = join(inventory, 'hosts.yml')
  const { all } = parse(readFileSync(file, 'utf8'))
  const gateway = { hosts: { 'gw-1': { ansible_host: GATEWAY } } }
  writeFileSync(file, stringify({ all: { children: { ...all.children, gateway } } }))
  await deploy(inventory)
  await on(inventory, ['tenants', 'sync'])
})
afterAll(async () => {
  rmSync(inventory, { recursive: true })
  await onInstance(
    4,
    'systemctl disable --now --quiet gateway; rm -rf /etc/gateway /etc/systemd/system/gateway.service',
  )
})

const silences = (tenant: string) =>
  fetch(`${PLACE}/alertmanager/api/v2/silences`, {
    headers: { 'X-Scope-OrgID': tenant },
    signal: AbortSignal.timeout(5_000),
  })
/** The status of a path as it stands, which `fetch` would make shorter. */
const raw = (path: string, method = 'GET'): Promise<number> =>
  new Promise((resolve, reject) => {
    const headers = { 'X-Scope-OrgID': 't-1' }
    request({ host: GATEWAY, port: 8094, path, method, headers }, (answer) => {
      answer.resume()
      resolve(answer.statusCode ?? 0)
    })
      .once('error', reject)
      .end()
  })

test('every instance is behind it, and an alert that comes through it is notified once', async () => {
  const { instances } = JSON.parse((await on(inventory, ['status', '--json'])).stdout)
  expect(instances.find(({ role }: { role: string }) => role === 'gateway')).toMatchObject({
    shows: { behind: 'ring 3/3' },
  })
  clearNotifications(testLab)
  for (let at = 1; at <= TENANTS; at++) {
    const answer = await fetch(`${PLACE}/alertmanager/api/v2/alerts`, {
      method: 'POST',
      body: JSON.stringify([{ labels: { alertname: 'through' } }]),
      headers: { 'X-Scope-OrgID': `t-${at}`, 'content-type': 'application/json' },
    })
    expect(answer.status).toBe(200)
  }
  await sleep(20_000)
  expect([...deliveries()].sort()).toEqual(Array.from({ length: TENANTS }, (_, at) => [`/t-${at + 1} through`, 1]))
})

test('a browser says once whose pages it wants; without a tenant there are none', async () => {
  expect((await fetch(`${PLACE}/alertmanager/api/v2/status`)).status).toBe(401)
  const first = await fetch(`${PLACE}/alertmanager/?tenant=t-1`, { redirect: 'manual' })
  const cookie = first.headers.get('set-cookie')?.split(';')[0] ?? ''
  expect([first.status, cookie]).toEqual([200, 'vestal-tenant=t-1'])
  await silence(1, 't-1', 'of t-1 alone')
  const seenAs = async (tenant: string) => {
    const answer = await fetch(`${PLACE}/alertmanager/api/v2/silences`, {
      headers: { cookie: `vestal-tenant=${tenant}` },
    })
    return ((await answer.json()) as { comment: string }[]).map(({ comment }) => comment)
  }
  await until('the silence is seen by the cookie', async () => (await seenAs('t-1')).length === 1, 10_000)
  expect([await seenAs('t-1'), await seenAs('t-2')]).toEqual([['of t-1 alone'], []])
  for (const bad of ['a%20b', 'a%0d%0aX-Evil:1', '%7b', 'a~b', 'a'.repeat(151)]) {
    const answer = await fetch(`${PLACE}/alertmanager/api/v2/status?tenant=${bad}`)
    expect([answer.status, answer.headers.get('set-cookie')]).toEqual([401, null])
  }
})

test('nothing that manages the ring is let through, however the path is written', async () => {
  const paths = [
    '/multitenant_alertmanager/ring',
    '/api/v1/alerts',
    '/memberlist',
    '/config',
    '/ready',
    '/alertmanagers',
  ]
  const round = ['/alertmanager/../api/v1/alerts', '/alertmanager/%2e%2e/api/v1/alerts', '/alertmanager//../memberlist']
  for (const path of [...paths, ...round]) expect([path, await raw(path)]).toEqual([path, 404])
  expect(await raw('/api/v1/alerts', 'DELETE')).toBe(404)
})

test('an instance that goes is not asked, and nobody who asks the gateway sees it', async () => {
  const seen: number[] = []
  let asking = true
  const loop = (async () => {
    for (let at = 0; asking; at++) {
      seen.push(
        await silences(`t-${(at % TENANTS) + 1}`)
          .then(({ status }) => status)
          .catch(() => 0),
      )
      await sleep(20)
    }
  })()
  const up = async (): Promise<string> => {
    const text = await (await fetch(`http://${GATEWAY}:8404/;csv`)).text()
    return text
      .split('\n')
      .filter((line) => /^ring,ring-\d,.*,UP,/.test(line))
      .map((line) => line.split(',')[1])
      .join(' ')
  }
  await sleep(2_000)
  await onInstance(2, 'systemctl kill --signal=KILL cortex-alertmanager; systemctl stop cortex-alertmanager')
  await until('it is not asked any more', async () => (await up()) === 'ring-1 ring-3', 20_000)
  await onInstance(2, 'systemctl start cortex-alertmanager')
  const back = await until('it is asked again', async () => (await up()) === 'ring-1 ring-2 ring-3', 120_000)
  asking = false
  await loop
  const bad = seen.filter((status) => status !== 200)
  console.log(
    `an instance behind the gateway killed: ${bad.length} of ${seen.length} reads failed; asked again after ${back} ms`,
  )
  expect([seen.length > 100, bad]).toEqual([true, []])
})
