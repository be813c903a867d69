/**
 * Gossip of Alertmanagers turned to TLS and back on a fleet that serves, all at once and one by one, with canary alerts all the while; what passes between hosts,
 * with TLS and without; and the authority exchanged, which gossip reads once only.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { openAuthority, readAuthority } from '../../../lib/certificates/authority.ts'
import { issueAuthority, issueServer } from '../../../lib/certificates/issue.ts'
import { ADDRESSES, ALERTMANAGERS, deploy } from '../deploy/fleet.ts'
import { onHost, reportOf, vestal } from '../vestal.ts'
import { type Captured, capture } from './capture.ts'
import { findings, inventory, plan, setTls, watched, watching } from './fleet.ts'

const PORTS = [9090, 9093, 9094, 9100]
/** What somebody who reads along would understand: names of alerts and labels, and verbs of HTTP. */
const PLAIN = ['Watchdog', 'alertname', 'severity', 'HTTP/1.1', 'GET /', 'POST /', 'am-1', 'node_exporter']

/** A while in which everything is said once at least: Prometheus sends a firing alert again within a minute. */
const readAlong = async (): Promise<Captured> => {
  const reading = await capture(PORTS)
  await sleep(75_000)
  const all = await reading.end()
  expect(all.missed).toBe(0)
  return all
}
const understood = ({ sent }: Captured): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(
    [...sent].map(([port, bytes]) => [port, PLAIN.filter((text) => bytes.includes(text))] as const).toSorted(),
  )

const listening = (): Promise<readonly string[]> =>
  Promise.all(
    ALERTMANAGERS.map(async (name) =>
      (await onHost(ADDRESSES[name], `ss -Hlntu 'sport = :9094' | awk '{print $1}' | sort -u | tr '\\n' ' '`)).trim(),
    ),
  )
const started = (): Promise<readonly string[]> =>
  Promise.all(
    (['prom-1', 'am-1', 'am-2', 'am-3'] as const).map((name) =>
      onHost(
        ADDRESSES[name],
        'for one in prometheus alertmanager node_exporter; do systemctl show --property=InvocationID --value $one; done',
      ),
    ),
  )

beforeAll(async () => {
  await deploy('-i', inventory)
  const all = await readAlong()
  console.log(`without TLS: ${JSON.stringify(understood(all))}`)
  expect(understood(all)).toMatchObject({
    'tcp 9090': expect.arrayContaining(['GET /', 'HTTP/1.1']),
    'tcp 9093': expect.arrayContaining(['Watchdog', 'alertname', 'severity', 'POST /']),
    'tcp 9100': expect.arrayContaining(['GET /', 'HTTP/1.1']),
    'udp 9094': expect.arrayContaining(['am-1']),
  })
  expect(await vestal(['certificates', 'init', '-i', inventory])).toMatchObject({ code: 0 })
  setTls(true)
  await deploy('-i', inventory, '--yes')
})

describe('gossip is turned to TLS', () => {
  test('not by a deploy, which would take one member after the other', async () => {
    setTls({ gossip: true })
    const ended = await vestal(['deploy', '-i', inventory, '--yes'])
    expect(ended).toMatchObject({ code: 2, stderr: expect.stringContaining('vestal certificates gossip') })
    expect(await findings()).toContainEqual(expect.objectContaining({ id: 'gossip-tls', hosts: [...ALERTMANAGERS] }))
    expect(await vestal(['certificates', 'status', '-i', inventory])).toMatchObject({ code: 1 })
  })

  test('not by a roll either', async () => {
    const before = await started()
    const ended = await vestal(['rolling-upgrade', '-i', inventory, '--yes', '--json'])
    expect(ended.code).toBe(1)
    expect(reportOf(ended).stops?.join()).toContain('members change all at once')
    expect(await started()).toEqual(before)
  })

  test('not without a yes: what the window means is said before', async () => {
    const ended = await vestal(['certificates', 'gossip', '-i', inventory])
    expect(ended).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/all members restart at once.*nobody notifies/s),
    })
  })

  test('all at once: no alert is lost or notified twice', async () => {
    const before = await started()
    await watched('certificates', 'gossip')
    expect((await started()).map((one, at) => one === before[at])).toEqual([true, false, false, false])
    expect(await plan()).toMatchObject({ code: 0 })
    expect(await listening()).toEqual(['tcp', 'tcp', 'tcp'])
  })

  test('check asks by TCP alone, and it and status are content', async () => {
    expect(await findings()).toEqual([])
    expect(await vestal(['status', '-i', inventory])).toMatchObject({ code: 0 })
    const shown = await vestal(['certificates', 'status', '-i', inventory, '--json'])
    expect(shown).toMatchObject({ code: 0 })
    expect(JSON.parse(shown.stdout).servers.filter(({ port }: { port: number }) => port === 9094)).toHaveLength(3)
  })

  test('and nothing that passes between hosts is understood any more', async () => {
    const all = await readAlong()
    const bytes = Object.fromEntries([...all.sent].map(([port, { length }]) => [port, length]))
    console.log(`with TLS: ${JSON.stringify(understood(all))}, bytes ${JSON.stringify(bytes)}`)
    expect(understood(all)).toEqual(Object.fromEntries(PORTS.map((port) => [`tcp ${port}`, []]).toSorted()))
  })
})

