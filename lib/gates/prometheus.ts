/** Gates over one Prometheus. All of them wait while its WAL is replayed, however long that takes, as long as it moves. */

import { ask, type Endpoint, refused } from '../api/endpoint.ts'
import { replayOf, ruleGroupsOf, runtimeOf, sendsTo, targetsOf, waysToSend } from '../api/prometheus.ts'
import { milliseconds } from '../duration.ts'
import type { Duration, Gate, Reach, Verdict } from '../model.ts'
import { counted, listed } from '../wording.ts'
import { missingFrom } from './missing-from.ts'
import { samplesOf } from './series.ts'

/** It serves queries, so its WAL is replayed. Says which segment it replays while it isn't. */
export const prometheusReady = (prometheus: Endpoint): Gate =>
  gate(prometheus, { name: 'Prometheus is ready, its WAL replayed', within: '60s', ask: async () => ({ pass: true }) })

/** Its last reload succeeded: the config on its disk is one that it accepts. */
export const configInForce = (prometheus: Endpoint): Gate =>
  gate(prometheus, {
    name: 'Prometheus has its config in force',
    within: '15s',
    async ask(reach) {
      const { reloadConfigSuccess } = await runtimeOf(reach, prometheus)
      return reloadConfigSuccess
        ? { pass: true }
        : { pass: false, why: 'it refused its config at the last reload and runs on the one before; see its journal' }
    },
  })

export interface ExpectedTarget {
  readonly job: string
  /** `address:port`, as service discovery gives it. */
  readonly address: string
}

/**
 * Every target that the inventory names is known, and every target, named or not, was scraped since the process started. A target
 * that is down counts: Prometheus did its part.
 */
export const everyTargetScraped = (
  prometheus: Endpoint,
  { expected, within }: { readonly expected: readonly ExpectedTarget[]; readonly within: Duration },
): Gate =>
  gate(prometheus, {
    name: 'Prometheus has scraped every target since it started',
    within,
    async ask(reach) {
      const [{ startTime }, targets] = await Promise.all([runtimeOf(reach, prometheus), targetsOf(reach, prometheus)])
      const known = new Set(targets.map((target) => `${target.scrapePool} ${target.discoveredLabels.__address__}`))
      const missing = expected.map(({ job, address }) => `${job} ${address}`).filter((target) => !known.has(target))
      if (missing.length > 0) return { pass: false, why: `not yet discovered: ${listed(missing)}` }
      const started = Date.parse(startTime)
      const waiting = targets.filter((target) => Date.parse(target.lastScrape) < started)
      if (waiting.length === 0) return { pass: true, detail: counted(targets.length, 'target') }
      return {
        pass: false,
        why: `not yet scraped: ${listed(waiting.map((target) => target.scrapeUrl))}`,
        progress: `${targets.length - waiting.length} of ${targets.length} targets scraped`,
      }
    },
  })

/** By which of its own metrics a remote write says of when the newest sample is that was taken there (prometheus `storage/remote/queue_manager.go`). */
const SENT = 'prometheus_remote_storage_queue_highest_sent_timestamp_seconds'

/** Something that was scraped since it started was taken by every remote write's receiver. Without targets there is nothing to send. */
export const samplesSent = (prometheus: Endpoint, { within }: { readonly within: Duration }): Gate =>
  gate(prometheus, {
    name: 'Prometheus has sent samples to every remote write',
    within,
    async ask(reach) {
      const [{ startTime }, targets, page] = await Promise.all([
        runtimeOf(reach, prometheus),
        targetsOf(reach, prometheus),
        ask(reach, prometheus, '/metrics'),
      ])
      if (page.status !== 200) throw refused(prometheus, '/metrics', page)
      if (targets.length === 0) return { pass: true, detail: 'no target' }
      const remotes = samplesOf(page.body, SENT)
      if (remotes.length === 0) return { pass: false, why: 'it has no remote write' }
      const waiting = remotes.filter(({ value }) => value * 1_000 < Date.parse(startTime))
      if (waiting.length === 0) return { pass: true, detail: counted(remotes.length, 'remote write') }
      return {
        pass: false,
        why: `nothing of this start was taken by ${listed(waiting.map(({ labels: { url = '' } }) => url))}`,
      }
    },
  })

