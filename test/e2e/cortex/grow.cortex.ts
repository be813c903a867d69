/**
 * From three unsharded instances to six sharded ones and back to three, step by step: no silence is lost on the way. Alerts go to every instance meanwhile, as a
 * Prometheus sends them: an unsharded one tells no other of an alert.
 */
import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  configure,
  deploy,
  emptyStore,
  on,
  ringInventory,
  silence,
  silencesKept,
  startStream,
  type Tally,
  until,
  writeTenants,
} from './ring.ts'

const SILENCES = 100
const TENANTS = 50
let inventory = ''
beforeAll(async () => {
  await emptyStore()
  inventory = ringInventory(3, { sharding: false })
  writeTenants(inventory, TENANTS)
  await deploy(inventory)
  await on(inventory, ['tenants', 'sync'])
})
afterAll(() => rmSync(inventory, { recursive: true }))

const told = (what: string, kept: number, { sent, lost, duplicated, late }: Tally): void =>
  console.log(
    `${what}: ${kept} of ${SILENCES} silences; ${sent} alerts sent, ${lost} lost, ${duplicated} duplicated, ${late} later than 5 s`,
  )

test('an unsharded fleet serves every tenant on every instance', async () => {
  for (let at = 1; at <= SILENCES; at++) await silence((at % 3) + 1, `t-${((at - 1) % TENANTS) + 1}`, `k-${at}`)
  // What gossip misses the comparison of whole states brings: once a minute each instance compares with one other, picked at random, so that a minute and a half
  // is at times too short for three.
  for (const instance of [1, 2, 3])
    await until(
      'it has every silence',
      async () => (await silencesKept(SILENCES, TENANTS, instance)) === SILENCES,
      300_000,
    )
  expect((await on(inventory, ['tenants', 'verify'])).stdout).toMatch(/50 tenants: each on its 3 instances/)
})

test('sharding is turned on on the same three, one after the other', async () => {
  const running = startStream({ tenants: TENANTS, instances: [1, 2, 3], perSecond: 10, toAll: true })
  configure(inventory, { sharding: true })
  await on(inventory, ['rolling-upgrade', '-y', '--no-watch-alerts'])
  const tally = await running.end()
  const kept = await silencesKept(SILENCES, TENANTS)
  told('sharding turned on', kept, tally)
  expect([kept, tally.lost]).toEqual([SILENCES, 0])
})

test('three more join, one at a time', async () => {
  // State is saved to the object store once before instances join.
  await sleep(70_000)
  const running = startStream({ tenants: TENANTS, instances: [1, 2, 3], perSecond: 10, toAll: true })
  for (const at of [4, 5, 6])
    await on(inventory, [
      'add-node',
      `ring-${at}`,
      '--host',
      `10.88.0.1${at}`,
      '--role',
      'cortex-alertmanager',
      '-y',
      '--no-watch-alerts',
    ])
  const tally = await running.end()
  const kept = await silencesKept(SILENCES, TENANTS, 6)
  told('3 to 6', kept, tally)
  expect([kept, tally.lost, tally.failedReads]).toEqual([SILENCES, 0, 0])
  expect((await on(inventory, ['tenants', 'verify', '--within', '30s'])).stdout).toMatch(/each on its 3 instances/)
})

test('three leave again, one at a time, and are forgotten', async () => {
  const running = startStream({ tenants: TENANTS, instances: [1, 2, 3], perSecond: 10, toAll: true })
  for (const at of [6, 5, 4]) await on(inventory, ['remove-node', `ring-${at}`, '-y', '--no-watch-alerts'])
  const tally = await running.end()
  const kept = await silencesKept(SILENCES, TENANTS)
  told('6 to 3', kept, tally)
  expect([kept, tally.lost, tally.failedReads]).toEqual([SILENCES, 0, 0])
  const { instances } = JSON.parse((await on(inventory, ['status', '--json'])).stdout)
  expect(instances.map(({ members }: { members: { seen: readonly string[] } }) => [...members.seen].sort())).toEqual(
    Array(3).fill(['ring-1', 'ring-2', 'ring-3']),
  )
})
