/** What Thanos shows to those that it asks by gRPC, as `certificates status` and `check` see it. The machines answer from memory. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { lookAtShown } from '../../../fleet/certificates/look.ts'
import { makeAuthority, openAuthority } from '../../../lib/certificates/authority.ts'
import { type Issued, issueServer } from '../../../lib/certificates/issue.ts'
import { loadInventory } from '../../../lib/inventory/load.ts'
import type { Connection, Inventory, Reach } from '../../../lib/model.ts'
import { DAY_MS, place } from '../certificates/authorities.ts'
import { hostsFile, roles } from '../roles/fleet.ts'

const at = place()
let authority: Issued
beforeAll(async () => {
  authority = openAuthority(await makeAuthority(at, { ms: 100 * DAY_MS, env: at.env }), at.env)
})
afterAll(() => at[Symbol.dispose]())

const HOSTS = {
  prometheus: { 'prom-1': { ansible_host: '10.0.0.1' } },
  thanos_sidecar: { 'prom-1': {} },
  thanos_query: { 'q-1': { ansible_host: '10.0.0.2' } },
  thanos_rule: { 'q-1': {} },
}
const load = (tls: unknown): Promise<Inventory> => {
  const thanos = { version: '0.42.4' }
  const vars = {
    prometheus: { version: '3.5.3' },
    thanos_sidecar: thanos,
    thanos_query: thanos,
    thanos_rule: thanos,
    tls,
  }
  writeFileSync(join(at.folder, 'hosts.yml'), hostsFile(HOSTS, vars))
  return loadInventory([at.folder], roles)
}
const issued = async ({ client = true, ms = DAY_MS } = {}): Promise<string> =>
  (await issueServer(authority, { names: ['10.0.0.2'], subject: 'q-1', ms, client })).certificate

/** A machine whose files hold these certificates, by the end of their paths. */
const holding =
  (files: Readonly<Record<string, string>>): Reach =>
  () =>
    Promise.resolve({
      exec: (script: string) => {
        const [, text = ''] = Object.entries(files).find(([name]) => script.includes(name)) ?? []
        return Promise.resolve({ code: 0, stdout: Buffer.from(text), stderr: '' })
      },
    } as unknown as Connection)
const looked = async (tls: unknown, files: Readonly<Record<string, string>>) => {
  const inventory = await load(tls)
  const looks = await lookAtShown(inventory, { hosts: inventory.hosts, reach: holding(files) })
  return looks.map(({ role, port, until, refused }) => [role.name, port, refused ?? until?.slice(0, 4)])
}

test('each that asks is looked at, and told of where those that it asks would refuse what it shows', async () => {
  const year = new Date(Date.now() + DAY_MS).toISOString().slice(0, 4)
  const files = { 'thanos-query/grpc.pem': await issued(), 'thanos-rule/grpc.pem': await issued({ ms: -1_000 }) }
  expect(await looked(true, files)).toEqual([
    ['thanos-query', 10903, year],
    ['thanos-rule', 10905, expect.stringContaining('expired')],
  ])
  expect(await looked(true, { 'thanos-query/grpc.pem': await issued({ client: false }) })).toEqual([
    ['thanos-query', 10903, expect.stringContaining('a server’s alone')],
    ['thanos-rule', 10905, 'there is none in /etc/thanos-rule/grpc.pem'],
  ])
})

test('nobody shows anything where those that are asked are in plain text', async () => {
  expect(await looked({ plain: ['thanos-sidecar', 'thanos-rule'] }, {})).toEqual([])
})
