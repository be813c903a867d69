/**
 * A machine is lost for good at each point of a move from three shards to four. The run stops and says which, `status` and `shards verify` tell the truth,
 * the move goes on or back, every target is scraped throughout, and every alert is notified.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RunEvent } from '../../../lib/engine/events.ts'
import { powerLoss, powerOn } from '../../../lib/lab/faults.ts'
import { clearNotifications } from '../../../lib/lab/receiver.ts'
import { testLab } from '../lab-setup.ts'
import { type Ended, startVestal } from '../vestal.ts'
import { type AlarmFleet, alarmFleet, told, toldOtherwise } from './alarms.ts'
import { on, until } from './fleet.ts'

const INTERVAL_MS = 5_000
const MACHINES: Readonly<Record<string, string>> = {
  'prom-0a': 'lab-1',
  'prom-2b': 'lab-6',
  'prom-3a': 'lab-9',
  'prom-3b': 'lab-10',
}
let fleet: AlarmFleet
const FILES = ['hosts.yml', 'shards.yml']
let before: readonly string[]
const path = (name: string): string => join(fleet.folder, name)

beforeAll(async () => {
  fleet = await alarmFleet(false)
  before = FILES.map((name) => readFileSync(path(name), 'utf8'))
})
afterAll(() => fleet[Symbol.asyncDispose]())

/** All as it was: every machine, three shards, and no alert. */
const asItWas = async (): Promise<void> => {
  for (const machine of Object.values(MACHINES)) await powerOn(machine, testLab)
  for (const [at, name] of FILES.entries()) writeFileSync(path(name), before[at] ?? '')
  fleet.alarm(fleet.exporter.targets, false)
  await on(['deploy', '-y', '--no-watch-alerts'], 0, fleet.folder)
  await on(['shards', 'verify', '--within', '1m'], 0, fleet.folder)
}

type When = (event: RunEvent) => boolean
const scraping: When = (event) =>
  event.event === 'gate' && event.play === 'Every target that moves is scraped by its new shard'
const lettingGo: When = (event) => event.event === 'batch-started' && event.play === 'Old shards let go'

/** `state` is how far the table then is; without, the move is over. */
const POINTS = [
  { what: 'one of the new shard, before anything moves', lost: 'prom-3b', when: null, state: 'scraping', undo: true },
  { what: 'one of the new shard, while both scrape', lost: 'prom-3a', when: scraping, state: 'scraping', undo: true },
  { what: 'one of an old shard, while both scrape', lost: 'prom-2b', when: scraping, state: 'seen', undo: false },
  { what: 'one of an old shard, while it lets go', lost: 'prom-0a', when: lettingGo, state: 'seen', undo: true },
  {
    what: 'one of the new shard, while old ones let go',
    lost: 'prom-3b',
    when: lettingGo,
    state: undefined,
    undo: false,
  },
] as const

test.each(POINTS)('$what', async ({ what, lost, when, state, undo }) => {
  await asItWas()
  clearNotifications(testLab)
  const { alarm, exporter, folder, table } = fleet
  const at = 3 * POINTS.findIndex((one) => one.what === what)
  const [first, second, third] = [at, at + 1, at + 2].map(fleet.part) as [
    readonly string[],
    readonly string[],
    readonly string[],
  ]
  alarm(first, true)
  await until('what fires beforehand is notified', async () => unheard(first).length === 0, 120_000)
  const since = Date.now()
  const ended = await moveAndLose(lost, when)
  const stopped = { code: ended.code, tookMs: Date.now() - since, state: table().moving[0]?.state }
  const said = saidOf(ended, lost)
  const status = JSON.parse((await on(['status', '--json'], 1, folder)).stdout)
  const verify = JSON.parse((await on(['shards', 'verify', '--json'], 1, folder)).stdout)
  alarm(second, true)
  if (undo) await on(['shards', 'move', '--undo', '-y', '--overlap', '0s', '--no-watch-alerts'], 1, folder)
  await on(['remove-node', lost, '--dead', '-y', '--no-watch-alerts'], 0, folder)
  if (state !== undefined) await on(['shards', 'move', '-y', '--overlap', '0s', '--no-watch-alerts'], 0, folder)
  alarm(third, true)
  const fired = [...first, ...second, ...third]
  await until('what fires afterwards is notified', async () => unheard(fired).length === 0, 120_000)
  // For what comes late.
  await sleep(30_000)
  const otherwise = toldOtherwise(fired, { firing: 1, resolved: 0 })
  const longestGapMs = Math.max(...exporter.targets.map((one) => exporter.longestGap(one, since)))
  console.log(
    `${what}: ${JSON.stringify({ ...stopped, said, alerts: told(fired).size, lost: unheard(fired).length, notifiedOtherwise: otherwise.length, first: otherwise[0], longestGapMs })}`,
  )
  expect([stopped.code, stopped.state]).toEqual([1, state])
  expect(said.length).toBeGreaterThan(0)
  expect(JSON.stringify(status)).toContain(lost)
  expect(status.healthy).toBe(false)
  expect(JSON.stringify(verify.silent)).toContain(lost)
  expect(table()).toMatchObject({ moving: [] })
  expect(new Set(table().owners).size).toBe(undo ? 3 : 4)
  expect(JSON.parse((await on(['shards', 'verify', '--json', '--within', '1m'], 0, folder)).stdout).exactlyOnce).toBe(
    true,
  )
  expect(unheard(fired)).toEqual([])
  expect(longestGapMs).toBeLessThanOrEqual(2 * INTERVAL_MS)
})

/** The alerts of these targets that nobody was notified of. */
const unheard = (targets: readonly string[]): readonly string[] =>
  [...told(targets)].flatMap(([name, { firing }]) => (firing === 0 ? [name] : []))

/** Begins the move, takes the machine's power away at that moment, or before, and lets the move end by itself. */
const moveAndLose = async (lost: string, when: When | null): Promise<Ended> => {
  const power = (): Promise<void> => powerLoss(MACHINES[lost] ?? '', testLab)
  if (!when) await power()
  let gone: Promise<void> | undefined
  const { ended } = startVestal(
    ['shards', 'move', '--to', '4', '-y', '--overlap', '0s', '--json', '--no-watch-alerts', '-i', fleet.folder],
    {
      onEvent: (event) => {
        if (when?.(event)) gone ??= power()
      },
    },
  )
  const result = await ended
  await gone
  expect([when === null, gone !== undefined]).toContain(true)
  return result
}

/** What the run said of the machine that was lost; its last word is whether each target has its shard. */
const saidOf = ({ events, stdout }: Ended, lost: string): readonly string[] => [
  ...new Set([
    ...events.flatMap((event) => {
      if (event.event === 'host-failed' && event.host === lost) return [`${event.host}: ${event.why}`]
      if (event.event === 'gate' && event.last && !event.verdict.pass && event.host === lost)
        return [`${event.host}: ${event.name}: ${event.verdict.why}`]
      return event.event === 'run-ended' ? (event.report.stops ?? []).filter((stop) => stop.includes(lost)) : []
    }),
    ...stdout.split('\n').filter((line) => line.includes('"silent"') && line.includes(lost)),
  ]),
]