/** The Alertmanagers it sends to are exactly these, as `address:port`. */
export const alertmanagersDiscovered = (prometheus: Endpoint, expected: readonly string[]): Gate =>
  gate(prometheus, {
    name: 'Prometheus sends to every Alertmanager of the inventory',
    within: '30s',
    async ask(reach) {
      const found = new Set(await sendsTo(reach, prometheus))
      const wanted = new Set(expected.map((address) => new URL(`http://${address}`).host))
      const missing = missingFrom(found, wanted)
      const foreign = missingFrom(wanted, found)
      if (missing.length > 0) return { pass: false, why: `does not send to ${listed(missing)}` }
      if (foreign.length > 0) return { pass: false, why: `also sends to ${listed(foreign)}, not in the inventory` }
      return { pass: true, detail: counted(found.size, 'Alertmanager') }
    },
  })

/** It sends in each of these ways, as `https://address:port`; maybe in others too. */
export const sendsBothWays = (prometheus: Endpoint, expected: readonly string[]): Gate =>
  gate(prometheus, {
    name: 'Prometheus sends with TLS and without',
    within: '30s',
    async ask(reach) {
      const found = new Set(await waysToSend(reach, prometheus))
      const missing = missingFrom(found, new Set(expected.map((way) => new URL(way).origin)))
      return missing.length === 0 ? { pass: true } : { pass: false, why: `does not send to ${listed(missing)} yet` }
    },
  })

/**
 * Every rule group of these files is loaded, and evaluated since the process started. Groups with an interval above `within` are
 * only asked to be loaded.
 */
export const ruleGroupsEvaluated = (
  prometheus: Endpoint,
  { files, within }: { readonly files: readonly string[]; readonly within: Duration },
): Gate =>
  gate(prometheus, {
    name: 'Prometheus has evaluated every rule group since it started',
    within,
    async ask(reach) {
      const [{ startTime }, groups] = await Promise.all([runtimeOf(reach, prometheus), ruleGroupsOf(reach, prometheus)])
      const loaded = new Set(groups.map(({ file }) => file))
      const missing = files.filter((file) => !loaded.has(file))
      if (missing.length > 0) return { pass: false, why: `not loaded: ${listed(missing)}` }
      const started = Date.parse(startTime)
      const waiting = groups.filter(
        (group) => group.interval * 1_000 <= milliseconds(within) && Date.parse(group.lastEvaluation) < started,
      )
      if (waiting.length === 0) return { pass: true, detail: counted(groups.length, 'rule group') }
      return {
        pass: false,
        why: `not yet evaluated: ${listed(waiting.map(({ file, name }) => `${name} (${file})`))}`,
        progress: `${groups.length - waiting.length} of ${groups.length} rule groups evaluated`,
      }
    },
  })

interface Question {
  readonly name: string
  readonly within: Duration
  ask(reach: Reach): Promise<Verdict>
}
const gate = (prometheus: Endpoint, { name, within, ask: question }: Question): Gate => ({
  name,
  host: prometheus.host.name,
  within,
  ask: async (reach) => (await starting(reach, prometheus)) ?? question(reach),
})

/** Why it doesn't serve yet, or null. A replay that moves is progress. */
const starting = async (reach: Reach, prometheus: Endpoint): Promise<Verdict | null> => {
  const ready = await ask(reach, prometheus, '/-/ready')
  if (ready.status === 200) return null
  if (ready.status !== 503) throw refused(prometheus, '/-/ready', ready)
  const { current, max } = await replayOf(reach, prometheus)
  const progress = `WAL segment ${current} of ${max}`
  return { pass: false, why: `it is starting: replaying ${progress}`, progress }
}
