/**
 * The linter on the published kubernetes, node, prometheus and alertmanager mixins: sixty rules drawn from them, judged by hand, and every rule by experiment.
 * Skipped where nobody has put them on this machine, as `mixins.ts` says.
 */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Verdict } from '../../../lib/sharding/rules/lint.ts'
import type { Rule } from '../../../lib/sharding/rules/rule-file.ts'
import { lintFiles } from '../../../lib/sharding/rules/rule-files.ts'
import { shardingBy } from '../../../lib/sharding/rules/sharding.ts'
import { unpacked, versionsOf } from '../roles/binaries.ts'
import { dataFor } from './data-for-rules.ts'
import { mixins } from './mixins.ts'
import { evaluate, type Tested } from './rule-experiment.ts'

const verdicts = lintFiles(mixins(), shardingBy(['__address__']))
const named = Map.groupBy(verdicts, ({ rule }) => rule.name)

/** Drawn from the rules of kube-prometheus at 4d719f1, and judged by hand with targets hashed by their address. */
const SAFE = `KubeDeploymentRolloutStuck KubeDaemonSetNotScheduled KubePersistentVolumeErrors KubeClientErrors KubeAggregatedAPIErrors
KubeletClientCertificateExpiration KubeletServerCertificateExpiration KubeletServerCertificateRenewalErrors
node_quantile:kubelet_pleg_relist_duration_seconds:histogram_quantile NodeFilesystemSpaceFillingUp NodeFilesystemFilesFillingUp
NodeFilesystemAlmostOutOfFiles NodeNetworkReceiveErrs NodeHighNumberConntrackEntriesUsed NodeTextFileCollectorScrapeError NodeClockSkewDetected
NodeRAIDDegraded NodeFileDescriptorLimit NodeSystemSaturation NodeSystemdServiceFailed instance:node_num_cpu:sum
instance:node_cpu_utilisation:rate5m instance:node_network_receive_bytes_excluding_lo:rate5m PrometheusBadConfig
PrometheusKubernetesListWatchFailures PrometheusNotificationQueueRunningFull PrometheusErrorSendingAlertsToSomeAlertmanagers
PrometheusNotIngestingSamples PrometheusOutOfOrderTimestamps PrometheusRemoteStorageFailures PrometheusRemoteWriteBehind
PrometheusLabelLimitHit PrometheusScrapeBodySizeLimitHit PrometheusTargetSyncFailure AlertmanagerFailedReload AlertmanagerFailedToSendAlerts`
/** Of several with one name, all are judged alike; PrometheusRemoteWriteDesiredShards for what its description asks by `query`. */
const UNSAFE = `KubePodNotReady KubeStatefulSetUpdateNotRolledOut KubeCPUOvercommit KubeMemoryQuotaOvercommit KubeAPIDown KubeNodePressure
cluster_verb_scope:apiserver_request_sli_duration_seconds_count:increase1h cluster_verb_scope:apiserver_request_sli_duration_seconds_count:increase30d
code_resource:apiserver_request_total:rate5m code_verb:apiserver_request_total:increase1h apiserver_request:burnrate1d apiserver_request:burnrate1h
cluster_quantile:apiserver_request_sli_duration_seconds:histogram_quantile node_namespace_pod_container:container_memory_swap
cluster:namespace:pod_memory:active:kube_pod_container_resource_requests namespace_cpu:kube_pod_container_resource_limits:sum
cluster_quantile:scheduler_scheduling_algorithm_duration_seconds:histogram_quantile node_namespace_pod:kube_pod_info:
PrometheusRemoteWriteDesiredShards AlertmanagerMembersInconsistent AlertmanagerClusterFailedToSendAlerts AlertmanagerClusterCrashlooping
KubeletDown KubeSchedulerDown`

test.skipIf(verdicts.length === 0)('sixty rules are judged as a person judges them', () => {
  const judged = [
    ...SAFE.split(/\s+/).map((name) => [name, true] as const),
    ...UNSAFE.split(/\s+/).map((name) => [name, false] as const),
  ]
  expect(judged).toHaveLength(60)
  const wrong = judged.filter(([name, safe]) => !named.get(name)?.every((one) => one.safe === safe))
  expect(wrong).toEqual([])
})

const promtool = join(unpacked('prometheus', versionsOf('prometheus').at(-1) ?? ''), 'promtool')
const seeds = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at)
const BATCHES = [seeds(1, 4), seeds(5, 16), seeds(17, 56)]

/** Rules whose data says nothing, as nothing random meets their thresholds or matches; more would be no experiment. */
const MOST_SILENT = 0.2

test.skipIf(verdicts.length === 0)('every rule called safe is on three shards as on one server', () => {
  const outcomes = verdicts.filter(({ safe }) => safe).map((one) => outcomeOf(one, 2))
  expect(outcomes.filter(({ differs }) => differs !== undefined)).toEqual([])
  expect(outcomes.filter(({ telling }) => telling === 0).length / outcomes.length).toBeLessThan(MOST_SILENT)
})

test.skipIf(verdicts.length === 0)(
  'nearly every rule called unsafe is otherwise on three shards, for some data',
  () => {
    const outcomes = verdicts.filter(({ safe }) => !safe).map((one) => outcomeOf(one, 3))
    const alike = outcomes.filter(({ differs }) => differs === undefined).map(({ name }) => name)
    expect(alike.length / outcomes.length, alike.join()).toBeLessThan(MOST_SILENT)
  },
)

const outcomeOf = ({ rule, safe }: Verdict, batches: number) => {
  const tested = testedOf(rule)
  let [telling, differs] = [0, undefined as string | undefined]
  for (const batch of BATCHES.slice(0, batches)) {
    const outcome = evaluate(promtool, tested, batch)
    telling += outcome.telling
    differs ??= outcome.first
    if (differs !== undefined || (safe && telling > 3)) break
  }
  return { name: `${rule.file}:${rule.line} ${rule.name}`, telling, differs }
}

/** A rule with those that it reads, and theirs. */
const testedOf = (rule: Rule): Tested => {
  const needed = new Set<Rule>()
  const need = (expr: string): void => {
    for (const [word] of expr.matchAll(/[a-zA-Z_:][\w:]*/g))
      for (const { rule: one } of named.get(word) ?? [])
        if (one.kind === 'record' && one !== rule && !needed.has(one)) {
          needed.add(one)
          need(one.expr)
        }
  }
  need(rule.expr)
  const after = verdicts.map((one) => one.rule).filter((one) => needed.has(one))
  const exprs = [...after, rule].map(({ expr }) => expr)
  return {
    expr: rule.expr,
    after: after.map(({ name, expr, labels }) => ({ record: name, expr, labels })),
    labels: rule.labels,
    data: dataFor(exprs, new Set(after.map(({ name }) => name))),
  }
}
