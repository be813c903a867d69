/** What people are told, and what they see through the one address, while targets move from three shards to four and back. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { clearNotifications } from '../../../lib/lab/receiver.ts'
import { testLab } from '../lab-setup.ts'
import { ALERTS, type AlarmFleet, alarmFleet, COUNT, told, toldOtherwise } from './alarms.ts'
import { ask, numberOf, on, QUERIES, startAsking, until } from './fleet.ts'

const INTERVAL_S = 5
const RANGE_S = 60
let fleet: AlarmFleet

beforeAll(async () => {
  fleet = await alarmFleet(true)
  await on(['deploy', '-y', '--no-watch-alerts'], 0, fleet.folder)
  await until('all targets are seen', async () => numberOf(await ask(QUERIES, 'count(port)')) === COUNT, 240_000)
})
afterAll(() => fleet[Symbol.asyncDispose]())

const move = (to: number, overlap: string) =>
  on(['shards', 'move', '--to', `${to}`, '-y', '--overlap', overlap, '--no-watch-alerts'], 0, fleet.folder)

test.each([
  [4, [0, 1, 2]],
  [3, [3, 4, 5]],
] as const)(
  'to %i shards: each alert is notified once, no question has a gap, and rates are those of targets that stay',
  async (to, offsets) => {
    const { alarm, exporter, ownerOf, table, part } = fleet
    const [first, second, third] = offsets.map(part) as [readonly string[], readonly string[], readonly string[]]
    if (new Set(table().owners).size === to) await move(to === 4 ? 3 : 4, '0s')
    // Rates are whole once what was before is out of their range.
    await sleep((RANGE_S + 4 * INTERVAL_S) * 1_000)
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
    const moving = move(to, `${RANGE_S + 3 * INTERVAL_S}s`)
    const during = (async () => {
      await until('old shards let go', async () => table().moving.some(({ state }) => state === 'seen'), 300_000)
      const from = Date.now()
      await sleep(5_000)
      alarm(second, true)
      return from
    })()
    const [letGoAt] = await Promise.all([during, moving])
    const [tookMs, letGoForMs] = [Date.now() - since, Date.now() - letGoAt]
    alarm(third, true)
    // Old shards see the end of what moved within that, and would say it every ten seconds.
    await sleep(80_000)
    const asked = await asking.end()
    const fired = [...first, ...second, ...third]
    const longestUnscrapedMs = Math.max(...exporter.targets.map((one) => exporter.longestGap(one, since)))
    const moved = exporter.targets.filter((target) => before.get(target) !== ownerOf(target))
    const wrong = toldOtherwise(fired, { firing: 1, resolved: 0 })
    alarm(fired, false)
    // A replica that has yet to see that an alert is over may say once more that it fires, which is no matter of a move.
    const notOver = () =>
      [...told(fired)].flatMap(([name, { firing, resolved }]) => (resolved !== firing ? [name] : []))
    await until('what is over is notified', async () => notOver().length === 0, 180_000).catch(() => undefined)
    const [over, twice] = [notOver(), toldOtherwise(fired, { firing: 1, resolved: 1 })]
    const seen = await seenSince(since, new Set(moved), [
      letGoAt - 1_000 * INTERVAL_S,
      letGoAt + letGoForMs + 4_000 * INTERVAL_S,
    ])
    console.log(
      `to ${to} shards: ${JSON.stringify({
        moved: moved.length,
        alertsOfMoved: fired.filter((one) => moved.includes(one)).length * ALERTS.length,
        alerts: fired.length * ALERTS.length,
        notifiedOtherwise: wrong.length,
        notOver: over.length,
        overTwice: twice.length,
        tookMs,
        letGoForMs,
        longestUnscrapedMs,
        ...asked,
        ...seen,
      })}`,
    )
    expect(moved.length).toBeGreaterThan(COUNT / 6)
    expect(wrong).toEqual([])
    expect(over).toEqual([])
    expect([asked.failed, asked.partial, Math.max(...asked.numbers), seen.series]).toEqual([0, 0, COUNT, COUNT])
    expect(longestUnscrapedMs).toBeLessThanOrEqual(2_000 * INTERVAL_S)
    // One that was being scraped at the very moment when its old shard let go of it counts as gone there.
    expect(seen.absent.length).toBeLessThanOrEqual(2)
    // Where the copy that is shown goes no further, deduplication passes over two intervals of the others, whatever ended it: mostly while old shards let go.
    for (const off of [seen.off, seen.offAtLetGo])
      expect(off.moved).toBeLessThanOrEqual(off.stay + (3 * INTERVAL_S) / RANGE_S)
    expect(seen.offOfBestCopy.moved).toBeLessThanOrEqual(seen.offOfBestCopy.stay + 0.02)
  },
)

/** How far a rate was off the middle one of those that stay, at most. */
interface Off {
  readonly moved: number
  readonly stay: number
}
interface Seen {
  readonly series: number
  /** Targets that were ever without a value. */
  readonly absent: readonly string[]
  readonly off: Off
  /** Where the range begins or ends while old shards let go, an interval before or four later. */
  readonly offAtLetGo: Off
  /** At any time, where of each target and moment the copy counts that is nearest: there is one server that had it right. */
  readonly offOfBestCopy: Off
}

/** What the one address tells of that time afterwards. */
const seenSince = async (
  since: number,
  moved: ReadonlySet<string>,
  [from, to]: readonly [number, number],
): Promise<Seen> => {
  const [start, end] = [since / 1_000, Date.now() / 1_000]
  const series = (await ask(QUERIES, 'port', { start, end, step: 1 })).data?.result ?? []
  const steps = Math.floor(end - start) + 1
  const atLetGo = (at: number): boolean => [at, at - RANGE_S].some((edge) => edge >= from / 1_000 && edge <= to / 1_000)
  const rates = async (dedup: boolean): Promise<readonly Rate[]> => {
    const answer = await ask(QUERIES, `rate(ticks_total[${RANGE_S}s])`, { start, end, step: 1, dedup: `${dedup}` })
    return (answer.data?.result ?? []).flatMap(({ metric: { instance: target = '' }, values = [] }) =>
      values.map(([at, value]) => ({ target, at, value: Number(value) })),
    )
  }
  const [shown, copies] = [await rates(true), await rates(false)]
  const middle = new Map(
    [
      ...Map.groupBy(
        shown.filter(({ target }) => !moved.has(target)),
        ({ at }) => at,
      ),
    ].map(([at, some]) => [at, median(some.map(({ value }) => value))]),
  )
  const offOf = ({ at, value }: Rate): number => Math.abs(value / (middle.get(at) ?? Number.NaN) - 1)
  const most = (some: readonly Rate[]): Off => {
    const of = (isMoved: boolean): number =>
      some.reduce((high, one) => (moved.has(one.target) === isMoved ? Math.max(high, offOf(one)) : high), 0)
    return { moved: of(true), stay: of(false) }
  }
  const best = [...Map.groupBy(copies, ({ target, at }) => `${target} ${at}`).values()].map((some) =>
    some.reduce((one, other) => (offOf(other) < offOf(one) ? other : one)),
  )
  return {
    series: series.length,
    absent: series.flatMap(({ metric, values = [] }) => (values.length < steps ? [metric.instance ?? ''] : [])),
    off: most(shown.filter(({ at }) => !atLetGo(at))),
    offAtLetGo: most(shown.filter(({ at }) => atLetGo(at))),
    offOfBestCopy: most(best),
  }
}

interface Rate {
  readonly target: string
  readonly at: number
  readonly value: number
}

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? Number.NaN