describe('a certificate of gossip that is not to be trusted', () => {
  test.each([
    ['has expired', -1_000, false, 'it expired on'],
    ['is foreign', 86_400_000, true, 'it is foreign'],
  ])('%s: check says why, and renewing issues another, with nothing restarted', async (_, ms, foreign, why) => {
    const own = readAuthority({ folder: inventory })
    const authority =
      foreign || !own ? await issueAuthority({ subject: 'foreign', ms: 86_400_000 }) : openAuthority(own)
    const { certificate, key } = await issueServer(authority, {
      names: [ADDRESSES['am-2'], 'am-2'].sort(),
      subject: 'am-2',
      ms,
      client: true,
    })
    const before = await started()
    await onHost(ADDRESSES['am-2'], 'cat >/etc/alertmanager/gossip.pem', `${certificate}${key.reveal()}`)
    expect(await findings()).toContainEqual(
      expect.objectContaining({ id: 'certificate', hosts: ['am-2'], what: expect.stringContaining(why) }),
    )
    expect(await vestal(['certificates', 'renew', '-i', inventory, '--yes'])).toMatchObject({ code: 0 })
    expect(await findings()).toEqual([])
    expect(await started()).toEqual(before)
  })
})

describe('the authority is exchanged', () => {
  test('members read whom they trust when they start: they are rolled twice, and nothing else is restarted', async () => {
    const before = await started()
    const { ended } = await watching('certificates', 'rotate-authority')
    expect(ended.code).toBe(0)
    const reports = ended.events.flatMap((event) => (event.event === 'run-ended' ? [event.report.alerts] : []))
    console.log(`rotate-authority: ${JSON.stringify(reports.map((one) => ({ ...one, canaries: undefined })))}`)
    expect(reports.map((one) => one && { lost: one.lost, duplicated: one.duplicated })).toEqual(
      [1, 2, 3].map(() => ({ lost: 0, duplicated: 0 })),
    )
    expect((await started()).map((one, at) => one === before[at])).toEqual([true, false, false, false])
    expect(readAuthority({ folder: inventory })).toMatchObject({ issuing: '2', trusted: ['2'] })
    expect(await plan()).toMatchObject({ code: 0 })
    expect(await findings()).toEqual([])
  })
})

describe('gossip is turned back', () => {
  test('one by one, for comparison: no alert is lost', async () => {
    setTls(true)
    const { ended, alerts } = await watching('certificates', 'gossip', '--one-by-one')
    expect(alerts.lost).toBe(0)
    expect([0, 1]).toContain(ended.code)
    expect(await plan()).toMatchObject({ code: 0 })
    expect(await listening()).toEqual(['tcp udp', 'tcp udp', 'tcp udp'])
  })

  test('and to TLS one by one', async () => {
    setTls({ gossip: true })
    const { alerts } = await watching('certificates', 'gossip', '--one-by-one')
    expect(alerts.lost).toBe(0)
    expect(await findings()).toEqual([])
  })

  test('all at once: no alert is lost or notified twice', async () => {
    setTls(true)
    await watched('certificates', 'gossip')
    expect(await plan()).toMatchObject({ code: 0 })
    expect(await findings()).toEqual([])
  })
})
