/** Whether every target of a fleet is scraped by exactly one shard, and there by each of its replicas: worked out of what the servers say. Pure. */

import type { Duration } from '../model.ts'
import { counted, listed } from '../wording.ts'
import type { Place } from './scrape.ts'

type Labels = Readonly<Record<string, string>>

/** What one server has discovered. */
export interface ServerTargets {
  readonly host: string
  readonly shard: string
  readonly active: readonly {
    readonly scrapePool: string
    readonly scrapeUrl: string
    readonly scrapeInterval?: Duration
    readonly health?: string
    readonly labels: Labels
    readonly discoveredLabels: Labels
  }[]
  /** Those of its dropped targets that it remembers. */
  readonly dropped: readonly { readonly discoveredLabels: Labels }[]
  /** How many it has dropped, by job; null where it remembers all. */
  readonly counts: Readonly<Record<string, number>> | null
}
/** How targets are meant to be spread. */
export interface Meant {
  /** Where a discovered target of a job goes; null where that can't be worked out. */
  place(job: string, discovered: Labels): Place | null
  /** The shards that may scrape a bucket now: one, or two while it moves, of which one at least does so with all replicas. */
  shards(bucket: number): readonly string[]
  /** Whether a job's own relabelling drops targets. */
  dropsItself(job: string): boolean
}
/** What is not as it must be. */
export interface Deviation {
  readonly job: string
  /** The target as it is scraped, or its address; '' where it is about a whole job. */
  readonly target: string
  readonly what: string
}
export interface ExactlyOnce {
  /** How many different targets are scraped. */
  readonly targets: number
  /** How many of them by each shard; one that moves is counted with both. */
  readonly perShard: Readonly<Record<string, number>>
  /** How many targets are on their way from one shard to another. */
  readonly moving: number
  readonly deviations: readonly Deviation[]
}

/** Compares what servers scrape with what is meant. Each server is asked once, so a target that comes or goes meanwhile is a deviation. */
export const exactlyOnce = (servers: readonly ServerTargets[], meant: Meant): ExactlyOnce => {
  const replicas = Map.groupBy(servers, ({ shard }) => shard)
  const scraped = scrapedIn(servers)
  const deviations = [...scraped.values()].flatMap((target) => deviationsOf(target, { replicas, meant }))
  const perShard = Object.fromEntries(
    [...replicas.keys()].map((shard) => [
      shard,
      [...scraped.values()].filter(({ hosts }) => [...hosts.values()].includes(shard)).length,
    ]),
  )
  return {
    targets: scraped.size,
    perShard,
    moving: [...scraped.values()].filter((target) => wantedOf(target, meant).length > 1).length,
    deviations: [...deviations, ...unscraped(servers, scraped, meant)],
  }
}

interface Scraped {
  readonly job: string
  readonly url: string
  readonly discovered: Labels
  /** The shard of each host that scrapes it. */
  readonly hosts: Map<string, string>
}

const scrapedIn = (servers: readonly ServerTargets[]): ReadonlyMap<string, Scraped> => {
  const found = new Map<string, Scraped>()
  for (const { host, shard, active } of servers)
    for (const { scrapePool: job, scrapeUrl: url, labels, discoveredLabels: discovered } of active) {
      const key = JSON.stringify([job, url, sorted(labels)])
      const one = found.get(key) ?? { job, url, discovered, hosts: new Map<string, string>() }
      one.hosts.set(host, shard)
      found.set(key, one)
    }
  return found
}

interface Around {
  readonly replicas: ReadonlyMap<string, readonly ServerTargets[]>
  readonly meant: Meant
}

const deviationsOf = (target: Scraped, { replicas, meant }: Around): readonly Deviation[] => {
  const { job, url, hosts } = target
  const blame = (what: string): Deviation => ({ job, target: url, what })
  const place = meant.place(job, target.discovered)
  if (place === 'everywhere') return missingReplicas(target, replicas, new Set(hosts.values())).map(blame)
  const scraping = [...new Set(hosts.values())].sort()
  const wanted = typeof place === 'number' ? meant.shards(place) : undefined
  const whole = scraping.some((shard) => (replicas.get(shard) ?? []).every(({ host }) => hosts.has(host)))
  const onTheWay = wanted !== undefined && wanted.length > 1 && whole
  return [
    ...(scraping.length > (wanted?.length ?? 1)
      ? [blame(`is scraped by ${counted(scraping.length, 'shard')}: ${scraping.join(', ')}`)]
      : []),
    ...(wanted && !scraping.some((shard) => wanted.includes(shard))
      ? [blame(`is scraped by shard ${scraping.join(', ')}, and is shard ${wanted.join(' or ')}’s`)]
      : []),
    ...(onTheWay ? [] : missingReplicas(target, replicas, new Set(scraping)).map(blame)),
  ]
}

