/** What people are told, and what they see through the one address, while targets move from three shards to four and back. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { clearNotifications } from '../../../lib/lab/receiver.ts'
import { testLab } from '../lab-setup.ts'
import { ALERTS, type AlarmFleet, alarmFleet, COUNT, toldOtherwise } from './alarms.ts'
import { ask, numberOf, on, QUERIES, startAsking, until } from './fleet.ts'

const STEP_S = 5
let fleet: AlarmFleet

beforeAll(async () => {
  fleet = await alarmFleet(true)
  await on(['deploy', '-y', '--no-watch-alerts'], 0, fleet.folder)
  await until('all targets are seen', async () => numberOf(await ask(QUERIES, 'count(port)')) === COUNT, 240_000)
})
afterAll(() => fleet[Symbol.asyncDispose]())

test.each([
  [4, [0, 1, 2]],
  [3, [3, 4, 5]],
] as const)(
  'to %i shards: each alert is notified once, no question has a gap, and rates are those of targets that stay',
  async (to, offsets) => {
    const { alarm, exporter, folder, ownerOf, table, part } = fleet
    const [first, second, third] = offsets.map(part) as [readonly string[], readonly string[], readonly string[]]
    clearNotifications(testLab)
    const before = new Map(exporter.targets.map((target) => [target, ownerOf(target)]))
    alarm(first, true)
    await until(
      'what fires beforehand is notified',
      async () => toldOtherwise(first, { firing: 1, resolved: 0 }).length === 0,
      180_000,
    )
    const since = Date.now()
    const asking = startAsking('count(port)')
    const move = on(['shards', 'move', '--to', String(to), '-y', '--overlap', '75s', '--no-watch-alerts'], 0, folder)
    const during = (async () => {
      await until('old shards let go', async () => table().moving.some(({ state }) => state === 'seen'), 300_000)
      await sleep(5_000)
      alarm(second, true)
    })()
    await Promise.all([move, during])
    const tookMs = Date.now() - since
    alarm(third, true)
    // Old shards see the end of what moved within that, and would say it in each minute.
    await sleep(100_000)
    const asked = await asking.end()
    const fired = [...first, ...second, ...third]
    const moved = exporter.targets.filter((target) => before.get(target) !== ownerOf(target))
    const wrong = toldOtherwise(fired, { firing: 1, resolved: 0 })
    alarm(fired, false)
    await until(
      'what is over is notified',
      async () => toldOtherwise(fired, { firing: 1, resolved: 1 }).length === 0,
      180_000,
    ).catch(() => undefined)
    const over = toldOtherwise(fired, { firing: 1, resolved: 1 })
    const seen = await seenSince(since, Date.now(), new Set(moved))
    console.log(
      `to ${to} shards: ${JSON.stringify({
        moved: moved.length,
        alertsOfMoved: fired.filter((one) => moved.includes(one)).length * ALERTS.length,
        alerts: fired.length * ALERTS.length,
        notifiedOtherwise: wrong.length,
        notOver: over.length,
        tookMs,
        longestUnscrapedMs: Math.max(...exporter.targets.map((one) => exporter.longestGap(one, since))),
        ...asked,
        ...seen,
      })}`,
    )
    expect(moved.length).toBeGreaterThan(100)
    expect(wrong).toEqual([])
    expect(over).toEqual([])
    expect([asked.failed, Math.max(...asked.numbers), seen.series]).toEqual([0, COUNT, COUNT])
    // A target that was being scraped at the very moment when its old shard let go is absent, and a busy machine misses scrapes of any.
    expect(seen.absentOfMoved).toBeLessThanOrEqual(seen.absentOfStaying + 8)
    expect(seen.bestCopyOfMoved).toBeLessThanOrEqual(seen.bestCopyOfStaying + 0.02)
    // Where the copy that is shown goes no further, deduplication passes over two intervals of the others, whatever ended it.
    expect(seen.offOfMoved).toBeLessThanOrEqual(seen.offOfStaying + (3 * STEP_S) / 60)
  },
)

interface Seen {
  readonly series: number
  /** How many were ever absent, in percent: of targets that moved, and of those that stay. */
  readonly absentOfMoved: number
  readonly absentOfStaying: number
  /** How far a rate was off the middle one of those that stay, at most: of targets that moved, and of those that stay. */
  readonly offOfMoved: number
  readonly offOfStaying: number
  /** The same, where of each target and moment the copy that is nearest counts: there is one server that had it right. */
  readonly bestCopyOfMoved: number
  readonly bestCopyOfStaying: number
}

/** What the one address tells of that time afterwards. */
const seenSince = async (since: number, until: number, moved: ReadonlySet<string>): Promise<Seen> => {
  const range = { start: since / 1_000, end: until / 1_000 }
  const series = (await ask(QUERIES, 'port', { ...range, step: 1 })).data?.result ?? []
  const steps = Math.floor((until - since) / 1_000) + 1
  const absent = (ofMoved: boolean): number => {
    const some = series.filter(({ metric }) => moved.has(metric.instance ?? '') === ofMoved)
    return (100 * some.filter(({ values = [] }) => values.length < steps).length) / some.length
  }
  const middle = new Map<number, number>()
  /** By target and moment, how far the nearest copy is off. */
  const offs = async (dedup: boolean): Promise<ReadonlyMap<string, number>> => {
    const answer = await ask(QUERIES, 'rate(ticks_total[1m])', { ...range, step: STEP_S, dedup: `${dedup}` })
    const all = (answer.data?.result ?? []).map(({ metric, values = [] }) => ({
      target: metric.instance ?? '',
      values,
    }))
    const stay = all.filter(({ target }) => !moved.has(target)).flatMap(({ values }) => values)
    if (dedup)
      for (const [at, some] of Map.groupBy(stay, ([at]) => at))
        middle.set(at, median(some.map(([, one]) => Number(one))))
    const found = new Map<string, number>()
    for (const { target, values } of all)
      for (const [at, value] of values) {
        const off = Math.abs(Number(value) / (middle.get(at) ?? Number.NaN) - 1)
        found.set(`${target} ${at}`, Math.min(off, found.get(`${target} ${at}`) ?? off))
      }
    return found
  }
  const most = (all: ReadonlyMap<string, number>, ofMoved: boolean): number =>
    Math.max(...[...all].flatMap(([key, off]) => (moved.has(key.split(' ')[0] ?? '') === ofMoved ? [off] : [])))
  const [shown, copies] = [await offs(true), await offs(false)]
  return {
    series: series.length,
    absentOfMoved: absent(true),
    absentOfStaying: absent(false),
    offOfMoved: most(shown, true),
    offOfStaying: most(shown, false),
    bestCopyOfMoved: most(copies, true),
    bestCopyOfStaying: most(copies, false),
  }
}

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? Number.NaN
