import { type ActiveTarget, alertsOf, seriesOfQuery, targetsOf } from '../../lib/api/prometheus.ts'
import { milliseconds } from '../../lib/duration.ts'
import { HostError } from '../../lib/errors.ts'
import type { Duration, Gate, Host, Inventory, Reach } from '../../lib/model.ts'
import { endpointOf } from '../../lib/program/web.ts'
import type { Meant } from '../../lib/sharding/exactly-once.ts'
import type { Move } from '../../lib/sharding/table.ts'
import { counted, listed } from '../../lib/wording.ts'
import { prometheus } from '../../roles/prometheus/role.ts'
import { replicasOf, shardOf } from '../../roles/prometheus/shards.ts'
import { meantBy, requireSharding } from './verify.ts'

/** So many scrapes say that a server really scrapes a target: it then has two intervals of it. */
const SCRAPES = 3

/**
 * The new shard's server was seen to scrape each target that moves to it three times, up or not. Which these are the old shard says; where none of its
 * replicas answers, the new one's own discovery does. It waits as long as scrapes go on coming.
 */
export const scrapesWhatMoves = (inventory: Inventory, host: Host): Gate => {
  const meant = meantBy(inventory, requireSharding(inventory))
  const moves = movesOf(inventory).filter(({ to }) => String(to) === shardOf(host, inventory))
  const seen = new Map<string, Set<string>>()
  return {
    name: `Prometheus has scraped every target that moves to it ${SCRAPES} times`,
    host: host.name,
    within: patience(inventory),
    async ask(reach) {
      const own = (await activeOf(reach, host)).filter((one) => isMoved(one, moves, meant))
      const mine = new Map(own.map((one) => [keyOf(one), one]))
      const others = await Promise.all(moves.map((move) => fromOld(reach, inventory, move, meant)))
      const wanted = new Set([...mine.keys(), ...others.flatMap((some) => (some ?? []).map(keyOf))])
      for (const [key, { lastScrape }] of mine) {
        const times = seen.get(key) ?? new Set<string>()
        if (Date.parse(lastScrape) > 0) times.add(lastScrape)
        seen.set(key, times)
      }
      const scrapesOf = (key: string): number => Math.min(SCRAPES, seen.get(key)?.size ?? 0)
      const missing = [...wanted].filter((key) => !mine.has(key))
      const waiting = [...mine.keys()].filter((key) => scrapesOf(key) < SCRAPES)
      if (missing.length === 0 && waiting.length === 0) {
        const unknown = others.some((one) => one === null)
        const detail = counted(wanted.size, 'target')
        return { pass: true, detail: unknown ? `${detail}, by its own discovery: an old shard is silent` : detail }
      }
      const scrapes = [...wanted].reduce((sum, key) => sum + scrapesOf(key), 0)
      const progress = `${scrapes} of ${counted(wanted.size * SCRAPES, 'scrape')}`
      return missing.length > 0
        ? { pass: false, why: `does not scrape yet: ${listed(missing.map(nameOf))}`, progress }
        : { pass: false, why: `not yet scraped ${SCRAPES} times: ${listed(waiting.map(nameOf))}`, progress }
    },
  }
}

/** The old shard's server scrapes what moves away from it by jobs for that alone, which it can lose as a whole. */
export const setsApart = (inventory: Inventory, host: Host): Gate => {
  const meant = meantBy(inventory, requireSharding(inventory))
  const moves = movesOf(inventory).filter(({ from }) => String(from) === shardOf(host, inventory))
  return {
    name: 'Prometheus has set apart every target that moves away',
    host: host.name,
    within: '60s',
    async ask(reach) {
      const among = (await activeOf(reach, host)).filter((one) => !one.leaving && isMoved(one, moves, meant))
      return among.length === 0
        ? { pass: true }
        : { pass: false, why: `still among what stays: ${listed(among.map((one) => one.scrapeUrl))}` }
    },
  }
}

/**
 * The new shard's server has samples of each target that moves to it from as long ago, so that a rate over that time is whole there when the old shard
 * lets go. Those that are younger are not waited for longer than that.
 */
export const goesBack = (inventory: Inventory, host: Host, overlapMs: number): Gate => {
  const meant = meantBy(inventory, requireSharding(inventory))
  const moves = movesOf(inventory).filter(({ to }) => String(to) === shardOf(host, inventory))
  const overlap = `${Math.ceil(overlapMs / 1_000)}s`
  let begun: number | undefined
  return {
    name: `Prometheus has scraped what moves to it for ${overlap}`,
    host: host.name,
    within: '60s',
    async ask(reach) {
      begun ??= Date.now()
      const waited = Date.now() - begun
      if (waited >= overlapMs) return { pass: true }
      const [active, before] = await Promise.all([
        activeOf(reach, host),
        seriesOfQuery(reach, endpointOf(host, prometheus.varsOf(host)), `up offset ${overlap}`),
      ])
      const known = new Set(before.map(sourceOf))
      const young = active.filter((one) => isMoved(one, moves, meant) && !known.has(sourceOf(one.labels)))
      if (young.length === 0) return { pass: true }
      const progress = `${Math.floor(waited / 1_000)} s`
      return { pass: false, why: `${counted(young.length, 'target')} not scraped for so long yet`, progress }
    },
  }
}

/**
 * Every alert that fires on an old shard and is pending on the new one fires there too, so that it does not begin anew when the old one lets go; and so
 * does every alert of a target that moves which the new one doesn't know, as its rule looks further back than it has samples. It says yes after
 * `atMostMs` all the same, and which ones are not due yet.
 */