const wantedOf = ({ job, discovered }: Scraped, meant: Meant): readonly string[] => {
  const place = meant.place(job, discovered)
  return typeof place === 'number' ? meant.shards(place) : []
}

/** Replicas that do not scrape what another of their shard does. */
const missingReplicas = (
  { hosts }: Scraped,
  replicas: Around['replicas'],
  shards: ReadonlySet<string>,
): readonly string[] =>
  [...shards].flatMap((shard) => {
    const without = (replicas.get(shard) ?? []).filter(({ host }) => !hosts.has(host)).map(({ host }) => host)
    return without.length > 0 ? [`is not scraped by ${listed(without)}, a replica of shard ${shard}`] : []
  })

/** Targets that every server drops, though nothing but the shards' own steps would. */
const unscraped = (
  servers: readonly ServerTargets[],
  scraped: ReadonlyMap<string, Scraped>,
  meant: Meant,
): readonly Deviation[] => {
  const known = new Set(
    servers.flatMap(({ active }) => active.map((one) => identity(one.scrapePool, one.discoveredLabels))),
  )
  const jobs = new Set(
    servers.flatMap(({ active, dropped, counts }) => [
      ...active.map(({ scrapePool }) => scrapePool),
      ...dropped.map(({ discoveredLabels }) => jobOf(discoveredLabels)),
      ...Object.keys(counts ?? {}),
    ]),
  )
  const lost = new Map<string, Deviation>()
  for (const { discoveredLabels } of servers.flatMap(({ dropped }) => dropped)) {
    const job = jobOf(discoveredLabels)
    const key = identity(job, discoveredLabels)
    const place = known.has(key) || lost.has(key) ? 'nowhere' : meant.place(job, discoveredLabels)
    if (place !== 'nowhere')
      lost.set(key, { job, target: discoveredLabels.__address__ ?? '', what: 'is scraped by no shard' })
  }
  const forgotten = [...jobs].flatMap((job) => forgottenOf(job, servers, { scraped, meant, lost }))
  return [...lost.values(), ...forgotten]
}

/** Of dropped targets that servers don't remember only their number says whether one is missing: each server discovers all. */
const forgottenOf = (
  job: string,
  servers: readonly ServerTargets[],
  {
    scraped,
    meant,
    lost,
  }: {
    readonly scraped: ReadonlyMap<string, Scraped>
    readonly meant: Meant
    readonly lost: ReadonlyMap<string, Deviation>
  },
): readonly Deviation[] => {
  const mine = [...scraped.values()].filter((one) => one.job === job)
  if (mine.some((one) => meant.place(job, one.discovered) === 'everywhere')) return []
  const counts = servers.map(({ host, active, dropped, counts: said }) => {
    const remembered = dropped.filter(({ discoveredLabels }) => jobOf(discoveredLabels) === job).length
    const all = said?.[job] ?? remembered
    const own = active.filter(({ scrapePool }) => scrapePool === job).length
    return { host, discovered: own + all, complete: all <= remembered }
  })
  if (counts.some(({ complete }) => complete)) return []
  const blame = (what: string): Deviation => ({ job, target: '', what })
  if (meant.dropsItself(job))
    return [blame('has relabelling that drops targets, and no server remembers which: set keep_dropped_targets to 0')]
  const numbers = new Set(counts.map(({ discovered }) => discovered))
  if (numbers.size > 1)
    return [
      blame(
        `has other targets on other servers (${listed(counts.map(({ host, discovered }) => `${host}: ${discovered}`))}): its discovery differs, or some are the same after relabelling`,
      ),
    ]
  const named = [...lost.values()].filter((one) => one.job === job).length
  const missing = (counts[0]?.discovered ?? 0) - mine.length - named
  return missing > 0 ? [blame(`has ${counted(missing, 'more target')} that no shard scrapes`)] : []
}

/** The job label of a discovered target is its job's name, unless its discovery says otherwise (prometheus `scrape/target.go`, PopulateLabels). */
const jobOf = (discovered: Labels): string => discovered.job ?? ''

/** A discovered target wherever it is seen: without where its file is, which may be another on another server. */
const identity = (job: string, discovered: Labels): string =>
  JSON.stringify([job, sorted(discovered).filter(([name]) => name !== '__meta_filepath')])

const sorted = (labels: Labels): readonly (readonly [string, string])[] =>
  Object.entries(labels).sort(([one], [other]) => (one < other ? -1 : 1))
