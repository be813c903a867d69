/** The example inventory with one place to ask, with TLS: Thanos, and a gateway that verifies whom it asks, and hears of another authority. */
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { readAuthority } from '../../../lib/certificates/authority.ts'
import { vestal } from '../vestal.ts'
import { ask, at, GLOBAL, numberOf, on, QUERIES, until } from './fleet.ts'

const folder = mkdtempSync(join(tmpdir(), 'vestal-tls-'))
const inventory = join(folder, 'global')
cpSync(GLOBAL, inventory, { recursive: true })
const all = join(inventory, 'group_vars/all.yml')
writeFileSync(all, `${readFileSync(all, 'utf8')}tls: { plain: [gateway], gossip: true }\n`)
writeFileSync(join(folder, 'password'), 'for tests alone\n')
process.env.ANSIBLE_VAULT_PASSWORD_FILE = join(folder, 'password')

const started = (): Promise<readonly string[]> =>
  Promise.all(
    (['gw-1', 'gw-2'] as const).map((name) => at(name, 'systemctl show --property=InvocationID --value gateway')),
  )
const pages = async (): Promise<readonly (number | string)[]> =>
  Promise.all(
    [8091, 8093].map(async (port) => {
      const answer = await fetch(`http://${QUERIES.split(':')[0]}:${port}/-/ready`, {
        signal: AbortSignal.timeout(10_000),
      })
      return answer.status
    }),
  )

beforeAll(async () => {
  expect(await vestal(['certificates', 'init', '-i', inventory])).toMatchObject({ code: 0 })
  await on(['deploy', '-y', '--no-watch-alerts'], 0, inventory)
})

test('it is whole, a second deploy changes nothing, and what is asked at its one address is answered by all', async () => {
  expect((await on(['deploy', '-y', '--no-watch-alerts'], 0, inventory)).stdout).toMatch(/: 0 changed,/)
  expect(JSON.parse((await on(['status', '--json'], 0, inventory)).stdout).healthy).toBe(true)
  const answer = await ask(QUERIES, 'count(up)')
  expect(answer.warnings).toBeUndefined()
  expect(numberOf(answer)).toBeGreaterThan(20)
  expect(numberOf(await ask(QUERIES, 'count(up == 0)'))).toBeNaN()
  expect(await pages()).toEqual([200, 200])
})

test('every web server of Thanos has a certificate, and none answers in plain text', async () => {
  const { servers } = JSON.parse((await on(['certificates', 'status', '--json'], 0, inventory)).stdout) as {
    servers: readonly { role: string; speaks: string }[]
  }
  const speaking = Map.groupBy(servers, ({ role }) => role)
  for (const role of ['thanos-sidecar', 'thanos-query', 'thanos-rule'])
    expect(new Set(speaking.get(role)?.map(({ speaks }) => speaks))).toEqual(new Set(['tls']))
  expect((await fetch('http://10.88.0.17:10904/-/ready')).status).toBe(400)
})

test('the authority is exchanged, and all is answered meanwhile and after: gateways are reloaded, and not restarted', async () => {
  const before = await started()
  let asked = 0
  let failed = 0
  let done = false
  const asking = (async () => {
    while (!done) {
      asked++
      await ask(QUERIES, 'vector(1)').then(
        ({ status }) => void (status === 'success' || failed++),
        () => void failed++,
      )
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  })()
  await on(['certificates', 'rotate-authority', '-y'], 0, inventory)
  done = true
  await asking
  console.log(`asked ${asked}, failed ${failed}`)
  expect(failed).toBe(0)
  expect(await started()).toEqual(before)
  expect(readAuthority({ folder: inventory })).toMatchObject({ issuing: '2', trusted: ['2'] })
  await until(
    'status is content',
    async () => JSON.parse((await vestal(['status', '--json', '-i', inventory])).stdout).healthy,
    60_000,
  )
  expect((await ask(QUERIES, 'count(up)')).warnings).toBeUndefined()
  expect(await pages()).toEqual([200, 200])
})