export const firesWhatMoves = (inventory: Inventory, host: Host, atMostMs: number): Gate => {
  const meant = meantBy(inventory, requireSharding(inventory))
  const moves = movesOf(inventory).filter(({ to }) => String(to) === shardOf(host, inventory))
  const from = new Set(moves.map((move) => String(move.from)))
  let begun: number | undefined
  return {
    name: 'Alerts that fire on the old shard fire on the new one',
    host: host.name,
    within: `${atMostMs + 60_000}ms`,
    async ask(reach) {
      begun ??= Date.now()
      const [mine, targets, ...old] = await Promise.all([
        alertsOn(reach, host),
        activeOf(reach, host),
        ...[...from].map((shard) => alertsOfShard(reach, inventory, shard)),
      ])
      const stateHere = new Map(mine.map((one) => [alertKey(one), one.state]))
      const moved = new Set(targets.filter((one) => isMoved(one, moves, meant)).map(({ labels }) => sourceOf(labels)))
      const isDue = (one: Alert): boolean => {
        const state = stateHere.get(alertKey(one))
        return state === undefined ? !moved.has(sourceOf(one.labels)) : state !== 'pending'
      }
      const waiting = old.flat().filter((one) => one.state === 'firing' && !isDue(one))
      if (waiting.length === 0) return { pass: true }
      const names = listed([...new Set(waiting.map(({ labels }) => labels.alertname ?? ''))])
      const what = `${counted(waiting.length, 'alert')} not due yet: ${names}`
      return Date.now() - begun >= atMostMs
        ? { pass: true, detail: `${what}; they begin anew` }
        : { pass: false, why: what }
    },
  }
}

/** The old shard's server scrapes nothing any more that has moved away from it. */
export const hasLetGo = (inventory: Inventory, host: Host): Gate => {
  const meant = meantBy(inventory, requireSharding(inventory))
  const moves = movesOf(inventory).filter(
    ({ from, state }) => String(from) === shardOf(host, inventory) && state === 'seen',
  )
  return {
    name: 'Prometheus has let go of every target that moved away',
    host: host.name,
    within: '60s',
    async ask(reach) {
      const held = (await activeOf(reach, host)).filter((one) => isMoved(one, moves, meant))
      return held.length === 0
        ? { pass: true }
        : { pass: false, why: `still scrapes ${listed(held.map((one) => one.scrapeUrl))}` }
    },
  }
}

export const movesOf = (inventory: Inventory): readonly Move[] => requireSharding(inventory).table?.moving ?? []

/** Discovery after a reload, and some scrapes; it begins anew with every scrape that is seen. */
const patience = (inventory: Inventory): Duration => {
  const intervals = [...replicasOf(inventory).values()].flat().flatMap((host) => {
    const { scrape_interval, scrape_configs, targets } = prometheus.varsOf(host)
    const own = [...scrape_configs, ...Object.values(targets).map((one) => one?.config ?? {})]
    return [scrape_interval, ...own.map((config) => Reflect.get(config, 'scrape_interval'))]
  })
  const known = intervals.filter((one) => typeof one === 'string' && /^\d+(ms|s|m|h|d)$/.test(one)) as Duration[]
  return `${Math.max(...known.map(milliseconds)) * 2 + 30_000}ms`
}

type Alert = Awaited<ReturnType<typeof alertsOf>>[number]

const alertsOn = (reach: Reach, host: Host): Promise<readonly Alert[]> =>
  alertsOf(reach, endpointOf(host, prometheus.varsOf(host)))

/** The alerts of a shard by the first of its replicas that answers. */
const alertsOfShard = async (reach: Reach, inventory: Inventory, shard: string): Promise<readonly Alert[]> => {
  for (const host of replicasOf(inventory).get(shard) ?? [])
    try {
      return await alertsOn(reach, host)
    } catch (error) {
      if (!(error instanceof HostError)) throw error
    }
  return []
}

/** The target that an alert is of. */
const sourceOf = ({ job, instance }: Readonly<Record<string, string>>): string => JSON.stringify([job, instance])

const alertKey = ({ labels }: Alert): string => JSON.stringify(Object.entries(labels).sort())

const activeOf = (reach: Reach, host: Host): Promise<readonly ActiveTarget[]> =>
  targetsOf(reach, endpointOf(host, prometheus.varsOf(host)))

/** The targets of a move as the first replica of the old shard that answers scrapes them; null where none does. */
const fromOld = async (
  reach: Reach,
  inventory: Inventory,
  move: Move,
  meant: Meant,
): Promise<readonly ActiveTarget[] | null> => {
  for (const host of replicasOf(inventory).get(String(move.from)) ?? [])
    try {
      return (await activeOf(reach, host)).filter((one) => isMoved(one, [move], meant))
    } catch (error) {
      if (!(error instanceof HostError)) throw error
    }
  return null
}

const isMoved = ({ scrapePool, discoveredLabels }: ActiveTarget, moves: readonly Move[], meant: Meant): boolean => {
  const place = meant.place(scrapePool, discoveredLabels)
  return typeof place === 'number' && moves.some(({ buckets }) => buckets.includes(place))
}

const keyOf = ({ scrapePool, scrapeUrl, labels }: ActiveTarget): string =>
  JSON.stringify([scrapePool, scrapeUrl, Object.entries(labels).sort()])
const nameOf = (key: string): string => (JSON.parse(key) as readonly string[])[1] ?? ''
