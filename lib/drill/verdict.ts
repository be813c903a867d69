import { milliseconds, showMilliseconds } from '../duration.ts'
import type { AlertsReport, DrillFigures, DrillReport } from '../model.ts'
import { counted, listed } from '../wording.ts'
import type { Allowed } from './scenario.ts'

/** Everything that was seen of a drill, which its verdict is made of. */
export interface Seen {
  readonly allowed: Allowed
  /** How long the last member waits for all others to notify, by itself a reason for a notification to be late. Milliseconds. */
  readonly peerWaitMs: number
  readonly interrupted: boolean
  /** Why it was ended before its time: a machine it had nothing to do with, or a fault that could not be begun. */
  readonly aborted: readonly string[]
  /** What else did not hold: the steady state before and after, the fault itself, silences. */
  readonly broken: readonly string[]
  /** null where no alert was watched. */
  readonly alerts: AlertsReport | null
  readonly figures: DrillFigures
}

/**
 * What a drill came to, and why. `failed`: something that must hold did not. `deviated`: all of the contract was kept, and yet the fleet did other than it
 * should. Pure.
 */
export const verdictOf = (seen: Seen): Pick<DrillReport, 'verdict' | 'causes'> => {
  const failures = [...seen.broken, ...lostOrTwice(seen)]
  const deviations = oddities(seen)
  const causes = [...seen.aborted, ...failures, ...deviations]
  if (seen.interrupted) return { verdict: 'interrupted', causes }
  if (seen.aborted.length > 0) return { verdict: 'aborted', causes }
  if (failures.length > 0) return { verdict: 'failed', causes }
  return { verdict: deviations.length > 0 ? 'deviated' : 'passed', causes }
}

const lostOrTwice = ({ alerts, allowed, figures }: Seen): readonly string[] => {
  if (!alerts) return []
  const { canaries } = alerts
  const { together = [] } = figures
  return [
    ...when(alerts.lost, `${counted(alerts.lost, 'alert')} lost, though a path was left: ${listed(canaries.lost)}`),
    ...when(alerts.silenced.notified, `notified in spite of a silence: ${listed(canaries.silenced)}`),
    ...when(allowed.falseResolves === 'rarely' ? 0 : alerts.resolvedEarly, falseResolve(alerts)),
    ...when(
      figures.differing.length,
      `one alert is notified as several, which differ in the label ${listed(figures.differing)}: Alertmanagers take them for different alerts`,
    ),
    ...when(
      figures.forgotten.length,
      `notified before the faults and once more since: ${listed(figures.forgotten)}: the notification log of who notified it again did not have it`,
    ),
    ...when(
      allowed.duplicates === 'never' ? alerts.duplicated - together.length : 0,
      `${alerts.duplicated - together.length} notified twice, where every member hears of every other: ${listed(canaries.duplicated.filter((one) => !together.includes(one)))}`,
    ),
  ]
}

const oddities = ({ alerts, allowed, figures, peerWaitMs }: Seen): readonly string[] => {
  if (!alerts) return []
  const bound = figures.control.largestDelayMs + peerWaitMs + milliseconds(allowed.delay)
  const { together = [], unheard = [] } = figures
  const late = figures.during.largestDelayMs > bound
  return [
    ...when(allowed.falseResolves === 'rarely' ? alerts.resolvedEarly : 0, falseResolve(alerts)),
    ...when(
      allowed.duplicates === 'rarely' ? alerts.duplicated - unheard.length : 0,
      `${alerts.duplicated - unheard.length} notified twice: ${listed(alerts.canaries.duplicated.filter((one) => !unheard.includes(one)))}`,
    ),
    ...when(
      allowed.duplicates === 'never' ? together.length : 0,
      `${together.length} notified by two members within a second, before either can have heard of the other: ${listed([...new Set(together)])}: machines slower than \`peer_timeout\` allows for, or two whose turns came together`,
    ),
    ...when(
      late ? 1 : 0,
      `an alert was notified after ${showMilliseconds(figures.during.largestDelayMs)}; expected at most ${showMilliseconds(bound)}, as the latest before the faults took ${showMilliseconds(figures.control.largestDelayMs)}`,
    ),
  ]
}

const falseResolve = ({ resolvedEarly }: AlertsReport): string =>
  `${counted(resolvedEarly, 'alert')} notified as resolved while firing: a member takes an alert for over that it heard nothing of until the end it was told`

const when = (count: number, text: string): readonly string[] => (count > 0 ? [text] : [])
