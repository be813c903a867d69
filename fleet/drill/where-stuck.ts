import { answered } from '../../lib/answered.ts'
import { alertsOf, type HeldAlert } from '../../lib/api/alertmanager.ts'
import { ask } from '../../lib/api/endpoint.ts'
import { alertsOf as firingOf } from '../../lib/api/prometheus.ts'
import type { DrillFleet, DrillMember } from '../../lib/drill/scenario.ts'
import { seriesOf } from '../../lib/gates/series.ts'
import type { Reach } from '../../lib/model.ts'
import { counted, listed } from '../../lib/wording.ts'
import { CANARY_ALERT } from '../../roles/alertmanager/canary.ts'

/** How many notifications each Alertmanager had failed to hand over, and each Prometheus to send, at some moment; by unit and host. */
export type Failures = ReadonlyMap<string, number>

/** Asked before a drill, for `whereStuck` to compare with. One that does not answer is left out. */
export const failuresSoFar = async ({ prometheus, alertmanagers }: DrillFleet, reach: Reach): Promise<Failures> => {
  const asked = await Promise.all(
    [...prometheus, ...alertmanagers].map(async (one) => {
      const count = await answered(() => failedBy(one, reach))
      return count === null ? [] : [[keyOf(one), count] as const]
    }),
  )
  return new Map(asked.flat())
}

/**
 * Where the canary alerts of a run stop on their way, as each server on it says: not evaluated, not sent, suppressed, not handed over. Nothing where all that
 * answer have them.
 */
export const whereStuck = async (
  { prometheus, alertmanagers }: DrillFleet,
  { run, reach, before }: { readonly run: string; readonly reach: Reach; readonly before: Failures },
): Promise<readonly string[]> => {
  const ours = ({ labels }: { readonly labels: Readonly<Record<string, string>> }): boolean =>
    labels.alertname === CANARY_ALERT && labels.run === run && labels.silenced !== 'true'
  const failedSince = async (one: DrillMember): Promise<number> => {
    const now = (await answered(() => failedBy(one, reach))) ?? 0
    return now - (before.get(keyOf(one)) ?? now)
  }
  const firing = await Promise.all(
    prometheus.map(async (one) => {
      const alerts = await answered(() => firingOf(reach, one.endpoint))
      const failed = await failedSince(one)
      return [
        ...(alerts === null || alerts.some(ours)
          ? []
          : [`${one.host.name}: its Prometheus has no canary alert that fires`]),
        ...(failed > 0
          ? [`${one.host.name}: its Prometheus fails to send: ${counted(failed, 'alert')} since the drill began`]
          : []),
      ]
    }),
  )
  const held = await Promise.all(
    alertmanagers.map(async (one) => {
      const name = one.host.name
      const alerts = (await answered(() => alertsOf(reach, one.endpoint)))?.items
      if (!alerts) return []
      const more = await failedSince(one)
      return [
        ...(alerts.some(ours) ? [] : [`${name}: no canary alert is sent to its Alertmanager`]),
        ...suppressed(alerts, alerts.filter(ours)).map((why) => `${name}: ${why}`),
        ...(more > 0
          ? [`${name}: its Alertmanager fails to notify: ${counted(more, 'notification')} since the drill began`]
          : []),
      ]
    }),
  )
  return [...firing, ...held].flat()
}

const suppressed = (all: readonly HeldAlert[], ours: readonly HeldAlert[]): readonly string[] => {
  const byAlert = new Set(ours.flatMap(({ status }) => status?.inhibitedBy ?? []))
  const bySilence = new Set(ours.flatMap(({ status }) => status?.silencedBy ?? []))
  const names = all.filter(({ fingerprint }) => byAlert.has(fingerprint)).map(({ labels }) => labels.alertname ?? '?')
  return [
    ...(byAlert.size > 0 ? [`canary alerts are inhibited by ${listed([...new Set(names)])}`] : []),
    ...(bySilence.size > 0 ? [`canary alerts are under the silence ${listed([...bySilence])}`] : []),
  ]
}

const failedBy = async ({ endpoint }: DrillMember, reach: Reach): Promise<number> => {
  const { body } = await ask(reach, endpoint, '/metrics')
  return FAILED.flatMap((name) => seriesOf(body, name)).reduce((sum, one) => sum + one, 0)
}
/** A page has one of them. */
const FAILED = ['alertmanager_notifications_failed_total', 'prometheus_notifications_errors_total']

const keyOf = ({ unit, host }: DrillMember): string => `${unit} of ${host.name}`
