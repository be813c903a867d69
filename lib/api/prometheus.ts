/**
 * What a Prometheus answers: each page of its HTTP API once, in the parts that are read here. They are the same from 2.42 to 3.5. All of them throw
 * HostError where it doesn't answer, or in another form.
 */

import { z } from 'zod'
import { duration } from '../inventory/schema/fields.ts'
import type { Reach } from '../model.ts'
import { isLeavingJob, jobItself } from '../sharding/leaving.ts'
import { askJson, type Endpoint } from './endpoint.ts'
import { instant, listOf, placeInUrl, texts, versionText } from './forms.ts'

/** A target that it scrapes. */
export type ActiveTarget = z.output<typeof target>
/** What a Prometheus discovers. */
export interface Discovered {
  readonly active: readonly ActiveTarget[]
  readonly dropped: readonly { readonly discoveredLabels: Readonly<Record<string, string>> }[]
  /** How many are dropped, by job; null where it doesn't say. */
  readonly counts: Readonly<Record<string, number>> | null
}
/** A group of rules, with what its last evaluation found. */
export type RuleGroup = z.output<typeof group>

/** The targets that it scrapes, whether up or not. */
export const targetsOf = async (reach: Reach, prometheus: Endpoint): Promise<readonly ActiveTarget[]> =>
  (await data(reach, prometheus, '/api/v1/targets?state=active', TARGETS)).activeTargets

/**
 * All that its service discovery has found: what it scrapes, and what its relabelling drops. Of the latter it may remember some only
 * (`keep_dropped_targets`); `counts` says how many there are by job, from 2.47 on.
 */
export const discoveredOf = async (reach: Reach, prometheus: Endpoint): Promise<Discovered> => {
  const { activeTargets, droppedTargets, droppedTargetCounts } = await data(
    reach,
    prometheus,
    '/api/v1/targets',
    DISCOVERED,
  )
  return {
    active: activeTargets,
    dropped: droppedTargets.filter(({ discoveredLabels: { job = '' } }) => !isLeavingJob(job)),
    counts: droppedTargetCounts ? countsOfJobs(droppedTargetCounts, activeTargets) : null,
  }
}

/** What leaves is dropped by its job, and scraped by the one for what leaves, which drops all else once more. */
const countsOfJobs = (
  counts: Readonly<Record<string, number>>,
  active: readonly ActiveTarget[],
): Readonly<Record<string, number>> =>
  Object.fromEntries(
    Object.entries(counts)
      .filter(([job]) => !isLeavingJob(job))
      .map(([job, count]) => [
        job,
        count - active.filter(({ scrapePool, leaving }) => leaving && scrapePool === job).length,
      ]),
  )

/** Its groups of rules, in the order of files and names. */
export const ruleGroupsOf = async (reach: Reach, prometheus: Endpoint): Promise<readonly RuleGroup[]> =>
  (await data(reach, prometheus, '/api/v1/rules', RULES)).groups

/** Whether it has a rule of this name. */
export const hasRule = async (reach: Reach, prometheus: Endpoint, wanted: string): Promise<boolean> =>
  (await ruleGroupsOf(reach, prometheus)).some(({ rules }) => rules.some(({ name }) => name === wanted))

/** The Alertmanagers that it sends to, as `host:port`. */
export const sendsTo = async (reach: Reach, prometheus: Endpoint): Promise<readonly string[]> =>
  (await data(reach, prometheus, '/api/v1/alertmanagers', ALERTMANAGERS)).activeAlertmanagers.map(
    ({ url }) => url.place,
  )

/** The same with how it sends, as `https://host:port`. */
export const waysToSend = async (reach: Reach, prometheus: Endpoint): Promise<readonly string[]> =>
  (await data(reach, prometheus, '/api/v1/alertmanagers', ALERTMANAGERS)).activeAlertmanagers.map(
    ({ url }) => url.origin,
  )

/** When it started (RFC 3339), and whether it took its config at the last reload. */
export const runtimeOf = (reach: Reach, prometheus: Endpoint) =>
  data(reach, prometheus, '/api/v1/status/runtimeinfo', RUNTIME)

/** The segment of the WAL that it replays, and the last one. It answers while it starts, too. */
export const replayOf = (reach: Reach, prometheus: Endpoint) =>
  data(reach, prometheus, '/api/v1/status/walreplay', REPLAY)

/** The config in force, as YAML: defaults filled in, secrets left out. */
export const configOf = async (reach: Reach, prometheus: Endpoint): Promise<string> =>
  (await data(reach, prometheus, '/api/v1/status/config', CONFIG)).yaml

/** Its version, as its build says it: `3.5.3`, `2.42.0+ds`. */
export const versionOf = async (reach: Reach, prometheus: Endpoint): Promise<string> =>
  (await data(reach, prometheus, '/api/v1/status/buildinfo', BUILD)).version

