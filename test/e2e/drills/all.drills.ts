/** Every scenario that comes with Vestal, held by one command for each fleet, as an operator would: what each came to, and how long all of them took. */
import { writeFileSync } from 'node:fs'
import { afterAll, afterEach, expect, inject, test } from 'vitest'
import { scenarios } from '../../../playbooks/drills/all.ts'
import { bringUpRing, bringUpShards } from '../drill/elsewhere.ts'
import { bringUp, drillInventory, takeDown } from '../drill/fleet.ts'
import { resetHost, vestal } from '../vestal.ts'

const SHARDS = ['shard-lost', 'query-lost', 'gateway-lost']
const RING = ['ring-member-lost', 'ring-two-lost']
/** What is said beside: the log of a new fleet is too short to be read for long, and a roll wants a version. */
const SET = ['series=50000', 'percent=1', 'to=0.28.1'].flatMap((one) => ['--set', one])
const MOST_MS = 45 * 60_000

interface Row {
  readonly scenario: string
  readonly verdict: string
  readonly causes: readonly string[]
  readonly sent: number
  readonly lost: number
  readonly twice: number
  readonly latestBeforeMs: number
  readonly latestSinceMs: number
  /** From its own beginning, of which a part lies within the one before, to its end. */
  readonly ms: number
  /** From the end of the one before. */
  readonly furtherMs: number
}
const rows: Row[] = []
let tookMs = 0

/** Holds them by one command, and expects that each is as it should be and the fleet healthy. */
const heldByOne = async (inventory: string, words: readonly string[], expected: readonly string[]): Promise<void> => {
  const startedAt = Date.now()
  const { code, events, stderr } = await vestal(['drill', ...words, '-i', inventory, '--force', '--json'])
  tookMs += Date.now() - startedAt
  const reports = events.flatMap((event) => (event.event === 'run-ended' ? [event.report] : []))
  let before = startedAt
  for (const { drill, alerts, startedAt: at, ms } of reports) {
    if (!drill) continue
    const endedAt = Date.parse(at) + ms
    const { control, during } = drill.figures
    rows.push({
      scenario: drill.scenario,
      verdict: drill.verdict,
      causes: drill.causes,
      sent: alerts?.sent ?? 0,
      lost: alerts?.lost ?? 0,
      twice: alerts?.duplicated ?? 0,
      latestBeforeMs: control.largestDelayMs,
      latestSinceMs: during.largestDelayMs,
      ms,
      furtherMs: endedAt - before,
    })
    before = endedAt
  }
  const held = reports.map(({ drill, alerts }) => ({
    scenario: drill?.scenario,
    verdict: drill?.verdict,
    lost: alerts?.lost,
    silenced: alerts?.silenced.notified,
    undone: drill?.faults.every(({ undone, beginAt, endAt }) => undone && beginAt && endAt),
  }))
  const verdict = expect.stringMatching(/^(passed|deviated)$/)
  expect({ held, stderr: stderr.split('\n').filter((line) => line !== '' && !line.includes('left out')) }).toEqual({
    held: expected.map((scenario) => ({ scenario, verdict, lost: 0, silenced: 0, undone: true })),
    stderr: [],
  })
  expect(code).toBe(0)
  expect(await vestal(['status', '-i', inventory])).toMatchObject({ code: 0 })
}

afterEach(async () => {
  await Promise.all(inject('lab').hosts.map(({ address }) => resetHost(address)))
})
afterAll(() => {
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
  for (const { scenario, verdict, sent, twice, latestBeforeMs, latestSinceMs, ms, furtherMs, causes } of rows)
    console.log(
      `| ${scenario} | ${verdict} | ${sent} | ${twice} | ${seconds(latestBeforeMs)} | ${seconds(latestSinceMs)} | ${seconds(ms)} | ${seconds(furtherMs)} | ${causes.join('; ')} |`,
    )
  console.log(`all of them: ${seconds(tookMs)}`)
  const { VESTAL_DRILLS_OUT: out } = process.env
  if (out) writeFileSync(out, JSON.stringify({ ms: tookMs, rows }, null, 2))
})

test('on inventory/ha', async () => {
  const inventory = drillInventory()
  await bringUp(inventory)
  try {
    const here = scenarios.map(({ name }) => name).filter((name) => ![...SHARDS, ...RING].includes(name))
    await heldByOne(inventory, ['--all', ...SET], here)
  } finally {
    await takeDown()
  }
})

test('on a fleet of shards with one place to ask', async () => {
  await heldByOne(await bringUpShards(), SHARDS, SHARDS)
})

test('on a ring', async () => {
  await heldByOne(await bringUpRing(), RING, RING)
})

test('in 45 minutes or less', () => {
  expect(rows.map(({ scenario }) => scenario)).toEqual(expect.arrayContaining(scenarios.map(({ name }) => name)))
  expect(tookMs).toBeLessThanOrEqual(MOST_MS)
})
