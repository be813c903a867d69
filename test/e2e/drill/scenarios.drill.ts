/** Every scenario that comes with Vestal, held on a fleet that works: nothing is lost, all is undone, and `status` finds it as it was. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { scenarios } from '../../../playbooks/drills/all.ts'
import { ALERTMANAGERS } from '../deploy/fleet.ts'
import { runs, vestal } from '../vestal.ts'
import { bringUp, drill, drillInventory, drillOf, leftovers, membersSeen, takeDown } from './fleet.ts'

const inventory = drillInventory()
beforeAll(() => bringUp(inventory))
afterAll(takeDown)

/** What is said beside the name. */
const SET: Readonly<Record<string, readonly string[]>> = {
  'wal-replay': ['--set', 'series=50000', '--set', 'percent=1'],
  roll: ['--set', 'to=0.28.1'],
}
/** Those of shards and rings are held in their suites. */
const ELSEWHERE = ['shard-lost', 'query-lost', 'gateway-lost', 'ring-member-lost', 'ring-two-lost']
const here = scenarios.map(({ name }) => name).filter((name) => !ELSEWHERE.includes(name))

test.each(here)('%s: nothing is lost, and all is as it was', async (name) => {
  const ended = await drill(inventory, name, '--force', ...(SET[name] ?? []))
  const { drill: found, alerts, run } = drillOf(ended)
  const { verdict, causes, faults, figures } = found
  console.log(
    `${name}: ${verdict}, ${alerts?.sent} sent, ${alerts?.duplicated} twice, latest ${figures.control.largestDelayMs} and ${figures.during.largestDelayMs} ms, gossip ${figures.gossipHealedMs} ms ${causes.join('; ')}`,
  )
  expect({ verdict, causes }).toEqual({
    verdict: expect.stringMatching(/^(passed|deviated)$/),
    causes: expect.anything(),
  })
  expect(alerts).toMatchObject({ lost: 0, silenced: { notified: 0 } })
  expect(alerts?.sent).toBeGreaterThan(15)
  expect(faults.every(({ undone, beginAt, endAt }) => undone && beginAt && endAt)).toBe(true)
  expect(figures.control.delivered).toBeGreaterThanOrEqual(3)
  expect(await membersSeen(ALERTMANAGERS)).toEqual([3, 3, 3])
  expect(await leftovers()).toEqual([])
  expect(ended.code).toBe(0)
  expect(JSON.parse(readFileSync(join(runs, run, 'report.json'), 'utf8'))).toEqual(drillOf(ended))
})

describe('afterwards', () => {
  test('status finds the fleet healthy, and a plan nothing to do', async () => {
    expect(await vestal(['status', '-i', inventory])).toMatchObject({ code: 0 })
    expect(await vestal(['plan', '-i', inventory, '--exit-code'])).toMatchObject({ code: 0 })
  })

  test('heal finds nothing that was left', async () => {
    const { code, stdout } = await vestal(['drill', 'heal', '-i', inventory])
    expect([code, stdout]).toEqual([0, 'Nothing was left by a drill.\n'])
  })
})

test('several are held by one command, one after the other, each as a run of its own, one that changes the fleet too', async () => {
  const ended = await drill(inventory, 'bad-config', 'receiver-slow', 'scale-prometheus')
  const reports = ended.events.flatMap((event) => (event.event === 'run-ended' ? [event.report] : []))
  expect(
    reports.map(({ drill: one, run }) => [one?.scenario, one?.verdict, run.includes(one?.scenario ?? '?')]),
  ).toEqual([
    ['bad-config', expect.stringMatching(/passed|deviated/), true],
    ['receiver-slow', expect.stringMatching(/passed|deviated/), true],
    ['scale-prometheus', expect.stringMatching(/passed|deviated/), true],
  ])
  // The next is made ready meanwhile, and neither is told before nor broken.
  const told = ended.events.flatMap(({ event }) => (event === 'run-started' || event === 'run-ended' ? [event] : []))
  expect(told).toEqual(Array(3).fill(['run-started', 'run-ended']).flat())
  const times = reports.map(({ drill: one, startedAt, ms }) => ({
    begunAt: Date.parse(one?.faults[0]?.beginAt ?? ''),
    startedAt: Date.parse(startedAt),
    endedAt: Date.parse(startedAt) + ms,
  }))
  for (const [at, { begunAt, startedAt }] of times.slice(1).entries()) {
    expect(startedAt).toBeLessThan(times[at]?.endedAt ?? 0)
    expect(begunAt).toBeGreaterThanOrEqual(times[at]?.endedAt ?? Number.POSITIVE_INFINITY)
  }
  expect(ended.code).toBe(0)
})

test('a drill on a fleet whose last one it would take away is refused before any machine is touched', async () => {
  const { code, stderr } = await drill(inventory, 'restart-alertmanagers')
  expect(code).toBe(2)
  expect(stderr).toContain('it takes away every Alertmanager, the last one too')
})
