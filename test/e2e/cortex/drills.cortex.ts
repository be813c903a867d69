/** The drills of a ring, held on the example. */
import { beforeAll, expect, test } from 'vitest'
import { bringUpRing } from '../drill/elsewhere.ts'
import { held } from '../drill/held.ts'

let inventory: string
beforeAll(async () => {
  inventory = await bringUpRing()
})

test.each([
  ['ring-member-lost', ['ring-1']],
  ['ring-two-lost', ['ring-1', 'ring-2']],
])('%s: every alert is notified by those that are left', async (name, hosts) => {
  const { drill } = await held(inventory, name)
  expect(drill.faults.map(({ host }) => host)).toEqual(hosts)
})
