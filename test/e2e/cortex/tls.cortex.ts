/** The example ring with TLS: turned on, of its web ports and between its instances, renewed, and turned off, while canary alerts go through it. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readAuthority } from '../../../lib/certificates/authority.ts'
import { hostAddress } from '../../../lib/lab/places.ts'
import type { AlertsReport } from '../../../lib/model.ts'
import { project, reportOf, vestal } from '../vestal.ts'
import { apiOf, asTenant, configure, deploy, emptyStore, on, PORT, processOf } from './ring.ts'

const folder = mkdtempSync(join(tmpdir(), 'vestal-ring-tls-'))
const inventory = join(folder, 'ring')
cpSync(join(project, 'inventory/cortex'), inventory, { recursive: true })
const file = join(inventory, 'group_vars/all.yml')
const plainly = readFileSync(file, 'utf8')
/** Of the ring alone: with its one Prometheus and the machines that this scrapes restarted too, alerts would come and go by that. */
const setTls = (tls: { readonly gossip: boolean } | false): void =>
  writeFileSync(
    file,
    `${plainly}tls: ${JSON.stringify(tls && { plain: ['prometheus', 'node_exporter'], gossip: tls.gossip })}\n`,
  )
writeFileSync(join(folder, 'password'), 'for tests alone\n')
process.env.ANSIBLE_VAULT_PASSWORD_FILE = join(folder, 'password')

const INSTANCES = [1, 2, 3] as const
const processes = () => Promise.all(INSTANCES.map(processOf))
const authority = (): string | undefined => readAuthority({ folder: inventory })?.bundle

/** Runs a command while canary alerts are watched; expects that none was lost, and prints what became of them. */
const watched = async (...words: readonly string[]): Promise<AlertsReport> => {
  const ended = await vestal([...words, '-i', inventory, '--watch-alerts', '--json', '--yes'])
  const alerts = reportOf(ended).alerts as AlertsReport
  console.log(`${words.join(' ')}: ${JSON.stringify({ ...alerts, canaries: undefined })}`)
  expect([ended.code, ended.stderr]).toEqual([0, expect.any(String)])
  expect(alerts).toMatchObject({ lost: 0, unresolved: 0, linksLost: 0 })
  expect(alerts.delivered).toBe(alerts.sent)
  return alerts
}

/** What an instance answers over HTTPS for a tenant, by the authority alone. */
const securely = (instance: number, path: string, body?: unknown): Promise<string> =>
  new Promise((resolve, reject) => {
    const headers = { 'X-Scope-OrgID': 'checkout', 'content-type': 'application/json' }
    const place = { host: hostAddress(instance), port: PORT, path, headers, ca: authority(), agent: false }
    request({ ...place, timeout: 10_000, method: body === undefined ? 'GET' : 'POST' }, async (answer) => {
      const pieces: Buffer[] = []
      for await (const piece of answer) pieces.push(piece)
      resolve(Buffer.concat(pieces).toString())
    })
      .on('error', reject)
      .end(body === undefined ? undefined : JSON.stringify(body))
  })

/** Whom a port shows, verified by the authority: the certificate's number, or why not; and what comes of having none oneself. */
const shown = (instance: number, port: number): Promise<{ readonly serial: string; readonly said: string }> =>
  new Promise((resolve) => {
    let serial = ''
    const say = (said: string): void => {
      socket.destroy()
      resolve({ serial, said })
    }
    const socket = connect({ host: hostAddress(instance), port, ca: authority(), ALPNProtocols: ['h2'] })
    socket.setTimeout(2_000, () => say('nothing'))
    socket.once('error', ({ message }) => say(message))
    socket.once('data', () => say('an answer'))
    socket.once('secureConnect', () => {
      serial = socket.getPeerCertificate().serialNumber
    })
  })

const silences = async (): Promise<readonly string[]> => {
  const lists = await Promise.all(
    INSTANCES.map(async (one) => JSON.parse(await securely(one, '/alertmanager/api/v2/silences'))),
  )
  return lists.map((list: { comment: string; status: { state: string } }[]) =>
    list
      .filter(({ status }) => status.state === 'active')
      .map(({ comment }) => comment)
      .join(),
  )
}

