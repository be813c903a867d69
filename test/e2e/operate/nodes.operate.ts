/** Machines come and go while alerts are watched. Seven hosts; about ten minutes. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import type { RunEvent } from '../../../lib/engine/events.ts'
import { powerLoss, powerOn } from '../../../lib/lab/faults.ts'
import { failuresOf } from '../deploy/fleet.ts'
import { haWith } from '../deploy/inventories.ts'
import { testLab } from '../lab-setup.ts'
import { changesOf, type Ended, onHost, planOf, reportOf, resetHost, vestal } from '../vestal.ts'

const SPARE = '10.88.0.17'
/** Quick to be over: canaries are looked at again every 20 seconds, and each further member waits for 2. */
const inventory = haWith({
  alertmanager: {
    alertmanager: { cluster: { peer_timeout: '2s' }, canary: { every: '1s', group_interval: '20s' } },
  },
})
const hostsFile = join(inventory, 'hosts.yml')
const original = readFileSync(hostsFile, 'utf8')

const run = (command: string, ...words: readonly string[]): Promise<Ended> =>
  vestal([command, ...words, '-i', inventory, '--json'])
/** The whole story of a failure, so that a failed run can be understood from the test's output. */
const said = (ended: Ended) => ({ code: ended.code, said: failuresOf(ended) })
const changed = (ended: Ended): number =>
  Object.values(reportOf(ended).hosts)
    .flatMap((tasks) => Object.values(tasks))
    .filter(({ status }) => status === 'changed').length

const expectWell = (ended: Ended, name: string): void => {
  expect(said(ended)).toEqual({ code: 0, said: [] })
  const { alerts, ms } = reportOf(ended)
  console.log(`${name}: ${Math.round(ms / 1000)} s, ${JSON.stringify(alerts)}`)
  expect(alerts).toMatchObject({ lost: 0, duplicated: 0, resolvedEarly: 0, silenced: { notified: 0 } })
  expect(alerts?.sent).toBeGreaterThan(5)
}
const at = (events: readonly RunEvent[], which: (event: RunEvent) => boolean): number => events.findIndex(which)
const step = (host: RegExp, title: string) => (event: RunEvent) =>
  event.event === 'step' && event.state === 'started' && host.test(event.host) && event.title.includes(title)
const gate = (host: string, name: string) => (event: RunEvent) =>
  event.event === 'gate' && event.host === host && event.name.includes(name) && event.verdict.pass

const members = async (address: string): Promise<number> => {
  const answer = await fetch(`http://${address}:9093/api/v2/status`)
  return ((await answer.json()) as { cluster: { peers: unknown[] } }).cluster.peers.length
}
const missed = async (address: string): Promise<string | undefined> =>
  /^alertmanager_cluster_failed_peers (.*)$/m.exec(await (await fetch(`http://${address}:9093/metrics`)).text())?.[1]

beforeAll(async () => {
  expect(said(await run('deploy'))).toEqual({ code: 0, said: [] })
}, 600_000)

test('a machine on which another program has a port is not taken in', async () => {
  const squat = `perl -MIO::Socket::INET -e '@held = IO::Socket::INET->new(Listen => 1, LocalPort => 9093) or die; sleep 600'`
  await onHost(SPARE, `systemd-run --quiet --unit=squatter ${squat}`)
  await expect.poll(() => onHost(SPARE, 'ss -Hltn sport = :9093'), { timeout: 30_000 }).not.toBe('')
  const { code, stderr, events } = await run('add-node', 'am-4', '--host', SPARE, '--role', 'alertmanager')
  await onHost(SPARE, 'systemctl stop squatter')
  expect({ code, events }).toEqual({ code: 1, events: [] })
  expect(stderr).toMatch(/am-4\W.*port 9093 of alertmanager\.service is taken by perl .*squatter\.service/)
  expect(readFileSync(hostsFile, 'utf8')).toBe(original)
})