/** How many series its head has: those that were written to in the last hours. */
export const seriesInHead = async (reach: Reach, prometheus: Endpoint): Promise<number> =>
  (await data(reach, prometheus, '/api/v1/status/tsdb?limit=1', TSDB)).headStats.numSeries

/** The alerts that its rules make, pending ones too. */
export const alertsOf = async (reach: Reach, prometheus: Endpoint) =>
  (await data(reach, prometheus, '/api/v1/alerts', ALERTS)).alerts

/** The series that an instant query gives, as labels. */
export const seriesOfQuery = async (
  reach: Reach,
  prometheus: Endpoint,
  query: string,
): Promise<readonly Readonly<Record<string, string>>[]> =>
  (await data(reach, prometheus, `/api/v1/query?query=${encodeURIComponent(query)}`, VECTOR)).result.map(
    ({ metric }) => metric,
  )

/** The numbers that an instant query gives, each with its labels. Those are from 0 on, as all that is counted is. */
export const countsOfQuery = async (
  reach: Reach,
  prometheus: Endpoint,
  query: string,
): Promise<readonly { readonly labels: Readonly<Record<string, string>>; readonly count: number }[]> =>
  (await data(reach, prometheus, `/api/v1/query?query=${encodeURIComponent(query)}`, COUNTS)).result.map(
    ({ metric, value }) => ({ labels: metric, count: value[1] }),
  )

const data = async <T>(reach: Reach, prometheus: Endpoint, path: string, form: z.ZodType<{ data: T }>): Promise<T> =>
  (await askJson(reach, prometheus, { path, form })).data

const answer = <T extends z.ZodRawShape>(shape: T) => z.object({ data: z.object(shape) })

const ofJobItself = (labels: z.output<typeof texts>): z.output<typeof texts> =>
  labels.job === undefined ? labels : { ...labels, job: jobItself(labels.job) }

const alert = z.object({ labels: texts, state: z.string(), activeAt: instant.optional() })
const target = z
  .object({
    scrapePool: z.string(),
    scrapeUrl: z.string(),
    health: z.string(),
    /** The first year there is, where it was never scraped. */
    lastScrape: instant,
    /** How often it is scraped. */
    scrapeInterval: duration.optional(),
    labels: texts,
    discoveredLabels: texts,
  })
  // Whichever job scrapes it while it leaves, it is of one.
  .transform((one) => ({
    ...one,
    scrapePool: jobItself(one.scrapePool),
    leaving: isLeavingJob(one.scrapePool),
    discoveredLabels: ofJobItself(one.discoveredLabels),
  }))
const group = z.object({
  name: z.string(),
  file: z.string(),
  /** In seconds. */
  interval: z.number(),
  lastEvaluation: instant,
  rules: listOf(
    z.object({
      type: z.string(),
      name: z.string(),
      query: z.string(),
      /** In seconds; only of a rule that alerts, as `annotations` and `alerts` are. */
      duration: z.number().optional(),
      /** In seconds; from 2.42 on. */
      keepFiringFor: z.number().optional(),
      /** `ok`, `err`, or `unknown` before its first evaluation. */
      health: z.string().optional(),
      lastError: z.string().optional(),
      labels: texts.nullish(),
      annotations: texts.nullish(),
      alerts: listOf(alert).nullish(),
    }),
  ),
})

const TARGETS = answer({ activeTargets: listOf(target) })
const DISCOVERED = answer({
  activeTargets: listOf(target),
  droppedTargets: listOf(z.object({ discoveredLabels: texts })),
  droppedTargetCounts: z.record(z.string(), z.number()).nullish(),
})
const RULES = answer({ groups: listOf(group) })
const ALERTMANAGERS = answer({ activeAlertmanagers: listOf(z.object({ url: placeInUrl })) })
const RUNTIME = answer({ startTime: instant, reloadConfigSuccess: z.boolean() })
const REPLAY = answer({ current: z.number(), max: z.number() })
const CONFIG = answer({ yaml: z.string() })
const TSDB = answer({ headStats: z.object({ numSeries: z.number() }) })
const BUILD = answer({ version: versionText })
const ALERTS = answer({ alerts: listOf(alert) })
/** Far more than a server can hold. */
const MOST = 1e12
/** A sample is a text, as JSON has no `+Inf`. */
const count = z
  .string()
  .regex(/^\d/)
  .transform(Number)
  .refine((one) => one >= 0 && one <= MOST, { error: 'expected a number from 0 on' })
const COUNTS = answer({ result: listOf(z.object({ metric: texts, value: z.tuple([z.number(), count]) })) })
const VECTOR = answer({ result: listOf(z.object({ metric: texts })) })
