import { beforeAll, describe, expect, inject, test, vi } from 'vitest'
import { clearNotifications, labNotifications } from '../../../lib/lab/receiver.ts'
import type { RunReport } from '../../../lib/model.ts'
import { waitedMs } from '../../../lib/report/waiting.ts'
import { ADDRESSES, ALERTMANAGERS, ask, REPLICAS } from '../deploy/fleet.ts'
import { type Ended, reportOf, vestal } from '../vestal.ts'
import {
  fleetInventory,
  interruptions,
  MIDDLE,
  NEWEST,
  OLDEST,
  processes,
  running,
  standing,
  told,
  versionIn,
} from './fleet.ts'

const SILENCED = 'AlwaysButSilenced'
const inventory = fleetInventory(OLDEST)
/** The last roll. */
let rolled = ''

describe('a fleet of the oldest generation, under canary alerts and with a silence', () => {
  beforeAll(async () => {
    await standing(inventory)
    await silence()
    clearNotifications(inject('lab').name)
  })

  describe.each([
    { name: 'the middle one', to: MIDDLE, words: [] },
    { name: 'the newest one', to: NEWEST, words: ['--allow-one-way', '--canary-first'] },
  ])('rolled to $name', ({ to, words }) => {
    let run: Ended
    let report: RunReport

    beforeAll(async () => {
      run = await vestal(['rolling-upgrade', '-i', inventory, '--json', '-y', ...versionWords(to), ...words])
      report = reportOf(run)
      rolled = report.run
      const { alerts } = report
      console.log(JSON.stringify({ alerts, ms: report.ms, waitedMs: waitedMs(report.gates), stops: report.stops }))
    })

    test('runs it everywhere, as the inventory now says', async () => {
      expect(run.code, told({ ...run, stdout: JSON.stringify(report.stops) })).toBe(0)
      expect(new Set(Object.values(await running()))).toEqual(new Set(Object.values(to)))
      expect([versionIn(inventory, 'prometheus'), versionIn(inventory, 'alertmanager')]).toEqual(Object.values(to))
      expect(await vestal(['plan', '-i', inventory, '--exit-code'])).toMatchObject({ code: 0 })
    })

    test('interrupts one machine at a time', () => {
      expect(interruptions(run.events).map((hosts) => hosts.length)).toEqual([1, 1, 1, 1, 1])
    })

    test('loses no alert, and tells none twice', () => {
      expect(report.alerts).toMatchObject({ lost: 0, duplicated: 0, unresolved: 0, silenced: { notified: 0 } })
      expect(report.alerts?.sent).toBeGreaterThan(10)
    })

    test('keeps the silence on every Alertmanager, and nobody is told of what it covers', async () => {
      for (const member of ALERTMANAGERS) {
        const silences = await ask<readonly { comment: string; status: { state: string } }[]>(
          member,
          9093,
          '/api/v2/silences',
        )
        expect(silences).toContainEqual(
          expect.objectContaining({ comment: SILENCED, status: expect.objectContaining({ state: 'active' }) }),
        )
        const alerts = await ask<readonly { labels: { alertname: string } }[]>(member, 9093, '/api/v2/alerts')
        expect(alerts.map(({ labels }) => labels.alertname)).toContain(SILENCED)
      }
      expect(JSON.stringify(labNotifications(inject('lab').name))).not.toContain(SILENCED)
    })
  })
})

describe('the same fleet, taken back to the middle generation', () => {
  const rollback = (...words: readonly string[]): Promise<Ended> =>
    vestal(['rollback', '-i', inventory, '--json', '-y', ...words])

  test('is refused, and nothing touched, where the earlier Prometheus cannot read what the later has written', async () => {
    const before = await processes()
    const { code, stderr } = await rollback()
    expect(code).toBe(2)
    for (const name of REPLICAS)
      expect(stderr).toMatch(new RegExp(`host ${name}\\W+what\\W+Prometheus 2.53.3 cannot read`))
    expect(stderr).toContain('--restore-data')
    expect(await processes()).toEqual(before)
  })

  test('goes back on one machine alone', async () => {
    const before = await running()
    const ended = await rollback('--limit', 'am-1')
    expect(ended.code, told(ended)).toBe(0)
    expect(reportOf(ended).alerts).toMatchObject({ lost: 0, duplicated: 0 })
    expect(await running()).toEqual({ ...before, 'am-1': MIDDLE.alertmanager })
    expect(versionIn(inventory, 'alertmanager')).toBe(NEWEST.alertmanager)
  })

  test('goes back whole, by its run, with the data from before', async () => {
    const ended = await rollback('--run', rolled, '--restore-data')
    expect(ended.code, told(ended)).toBe(0)
    console.log(JSON.stringify(reportOf(ended).alerts))
    expect(reportOf(ended).alerts).toMatchObject({ lost: 0, duplicated: 0, silenced: { notified: 0 } })
    expect(interruptions(ended.events).map((hosts) => hosts.length)).toEqual([1, 1, 1, 1])
    expect(new Set(Object.values(await running()))).toEqual(new Set(Object.values(MIDDLE)))
    expect([versionIn(inventory, 'prometheus'), versionIn(inventory, 'alertmanager')]).toEqual(Object.values(MIDDLE))
    expect(await vestal(['plan', '-i', inventory, '--exit-code'])).toMatchObject({ code: 0 })
    expect(JSON.stringify(labNotifications(inject('lab').name))).not.toContain(SILENCED)
  })
})

const versionWords = ({ prometheus, alertmanager }: typeof OLDEST): readonly string[] => [
  '--prometheus',
  prometheus,
  '--alertmanager',
  alertmanager,
]

const silence = async (): Promise<void> => {
  const answer = await fetch(`http://${ADDRESSES['am-1']}:9093/api/v2/silences`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      matchers: [{ name: 'alertname', value: SILENCED, isRegex: false, isEqual: true }],
      startsAt: new Date().toISOString(),
      endsAt: new Date(Date.now() + 6 * 3_600_000).toISOString(),
      createdBy: 'test',
      comment: SILENCED,
    }),
  })
  expect(answer.status).toBe(200)
  const everywhere = async () =>
    Promise.all(
      ALERTMANAGERS.map(async (member) => (await ask<readonly unknown[]>(member, 9093, '/api/v2/silences')).length),
    )
  await vi.waitFor(async () => expect(await everywhere()).toEqual([1, 1, 1]), { timeout: 60_000, interval: 500 })
}