describe('an Alertmanager', () => {
  test('that is added joins before any Prometheus sends to it, and no alert is lost or doubled', async () => {
    const ended = await run('add-node', 'am-4', '--host', SPARE, '--role', 'alertmanager')
    expectWell(ended, 'add-node am-4')
    const { events } = ended
    const joined = at(events, gate('am-4', 'gossips with every member'))
    const told = at(events, step(/^prom/, 'write /etc/prometheus/prometheus.yml'))
    expect(joined).toBeGreaterThan(at(events, step(/^am-4$/, 'start alertmanager.service')))
    expect(told).toBeGreaterThan(joined)
    for (const peer of ['am-1', 'am-2', 'am-3'])
      expect(told).toBeGreaterThan(at(events, step(new RegExp(`^${peer}$`), 'restart alertmanager.service')))
    expect(readFileSync(hostsFile, 'utf8')).toBe(
      original.replace(/( +)am-3: .*\n/, `$&$1am-4: { ansible_host: ${SPARE} }\n`),
    )
    expect(await members(SPARE)).toBe(4)
  })
  test('that is added again changes nothing', async () => {
    const before = readFileSync(hostsFile, 'utf8')
    const ended = await run('add-node', 'am-4', '--host', SPARE, '--role', 'alertmanager', '--no-watch-alerts')
    expect(said(ended)).toEqual({ code: 0, said: [] })
    expect(changed(ended)).toBe(0)
    expect(readFileSync(hostsFile, 'utf8')).toBe(before)
  })
  test('that is removed stops when nobody sends to it any more, and nobody waits for it', async () => {
    const ended = await run('remove-node', 'am-4')
    expectWell(ended, 'remove-node am-4')
    const stopped = at(ended.events, step(/^am-4$/, 'stop alertmanager.service'))
    expect(stopped).toBeGreaterThan(at(ended.events, gate('prom-1', 'sends to every Alertmanager')))
    expect(stopped).toBeGreaterThan(at(ended.events, gate('prom-2', 'sends to every Alertmanager')))
    expect(readFileSync(hostsFile, 'utf8')).toBe(original)
    expect(await onHost(SPARE, 'systemctl is-enabled alertmanager node_exporter || :')).toBe('disabled\ndisabled\n')
    expect(await onHost(SPARE, 'systemctl is-active alertmanager || :; ls /var/lib/alertmanager')).toContain('inactive')
    for (const address of ['10.88.0.13', '10.88.0.14', '10.88.0.15']) {
      expect(await members(address)).toBe(3)
      expect(await missed(address)).toBe('0')
    }
  })
  test('that is removed again changes nothing, and the fleet is as the inventory says', async () => {
    expect(await vestal(['remove-node', 'am-4', '-i', inventory])).toMatchObject({
      code: 0,
      stdout: 'am-4 is not in this inventory: nothing to do.\n',
    })
    expect(changesOf(planOf(await run('plan')))).toEqual({})
  })
  test('is not removed where two would be left', async () => {
    expect(await run('remove-node', 'am-3')).toMatchObject({ code: 2, events: [] })
  })
})

describe('a Prometheus replica', () => {
  test('that is added takes part, and no alert is lost or doubled', async () => {
    expectWell(await run('add-node', 'prom-3', '--host', SPARE, '--role', 'prometheus'), 'add-node prom-3')
    const again = await run('add-node', 'prom-3', '--host', SPARE, '--role', 'prometheus', '--no-watch-alerts')
    expect({ ...said(again), changed: changed(again) }).toEqual({ code: 0, said: [], changed: 0 })
  })
  test('that is removed is scraped by nobody before it stops, and no alert is lost or doubled', async () => {
    const ended = await run('remove-node', 'prom-3')
    expectWell(ended, 'remove-node prom-3')
    const stopped = at(ended.events, step(/^prom-3$/, 'stop prometheus.service'))
    expect(stopped).toBeGreaterThan(at(ended.events, step(/^prom-1$/, 'file_sd/prometheus.yml')))
    expect(readFileSync(hostsFile, 'utf8')).toBe(original)
    expect(changesOf(planOf(await run('plan')))).toEqual({})
  })
})

describe('a machine that is gone', () => {
  test('is replaced by a new one in its place', async () => {
    await powerLoss('lab-5', testLab)
    const words = ['am-3', 'am-5', '--host', SPARE]
    expectWell(await run('replace-node', ...words), 'replace-node am-3 am-5')
    expect(readFileSync(hostsFile, 'utf8')).toBe(original.replace(/am-3: .*/, `am-5: { ansible_host: ${SPARE} }`))
    const again = await run('replace-node', ...words, '--no-watch-alerts')
    expect({ ...said(again), changed: changed(again) }).toEqual({ code: 0, said: [], changed: 0 })
    for (const address of [SPARE, '10.88.0.13', '10.88.0.14']) {
      expect(await members(address)).toBe(3)
      expect(await missed(address)).toBe('0')
    }
  })
  test('is removed without being connected to', async () => {
    await powerLoss('lab-7', testLab)
    expect(await run('remove-node', 'am-5', '--dead')).toMatchObject({ code: 2 })
    const ended = await run('remove-node', 'am-5', '--dead', '--force')
    expectWell(ended, 'remove-node am-5 --dead')
    expect(Object.keys(reportOf(ended).cost)).not.toContain('am-5')
    expect(readFileSync(hostsFile, 'utf8')).toBe(original.replace(/.*am-3: .*\n/, ''))
  })
  test('is replaced by another under its own name', async () => {
    await powerOn('lab-5', testLab)
    await resetHost('10.88.0.15')
    await powerLoss('lab-4', testLab)
    expectWell(await run('replace-node', 'am-2', 'am-2', '--host', '10.88.0.15'), 'replace-node am-2 am-2')
    expect(readFileSync(hostsFile, 'utf8')).toBe(
      original.replace(/.*am-3: .*\n/, '').replace('10.88.0.14', '10.88.0.15'),
    )
    expect(await members('10.88.0.15')).toBe(2)
    expect(changesOf(planOf(await run('plan')))).toEqual({})
  })
})
