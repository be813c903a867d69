/** The drills of a ring, held on the example. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { held } from '../drill/held.ts'
import { project } from '../vestal.ts'
import { configure, deploy, emptyStore, on } from './ring.ts'

const folder = mkdtempSync(join(tmpdir(), 'vestal-drills-'))
const inventory = join(folder, 'cortex')

beforeAll(async () => {
  await emptyStore()
  cpSync(join(project, 'inventory/cortex'), inventory, { recursive: true })
  // Quick to be over.
  configure(inventory, { peer_timeout: '2s', canary: { every: '1s', group_interval: '20s' } })
  await deploy(inventory)
  await on(inventory, ['tenants', 'sync'])
})
afterAll(() => rmSync(folder, { recursive: true }))

test.each([
  ['ring-member-lost', ['ring-1']],
  ['ring-two-lost', ['ring-1', 'ring-2']],
])('%s: every alert is notified by those that are left', async (name, hosts) => {
  const { drill } = await held(inventory, name)
  expect(drill.faults.map(({ host }) => host)).toEqual(hosts)
})