beforeAll(async () => {
  await emptyStore()
  // Quick to be over.
  configure(inventory, { canary: { every: '1s', group_interval: '20s' }, log_level: 'warn' })
  await deploy(inventory)
  await on(inventory, ['tenants', 'sync'])
  await on(inventory, ['certificates', 'init'])
})
afterAll(() => rmSync(folder, { recursive: true }))

test('TLS of web ports is turned on by a deploy, and no alert is lost or notified twice', async () => {
  setTls({ gossip: false })
  expect(await watched('deploy')).toMatchObject({ duplicated: 0 })
  for (const one of INSTANCES) {
    expect((await fetch(`${apiOf(one)}/ready`)).status).toBe(400)
    expect(await securely(one, '/ready')).toContain('ready')
    expect((await shown(one, 9095)).serial).toBe('')
  }
  expect((await on(inventory, ['deploy', '-y', '--no-watch-alerts'])).stdout).toMatch(/: 0 changed,/)
  expect(JSON.parse((await on(inventory, ['status', '--json'])).stdout).healthy).toBe(true)
  expect((await on(inventory, ['tenants', 'verify'])).stdout).toMatch(/4 tenants: each on its 3 instances/)
})

test('what instances say to each other is no matter of a deploy; it turns as a whole, and no alert and no silence is lost', async () => {
  setTls({ gossip: true })
  const refused = await vestal(['deploy', '-y', '--no-watch-alerts', '-i', inventory])
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('vestal certificates gossip')])
  const silence = {
    matchers: [{ name: 'a', value: 'b', isRegex: false }],
    ...{ startsAt: new Date().toISOString(), endsAt: new Date(Date.now() + 3_600_000).toISOString() },
    ...{ createdBy: 'a test', comment: 'made just before' },
  }
  expect(await securely(1, '/alertmanager/api/v2/silences', silence)).toContain('silenceID')
  await watched('certificates', 'gossip')
  for (const one of INSTANCES) {
    const grpc = await shown(one, 9095)
    expect([grpc.serial !== '', grpc.said]).toEqual([true, expect.stringContaining('certificate required')])
    // Who calls is asked for none: that is what it is, and what the docs say.
    expect(await shown(one, 7946)).toEqual({ serial: grpc.serial, said: 'nothing' })
  }
  expect(await silences()).toEqual(['made just before', 'made just before', 'made just before'])
  expect((await on(inventory, ['deploy', '-y', '--no-watch-alerts'])).stdout).toMatch(/: 0 changed,/)
  expect((await on(inventory, ['tenants', 'verify'])).stdout).toMatch(/4 tenants: each on its 3 instances/)
})

test('certificates are renewed: each instance is restarted in its turn, and shows the new one at every port', async () => {
  const [before, shownBefore] = [await processes(), await shown(1, 7946)]
  expect(await watched('certificates', 'renew', '--all')).toMatchObject({ duplicated: 0 })
  expect((await processes()).filter((pid, at) => pid === before[at])).toEqual([])
  const ports = await Promise.all([PORT, 9095, 7946].map(async (port) => (await shown(1, port)).serial))
  expect(new Set(ports).size).toBe(1)
  expect(ports[0]).not.toBe(shownBefore.serial)
  expect(JSON.parse((await on(inventory, ['status', '--json'])).stdout).healthy).toBe(true)
})

test('the way back is the same', async () => {
  setTls({ gossip: false })
  await watched('certificates', 'gossip')
  setTls(false)
  expect(await watched('deploy')).toMatchObject({ duplicated: 0 })
  expect((await (await asTenant(1, 'checkout', '/api/v2/status')).json()) as object).toHaveProperty('versionInfo')
  expect((await on(inventory, ['deploy', '-y', '--no-watch-alerts'])).stdout).toMatch(/: 0 changed,/)
})
