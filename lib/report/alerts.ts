import { showMilliseconds } from '../duration.ts'
import type { AlertsReport } from '../model.ts'

/** What became of the canary alerts, on one line; counts that are usually 0 only where they are not. */
export const alertsLine = (alerts: AlertsReport): string => {
  const { sent, delivered, lost, duplicated, refired, silenced } = alerts
  const rare = [
    [alerts.withoutPath ?? 0, 'without any path'],
    [alerts.resolvedEarly, 'resolved too early'],
    [alerts.unresolved, 'never resolved'],
    [alerts.repeated, 'repeated after a lost connection'],
    [alerts.cutShort, 'cut short'],
    [alerts.linksLost, 'links lost'],
  ] as const
  return [
    `${sent} sent, ${delivered} delivered, ${lost} lost, ${duplicated} duplicated, ${refired} fired again when over`,
    ...rare.flatMap(([count, what]) => (count > 0 ? [`${count} ${what}`] : [])),
    `${silenced.notified} of ${silenced.sent} silenced ones notified`,
    `largest delay ${showMilliseconds(alerts.largestDelayMs)}`,
    `longest blackout ${showMilliseconds(alerts.longestBlackoutMs)}`,
  ].join(', ')
}

/** The names behind the counts that are not 0: `lost: c0012, c0013`. */
export const alertsDetails = ({ canaries }: AlertsReport): readonly string[] =>
  Object.entries(canaries).flatMap(([what, names]) => (names.length > 0 ? [`${what}: ${names.join(', ')}`] : []))
