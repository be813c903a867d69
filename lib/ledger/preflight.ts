import { setTimeout as sleep } from 'node:timers/promises'
import { receiversOf } from '../api/alertmanager.ts'
import { hasRule, targetsOf } from '../api/prometheus.ts'
import { HostError, LinkError } from '../errors.ts'
import type { Reach } from '../model.ts'
import type { CanaryNames, Entry, TextfileHost, WatchedAlertmanager, WatchedFleet } from './fleet.ts'

/** How many machines hold the metrics: one that restarts must not end every canary. */
const HOLDERS = 2
/** How long a Prometheus that has started takes at most to hand its targets to the scraper (5 s, `discovery/manager.go`), and some more. */
const DISCOVERY_MS = 15_000
const AGAIN_MS = 1_000

/**
 * Asks every Prometheus and Alertmanager whether it knows canary alerts, and returns the ways in, each with the machines whose metrics every
 * Prometheus of it has. Those that do not answer are passed over, as long as one of each does: a machine may be new or gone. Throws HostError where
 * the fleet is not prepared.
 */
export const preflight = async (fleet: WatchedFleet, reach: Reach, names: CanaryNames): Promise<readonly Entry[]> => {
  const { alertmanagers, entries } = fleet
  const prometheus = entries.flatMap((entry) => entry.prometheus)
  const clusters = [...Map.groupBy(alertmanagers, ({ way }) => way).values()]
  const [lacking, rules, seen] = await Promise.all([
    Promise.all(clusters.map((members) => lackingIn(members, reach, names))),
    answers(prometheus, (one) => hasRule(reach, one, names.alert)),
    Promise.all(entries.map((entry) => scrapedByAll(entry, fleet, reach))),
  ])
  for (const { host, why, fix } of lacking.flat()) throw unprepared(host, why, fix)
  for (const [{ host }, known] of rules)
    if (!known) throw unprepared(host.name, 'its Prometheus has no rule for canary alerts')
  return entries.map((entry, at) => {
    const machines = (seen[at] ?? []).slice(0, HOLDERS)
    if (machines.length > 0) return { ...entry, machines }
    const every =
      entry.shard === null ? 'every Prometheus' : `every Prometheus of shard ${entry.shard} for its canaries`
    throw unprepared(entry.prometheus[0]?.host.name ?? '', `no machine with node_exporter is scraped by ${every}`)
  })
}

interface Lacking {
  readonly host: string
  readonly why: string
  readonly fix?: string
}

/** What members of a cluster are not prepared in; one that does not answer is passed over as long as another does. */
const lackingIn = async (
  members: readonly WatchedAlertmanager[],
  reach: Reach,
  { receiver }: CanaryNames,
): Promise<readonly Lacking[]> => {
  const found = await answers(members, async ({ endpoint, unprepared: own }): Promise<Lacking | null> => {
    const { name: host } = endpoint.host
    const lacks = await own?.(reach)
    if (lacks) return { host, ...lacks }
    return (await receiversOf(reach, endpoint)).includes(receiver)
      ? null
      : { host, why: 'its Alertmanager has no receiver for canary alerts' }
  })
  return found.flatMap(([, lacks]) => lacks ?? [])
}

/** The machines that every Prometheus has scraped. One that has just started is given the time for its first scrapes. */
const scrapedByAll = async (
  { prometheus, machines, job }: Entry,
  { pace }: WatchedFleet,
  reach: Reach,
): Promise<readonly TextfileHost[]> => {
  for (const until = Date.now() + DISCOVERY_MS + pace.scrapeMs; ; await sleep(AGAIN_MS)) {
    const targets = await answers(prometheus, (one) => targetsOf(reach, one))
    const seen = machines.filter(({ address }) =>
      targets.every(([, known]) =>
        known.some(
          ({ health, scrapePool, discoveredLabels }) =>
            health === 'up' && discoveredLabels.__address__ === address && (job === undefined || scrapePool === job),
        ),
      ),
    )
    const starting = targets.some(([, known]) => known.length === 0 || known.some(({ health }) => health === 'unknown'))
    if (seen.length > 0 || !starting || Date.now() > until) return seen
  }
}

const answers = async <E, T>(
  asked: readonly E[],
  question: (one: E) => Promise<T>,
): Promise<readonly (readonly [E, T])[]> => {
  const results = await Promise.allSettled(asked.map(async (one) => [one, await question(one)] as const))
  const failures = results.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
  const bug = failures.find((error) => !(error instanceof HostError))
  if (bug) throw bug
  const good = results.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  if (good.length > 0) return good
  throw (
    failures.find((error) => error instanceof LinkError) ?? failures[0] ?? unprepared('', 'there is nothing to watch')
  )
}

const unprepared = (
  host: string,
  why: string,
  fix = 'Deploy first (without --watch-alerts), or run with --no-watch-alerts.',
): HostError =>
  new HostError(host, `this fleet is not prepared for watching alerts: ${why}`, {
    hint: `Nothing that serves was changed. ${fix}`,
  })
