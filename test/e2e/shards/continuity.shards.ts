/** What people are told, and what they see through the one address, while targets move from three shards to four and back. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { clearNotifications } from '../../../lib/lab/receiver.ts'
import { testLab } from '../lab-setup.ts'
import { ALERTS, type AlarmFleet, alarmFleet, COUNT, told, toldOtherwise, toldSince } from './alarms.ts'
import { ask, numberOf, on, QUERIES, startAsking, until } from './fleet.ts'

const INTERVAL_S = 5
const RANGE_S = 60
/** So many intervals a rate makes up for at either end of its range (prometheus `promql/functions.go`, extrapolatedRate). */
const EXTRAPOLATED = 1.1
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
      await sleep(5_000)
      alarm(second, true)
    })()
    await Promise.all([during, moving])
    const tookMs = Date.now() - since
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
    const seen = await seenSince(since, new Set(moved))
    const slowed = toldSince(since, 'SlowsDown')
    const slowedOnNew = numberOf(
      await ask(
        QUERIES,
        `count(group by (instance) (last_over_time(ALERTS{alertname="SlowsDown", alertstate="firing"}[${Math.ceil(tookMs / 1_000)}s])))`,
        { time: (since + tookMs) / 1_000, dedup: 'false' },
      ),
    )
    console.log(
      `to ${to} shards: ${JSON.stringify({
        moved: moved.length,
        alertsOfMoved: fired.filter((one) => moved.includes(one)).length * ALERTS.length,
        alerts: fired.length * ALERTS.length,
        notifiedOtherwise: wrong.length,
        notOver: over.length,
        overTwice: twice.length,
        slowed: slowed.length,
        slowedOnNew,
        tookMs,
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
    // What the new shard's rules see a part of, they take for slower; nobody hears of it.
    expect(slowedOnNew).toBeGreaterThan(moved.length / 2)
    expect(slowed).toEqual([])
    expect(seen.highest.moved).toBeLessThanOrEqual(seen.highest.stay + 0.02)
    expect(seen.shown.moved).toBeLessThanOrEqual(seen.shown.stay + 0.02)
    // Where the copy that is shown goes no further, penalty deduplication passes over two intervals of the others, and shows what comes next of these.
    expect(seen.longestGapS).toBeGreaterThan(2 * INTERVAL_S - 1)
    expect(seen.longestGapS).toBeLessThanOrEqual(3 * seen.longestIntervalS + 1)
    // Of a range that begins or ends within, half an interval is made up for.
    expect(seen.atGap.moved).toBeLessThanOrEqual((seen.longestGapS - INTERVAL_S / 2) / RANGE_S + seen.shown.stay + 0.02)
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
  /** At any moment, of all copies the highest: what is asked without deduplication. */
  readonly highest: Off
  /** Deduplicated, where the range neither begins nor ends between two samples that are shown further apart than a rate makes up for. */
  readonly shown: Off
  /** Deduplicated, at all other moments, and how many there are. */
  readonly atGap: Off & { readonly rates: number }
  /** The longest time between two samples of a target that moved, in seconds: of those that deduplication shows, and of one copy. */
  readonly longestGapS: number
  readonly longestIntervalS: number
}

/** What the one address tells of that time afterwards. */
const seenSince = async (since: number, moved: ReadonlySet<string>): Promise<Seen> => {
  const [start, end] = [since / 1_000, Date.now() / 1_000]
  const series = (await ask(QUERIES, 'port', { start, end, step: 1 })).data?.result ?? []
  const steps = Math.floor(end - start) + 1
  const range = `[${RANGE_S}s]`
  const rates = async (query: string, options: Readonly<Record<string, string>> = {}): Promise<readonly Rate[]> =>
    ((await ask(QUERIES, query, { start, end, step: 1, ...options })).data?.result ?? []).flatMap(
      ({ metric: { instance: target = '' }, values = [] }) =>
        values.map(([at, value]) => ({ target, at, value: Number(value) })),
    )
  const [shown, highest] = [
    await rates(`rate(ticks_total${range})`),
    await rates(`max without (replica, shard) (rate(ticks_total${range}))`, { dedup: 'false' }),
  ]
  // The same samples as all these rates are made of: what deduplication shows depends on where it begins.
  const spacesOf = async (dedup: boolean): Promise<readonly Space[]> => {
    const query = `ticks_total[${Math.floor((end - start) * 1_000) + 1_000 * RANGE_S}ms]`
    return ((await ask(QUERIES, query, { time: end, dedup: `${dedup}` })).data?.result ?? []).flatMap(
      ({ metric: { instance: target = '' }, values = [] }) =>
        values.slice(1).map(([to], before) => ({ target, from: values[before]?.[0] ?? to, to })),
    )
  }
  const [spaces, ofCopies] = [await spacesOf(true), await spacesOf(false)]
  const gaps = Map.groupBy(
    spaces.filter(({ from, to }) => to - from > EXTRAPOLATED * INTERVAL_S),
    ({ target }) => target,
  )
  const isAtGap = ({ target, at }: Rate): boolean =>
    (gaps.get(target) ?? []).some(({ from, to }) => [at, at - RANGE_S].some((edge) => edge > from && edge < to))
  const longest = (some: readonly Space[]): number =>
    some.reduce((most, { target, from, to }) => (moved.has(target) ? Math.max(most, to - from) : most), 0)
  const atGap = shown.filter(isAtGap)
  return {
    series: series.length,
    absent: series.flatMap(({ metric, values = [] }) => (values.length < steps ? [metric.instance ?? ''] : [])),
    highest: offMiddle(highest, highest, moved),
    shown: offMiddle(
      shown.filter((one) => !isAtGap(one)),
      shown,
      moved,
    ),
    atGap: { ...offMiddle(atGap, shown, moved), rates: atGap.length },
    longestGapS: longest(spaces),
    longestIntervalS: longest(ofCopies),
  }
}

/** How far some rates are off the middle one that targets which stay have at the same moment, at most. */
const offMiddle = (some: readonly Rate[], all: readonly Rate[], moved: ReadonlySet<string>): Off => {
  const staying = Map.groupBy(
    all.filter(({ target }) => !moved.has(target)),
    ({ at }) => at,
  )
  const middle = new Map([...staying].map(([at, those]) => [at, median(those.map(({ value }) => value))]))
  const most = (isMoved: boolean): number =>
    some
      .filter(({ target }) => moved.has(target) === isMoved)
      .reduce((high, { at, value }) => Math.max(high, Math.abs(value / (middle.get(at) ?? Number.NaN) - 1)), 0)
  return { moved: most(true), stay: most(false) }
}

/** The time between two samples, one after the other. */
interface Space {
  readonly target: string
  readonly from: number
  readonly to: number
}

interface Rate {
  readonly target: string
  readonly at: number
  readonly value: number
}

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? Number.NaN
