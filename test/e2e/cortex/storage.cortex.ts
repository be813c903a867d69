/** A shared folder as storage: tried before anything goes on, and refused where each machine has one of its own. */
import { rmSync } from 'node:fs'
import { expect, test } from 'vitest'
import { vestal } from '../vestal.ts'
import { onInstance, ringInventory } from './ring.ts'

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
