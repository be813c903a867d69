import { describe, expect, test } from 'vitest'
import type { RingClient } from '../../../../fleet/tenants/ring-client.ts'
import { applyPlans, planTenants, servedNow, servedWithin } from '../../../../fleet/tenants/sync.ts'
import { bodyOf, type Tenant, type TenantBody } from '../../../../fleet/tenants/tenant.ts'
import { HostError } from '../../../../lib/errors.ts'
import { configHash } from '../../../../lib/gates/alertmanager.ts'
import { tenantHash } from '../../../../roles/cortex-alertmanager/ring/hash.ts'
import { replicasOf, ringOf } from '../../../../roles/cortex-alertmanager/ring/ring.ts'
import { drawTokens, seeded } from '../../../../roles/cortex-alertmanager/ring/tokens.ts'

const tenant = (name: string, url = 'http://x'): Tenant => ({
  name,
  config: { route: { receiver: 'team' }, receivers: [{ name: 'team', webhook_configs: [{ url }] }] },
  templates: {},
  file: `${name}.yml`,
})
const tenants = Array.from({ length: 10 }, (_, at) => tenant(`t${at}`))
const SETTINGS = { replicationFactor: 3, zoneAware: false, sharded: true }

/** A ring in memory that counts requests, refuses some tenants, and loses others. */
const memoryRing = ({ refuses = [], loses = [] }: { refuses?: readonly string[]; loses?: readonly string[] } = {}) => {
  const stored = new Map<string, TenantBody>()
  const written: string[] = []
  let requests = 0
  const random = seeded(7)
  const members = ['a', 'b', 'c', 'd'].map((id) => ({
    id,
    state: 'ACTIVE',
    heartbeatAgeMs: 0,
    zone: '',
    tokens: drawTokens(new Set(), random),
  }))
  const ring = ringOf(members, SETTINGS)
  const client: RingClient = {
    requests: () => requests,
    async read(name) {
      requests += 1
      if (loses.includes(name)) throw new HostError('ring', `${name}: nobody answers`)
      return stored.get(name) ?? null
    },
    async write(name, body) {
      requests += 1
      if (refuses.includes(name)) return 'no Slack API URL'
      stored.set(name, body)
      written.push(name)
      return null
    },
    async remove(name) {
      requests += 1
      stored.delete(name)
    },
    names: async () => [...stored.keys()].sort(),
    members: async () => members,
    served: async () =>
      new Map(
        members.map(({ id }, at) => [
          id,
          new Map(
            [...stored]
              .filter(([name]) => replicasOf(ring, tenantHash(name)).includes(at))
              .map(([name, body]) => [name, configHash(Buffer.from(body.alertmanager_config))]),
          ),
        ]),
      ),
  }
  return { client, stored, written }
}
const serve = async () => null
const statuses = (outcomes: readonly { tenant: string; status: string }[]) =>
  outcomes.map(({ tenant: name, status }) => `${name} ${status}`)

