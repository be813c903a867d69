/** `check` finds what is planted, by its id, and has nothing to say about a fleet that is as it must be. */
import { beforeAll, describe, expect, it } from 'vitest'
import type { Finding } from '../../../lib/health/finding.ts'
import { deploy } from '../deploy/fleet.ts'
import { haWith } from '../deploy/inventories.ts'
import { vestal } from '../vestal.ts'
import { faults } from './check-faults.ts'

const HA = 'inventory/ha'

const check = async (inventory: string, ...words: readonly string[]) => {
  const { code, stdout, stderr } = await vestal(['check', '-i', inventory, '--json', ...words])
  const said = stdout === '' ? { vestal: stderr, findings: [] } : JSON.parse(stdout)
  // An example fleet has no TLS and no passwords, which it is told.
  const findings = said.findings.filter(({ id }: Finding) => id !== 'open-ports')
  return { code, said: { ...said, findings } as { readonly vestal: string; readonly findings: readonly Finding[] } }
}

beforeAll(async () => {
  await deploy('-i', HA)
})

it('says nothing about a healthy fleet', async () => {
  expect(await check(HA)).toEqual({ code: 0, said: expect.objectContaining({ vestal: 'check/2', findings: [] }) })
})

describe('finds what is planted', () => {
  it.each(faults)('$id: $fault', async ({ id, limit = 'node-1', inventory = () => haWith({}), plant, undo }) => {
    await plant?.()
    try {
      const folder = inventory()
      // Prometheus takes up to five seconds to act on another list of Alertmanagers.
      await expect
        .poll(
          async () => {
            const { code, said } = await check(folder, '--limit', limit)
            expect(code).toBe(said.findings.some(({ severity }) => severity === 'error') ? 1 : 0)
            return said.findings.map((one) => one.id)
          },
          { timeout: 30_000, interval: 1_000 },
        )
        .toContain(id)
    } finally {
      await undo?.()
    }
  })
})

it('says nothing again once all of it is undone', async () => {
  await deploy('-i', HA)
  await expect.poll(async () => (await check(HA)).said.findings, { timeout: 120_000, interval: 2_000 }).toEqual([])
})
