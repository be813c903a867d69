import { countsOfQuery } from '../../lib/api/prometheus.ts'
import { milliseconds } from '../../lib/duration.ts'
import { HostError } from '../../lib/errors.ts'
import type { Host, Inventory, Reach } from '../../lib/model.ts'
import { endpointOf } from '../../lib/program/web.ts'
import type { MeasuredTarget } from '../../lib/sharding/plan.ts'
import { hashedLabels } from '../../lib/sharding/scrape.ts'
import { prometheus } from '../../roles/prometheus/role.ts'
import { replicasOf, scrapesNothing } from '../../roles/prometheus/shards.ts'
import { relabellingIn, serversOf, type Verified } from './verify.ts'

/** What the targets of a fleet bring, as its servers say. */
export interface FleetMeasured {
  readonly targets: readonly MeasuredTarget[]
  /** How many of them gave no sample in that time and count as the middle one of their job. */
  readonly unmeasured: number
  /** Replicas that did not say, while another one of their shard did. */
  readonly silent: Verified['silent']
}

/**
 * The series that the last scrapes of each target gave at most, after its job's metric_relabel_configs; one that is down for a moment counts as it was
 * before. Each server writes it down with every scrape (prometheus `scrape/scrape.go`, report).
 */
const SERIES = 'max_over_time(scrape_samples_post_metric_relabeling[10m])'

/** What it writes down of each target besides: `up`, `scrape_duration_seconds`, `scrape_series_added` and two numbers of samples (same file). */
const OWN_SERIES = 5

type Labels = Readonly<Record<string, string>>

/**
 * What each target brings, by the greatest that a server says of it. A target whose job's relabelling can't be followed here is left out, as its place
 * can't be told. Throws HostError where no replica of a shard answers: what it scrapes would count as nothing.
 */
export const measureFleet = async (inventory: Inventory, reach: Reach): Promise<FleetMeasured> => {
  const [{ servers, silent }, counts] = await Promise.all([serversOf(inventory, reach), countsOf(inventory, reach)])
  const mute = [...silent, ...counts.silent]
  for (const [shard, hosts] of replicasOf(inventory)) {
    const answered = hosts.some((host) => !mute.some((one) => one.host === host.name))
    const [first] = hosts
    if (first && !answered && !scrapesNothing(first, inventory))
      throw new HostError(
        first.name,
        `no replica of shard ${shard} says what its targets bring: ${mute.find(({ host }) => host === first.name)?.why}`,
        { hint: 'vestal status shows what is wrong with them.' },
      )
  }
  const { ownSteps, dotAll } = relabellingIn(inventory)
  const found = new Map<string, Found>()
  for (const { host, active } of servers) {
    const series = counts.byHost.get(host)
    if (!series) continue
    for (const { scrapePool: job, scrapeUrl, labels, discoveredLabels, scrapeInterval, health } of active) {
      const key = JSON.stringify([job, scrapeUrl, keyOf(labels)])
      const hashed = found.get(key)?.labels ?? followed(() => hashedLabels(discoveredLabels, ownSteps(job), dotAll))
      if (!hashed) continue
      const seconds = scrapeInterval ? milliseconds(scrapeInterval) / 1_000 : 60
      const most = Math.max(series.get(keyOf(labels)) ?? 0, found.get(key)?.series ?? 0)
      found.set(key, {
        job,
        name: `${job} ${scrapeUrl}`,
        labels: hashed,
        series: most,
        seconds,
        up: health === 'up' || found.get(key)?.up === true,
      })
    }
  }
  const middle = middleOf([...found.values()])
  return {
    targets: [...found.values()].map((one) => {
      const { job, name, labels, seconds } = one
      const own = OWN_SERIES + (isMeasured(one) ? one.series : (middle.get(job) ?? 0))
      return { name, labels, series: own, samplesPerSecond: own / Math.max(seconds, 0.001) }
    }),
    unmeasured: [...found.values()].filter((one) => !isMeasured(one)).length,
    silent: [...new Map(mute.map((one) => [one.host, one])).values()],
  }
}

interface Found {
  readonly job: string
  readonly name: string
  readonly labels: Labels
  readonly series: number
  readonly seconds: number
  readonly up: boolean
}

/** One that is up and has no samples has none; of one that is down it isn't known. */
const isMeasured = ({ series, up }: Found): boolean => series > 0 || up

const countsOf = async (inventory: Inventory, reach: Reach) => {
  const silent: { host: string; why: string }[] = []
  const byHost = new Map<string, ReadonlyMap<string, number>>()
  const askOne = async (host: Host): Promise<void> => {
    try {
      const counts = await countsOfQuery(reach, endpointOf(host, prometheus.varsOf(host)), SERIES)
      byHost.set(host.name, new Map(counts.map(({ labels, count }) => [keyOf(labels), count])))
    } catch (error) {
      if (!(error instanceof HostError)) throw error
      silent.push({ host: host.name, why: error.message })
    }
  }
  await Promise.all([...replicasOf(inventory).values()].flat().map(askOne))
  return { silent, byHost }
}

const followed = (made: () => Labels | null): Labels | null => {
  try {
    return made()
  } catch {
    return null
  }
}

const middleOf = (targets: readonly Found[]): ReadonlyMap<string, number> =>
  new Map(
    [...Map.groupBy(targets.filter(isMeasured), ({ job }) => job)].map(([job, some]) => {
      const inOrder = some.map(({ series }) => series).sort((one, other) => one - other)
      return [job, inOrder[Math.floor(inOrder.length / 2)] ?? 0]
    }),
  )

const keyOf = (labels: Labels): string =>
  JSON.stringify(Object.entries(labels).sort(([one], [other]) => (one < other ? -1 : 1)))