describe('a sync', () => {
  test('uploads what differs, canaries first; a second one asks once for each tenant and uploads nothing', async () => {
    const { client, written } = memoryRing()
    const working = { ring: client, forks: 4 }
    const plans = await planTenants(tenants, working, { prune: false })
    expect(plans.map(({ action }) => action)).toEqual(tenants.map(() => 'create'))
    const outcomes = await applyPlans(tenants, plans, working, { canaries: ['t7'], canariesServe: serve })
    expect([written[0], outcomes.every(({ status }) => status === 'created')]).toEqual(['t7', true])
    const before = client.requests()
    const again = await planTenants(tenants, working, { prune: false })
    expect([again.every(({ action }) => action === 'same'), client.requests() - before]).toEqual([true, tenants.length])
    const changed = [...tenants.slice(1), tenant('t0', 'http://other')]
    const third = await planTenants(changed, working, { prune: false })
    expect(third.filter(({ action }) => action === 'change').map(({ tenant: name }) => name)).toEqual(['t0'])
  })

  test('tells one that is refused by name and goes on with the rest', async () => {
    const { client } = memoryRing({ refuses: ['t5'] })
    const working = { ring: client, forks: 4 }
    const plans = await planTenants(tenants, working, { prune: false })
    const outcomes = await applyPlans(tenants, plans, working, { canariesServe: serve })
    expect(outcomes.filter(({ status }) => status !== 'created')).toEqual([
      { tenant: 't5', status: 'refused', why: 'no Slack API URL' },
    ])
  })

  test('a canary that is refused keeps all others from being uploaded', async () => {
    const { client, stored } = memoryRing({ refuses: ['t1'] })
    const working = { ring: client, forks: 4 }
    const plans = await planTenants(tenants, working, { prune: false })
    const outcomes = await applyPlans(tenants, plans, working, { canariesServe: serve })
    expect([...stored.keys()]).toEqual(['t0', 't2'])
    expect(statuses(outcomes).slice(0, 4)).toEqual(['t0 created', 't1 refused', 't2 created', 't3 skipped'])
    expect(outcomes.at(-1)?.why).toBe('the canary t1 was refused: no Slack API URL')
  })

  test('canaries that are not served keep the rest back', async () => {
    const { client, stored } = memoryRing()
    const working = { ring: client, forks: 4 }
    const plans = await planTenants(tenants, working, { prune: false })
    await applyPlans(tenants, plans, working, { canariesServe: async () => 'the canary t0 is on no instance' })
    expect(stored.size).toBe(3)
  })

  test('deletes nothing unless told', async () => {
    const { client, stored } = memoryRing()
    const working = { ring: client, forks: 4 }
    stored.set('old', bodyOf(tenant('old')))
    const settings = { canariesServe: serve }
    await applyPlans(tenants, await planTenants(tenants, working, { prune: false, unwanted: true }), working, settings)
    expect(stored.has('old')).toBe(true)
    const plans = await planTenants(tenants, working, { prune: true })
    expect(plans.at(-1)).toEqual({ tenant: 'old', action: 'delete' })
    expect(statuses(await applyPlans(tenants, plans, working, settings))).toContain('old deleted')
    expect(stored.has('old')).toBe(false)
  })

  test('one that cannot be compared is told, and not touched', async () => {
    const { client, stored } = memoryRing({ loses: ['t4'] })
    const working = { ring: client, forks: 4 }
    const plans = await planTenants(tenants, working, { prune: false })
    const outcomes = await applyPlans(tenants, plans, working, { canariesServe: serve })
    expect(outcomes.find(({ tenant: name }) => name === 't4')).toEqual({
      tenant: 't4',
      status: 'failed',
      why: 't4: nobody answers',
    })
    expect(stored.has('t4')).toBe(false)
  })

  test('that is interrupted leaves off, and the next goes on from there', async () => {
    const { client, stored } = memoryRing()
    const stop = new AbortController()
    const working = {
      ring: client,
      forks: 1,
      signal: stop.signal,
      onProgress: ({ what, done }: { what: string; done: number }) => {
        if (what === 'uploaded' && done === 2) stop.abort()
      },
    }
    const plans = await planTenants(tenants, working, { prune: false })
    const outcomes = await applyPlans(tenants, plans, working, { canariesServe: serve })
    expect([stored.size, outcomes.filter(({ status }) => status === 'skipped').length]).toEqual([5, 5])
    const again = { ring: client, forks: 4 }
    const rest = await planTenants(tenants, again, { prune: false })
    expect(rest.filter(({ action }) => action === 'create')).toHaveLength(5)
    await applyPlans(tenants, rest, again, { canariesServe: serve })
    expect(stored.size).toBe(10)
  })
})

describe('what is served', () => {
  test('is right where each tenant is on the instances that the ring says, with what was uploaded', async () => {
    const { client } = memoryRing()
    const working = { ring: client, forks: 4 }
    await applyPlans(tenants, await planTenants(tenants, working, { prune: false }), working, { canariesServe: serve })
    const found = await servedWithin(tenants, working, { ...SETTINGS, withinMs: 0 })
    expect(found.map(({ problem }) => problem)).toEqual(tenants.map(() => null))
    expect(new Set(found.map(({ instances }) => instances.length))).toEqual(new Set([3]))
  })

  test('is wrong where an instance has another configuration, or has it not', async () => {
    const { client } = memoryRing()
    const working = { ring: client, forks: 4 }
    await applyPlans(tenants, await planTenants(tenants, working, { prune: false }), working, { canariesServe: serve })
    const other = await servedNow([tenant('t0', 'http://other')], client, SETTINGS)
    expect(other[0]?.problem).toMatch(/^has another configuration in force on \w, \w, \w$/)
    const served = await client.served()
    const [first] = [...served.keys()].filter((id) => served.get(id)?.has('t1'))
    const without = new Map(
      [...served].map(([id, hashes]) => [id, new Map([...hashes].filter(([name]) => id !== first || name !== 't1'))]),
    )
    const missing = await servedNow([tenant('t1')], { ...client, served: async () => without }, SETTINGS)
    expect(missing[0]?.problem).toMatch(/^is on \w, \w, and belongs on \w, \w, \w$/)
  })
})
