/** A shared folder as storage: it works where all machines see one, and is refused where each has one of its own, or the account another number. */
import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { SHARED_ON_HOSTS } from '../../../lib/lab/places.ts'
import { clearNotifications } from '../../../lib/lab/receiver.ts'
import { testLab } from '../lab-setup.ts'
import { vestal } from '../vestal.ts'
import { deliveries, deploy, on, onInstance, post, ringInventory, silence, silencesKept, writeTenants } from './ring.ts'

const TENANTS = 10
const DIR = '/srv/alertmanager-storage'

test('a storage folder that is not there, or is another on each machine, is refused with the reason', async () => {
  const inventory = ringInventory(3, { storage: { backend: 'filesystem', dir: DIR } })
  try {
    const deploy = () => vestal(['deploy', '-y', '--no-watch-alerts', '-i', inventory])
    const missing = await deploy()
    expect([missing.code, missing.stdout]).toEqual([
      1,
      expect.stringContaining(`${DIR} is not there, or cortex may not write to it`),
    ])
    for (const one of [1, 2, 3]) await onInstance(one, `mkdir -m 777 ${DIR}`)
    const apart = await deploy()
    expect([apart.code, apart.stdout]).toEqual([
      1,
      expect.stringMatching(/\/srv\/alertmanager-storage of ring-\d, ring-\d is another folder/),
    ])
    expect(await onInstance(1, `ls -A ${DIR} | grep -c vestal-probe || :`)).toBe('0\n')
  } finally {
    rmSync(inventory, { recursive: true })
    for (const one of [1, 2, 3]) await onInstance(one, `rm -rf ${DIR}`)
  }
})

test('a folder that all instances share is a storage: tenants are served from it, and a cold start brings silences and the notification log back', async () => {
  const shared = `${SHARED_ON_HOSTS}/alertmanager`
  // One of them makes it, and all have it.
  await onInstance(1, `mkdir -m 777 ${shared}`)
  const inventory = ringInventory(3, { storage: { backend: 'filesystem', dir: shared } })
  try {
    writeTenants(inventory, TENANTS)
    await deploy(inventory)
    clearNotifications(testLab)
    const { tenants, unserved } = JSON.parse((await on(inventory, ['tenants', 'sync', '--json'])).stdout)
    expect([tenants.length, unserved]).toEqual([TENANTS, []])
    for (let at = 1; at <= TENANTS; at++) {
      await post((at % 3) + 1, `t-${at}`, 'once')
      await silence((at % 3) + 1, `t-${at}`, `k-${at}`)
    }
    // State is persisted every minute in the lab's pace.
    await sleep(75_000)
    const once = new Map(Array.from({ length: TENANTS }, (_, at) => [`/t-${at + 1} once`, 1]))
    expect(deliveries()).toEqual(once)
    for (const one of [1, 2, 3])
      await onInstance(
        one,
        'systemctl kill --signal=KILL cortex-alertmanager; systemctl stop cortex-alertmanager; rm -rf /var/lib/cortex-alertmanager/data/*',
      )
    await Promise.all([1, 2, 3].map((one) => onInstance(one, 'systemctl start cortex-alertmanager')))
    await deploy(inventory)
    const kept = await silencesKept(TENANTS, TENANTS)
    for (let at = 1; at <= TENANTS; at++) await post((at % 3) + 1, `t-${at}`, 'once')
    await sleep(20_000)
    const again = [...deliveries().values()].filter((times) => times > 1).length
    console.log(`a shared folder, cold start: ${kept} of ${TENANTS} silences, ${again} of ${TENANTS} notified again`)
    expect([kept, again]).toEqual([TENANTS, 0])
    expect((await on(inventory, ['deploy', '-y', '--no-watch-alerts'])).stdout).toMatch(/: 0 changed,/)
  } finally {
    rmSync(inventory, { recursive: true })
    for (const one of [1, 2, 3]) await onInstance(one, 'systemctl stop cortex-alertmanager || :')
    await onInstance(1, `rm -rf ${shared}`)
  }
})

test('an account that has another number on one machine is told: it could not change what the others write', async () => {
  const shared = `${SHARED_ON_HOSTS}/numbers`
  await onInstance(1, `mkdir -m 777 ${shared}`)
  await onInstance(3, 'systemctl stop cortex-alertmanager; usermod --uid 4242 cortex')
  const inventory = ringInventory(3, { storage: { backend: 'filesystem', dir: shared } })
  try {
    const { code, stdout } = await vestal(['deploy', '-y', '--no-watch-alerts', '-i', inventory])
    expect([code, stdout]).toEqual([
      1,
      expect.stringMatching(/may not change what is written here: give the account cortex the same number/),
    ])
  } finally {
    rmSync(inventory, { recursive: true })
    for (const one of [1, 2, 3]) await onInstance(one, 'systemctl stop cortex-alertmanager || :')
    await onInstance(1, `rm -rf ${shared}`)
  }
})
