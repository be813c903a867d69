import { alertsOf, type HeldAlert } from '../../lib/api/alertmanager.ts'
import { ask } from '../../lib/api/endpoint.ts'
import { alertsOf as firingOf } from '../../lib/api/prometheus.ts'
import type { DrillFleet, DrillMember } from '../../lib/drill/scenario.ts'
import { HostError } from '../../lib/errors.ts'
import { seriesOf } from '../../lib/gates/series.ts'
import type { Reach } from '../../lib/model.ts'
import { counted, listed } from '../../lib/wording.ts'
import { CANARY_ALERT } from '../../roles/alertmanager/canary.ts'

/** How many notifications each Alertmanager had failed to hand over at some moment, by the name of its host. */
export type Failures = ReadonlyMap<string, number>

/** Asked before a drill, for `whereStuck` to compare with. One that does not answer is left out. */
export const failuresSoFar = async ({ alertmanagers }: DrillFleet, reach: Reach): Promise<Failures> => {
  const asked = await Promise.all(
    alertmanagers.map(async (one) => {
      const count = await answered(() => failedBy(one, reach))
      return count === null ? [] : [[one.host.name, count] as const]
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
  const firing = await Promise.all(
    prometheus.map(async ({ host, endpoint }) => {
      const alerts = await answered(() => firingOf(reach, endpoint))
      return alerts === null || alerts.some(ours) ? [] : [`${host.name}: its Prometheus has no canary alert that fires`]
    }),
  )
  const held = await Promise.all(
    alertmanagers.map(async (one) => {
      const name = one.host.name
      const alerts = (await answered(() => alertsOf(reach, one.endpoint)))?.items
      if (!alerts) return []
      const failed = (await answered(() => failedBy(one, reach))) ?? 0
      const more = failed - (before.get(name) ?? failed)
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
  return seriesOf(body, 'alertmanager_notifications_failed_total').reduce((sum, one) => sum + one, 0)
}

/** null where it doesn't answer. */
const answered = async <T>(question: () => Promise<T>): Promise<T | null> => {
  try {
    return await question()
  } catch (error) {
    if (error instanceof HostError) return null
    throw error
  }
}
