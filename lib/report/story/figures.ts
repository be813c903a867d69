import { showMilliseconds } from '../../duration.ts'
import type { AlertsReport, DrillReport } from '../../model.ts'
import type { Story } from './story.ts'

/** One thing that was looked at, what was seen, and whether it held; null where the number is told and not judged. */
export interface Line {
  readonly what: string
  readonly seen: string
  readonly held: boolean | null
}

/** What a run is judged by, in the order in which people ask. */
export const verdictLines = ({ alerts, drill, gates, tasks }: Story): readonly Line[] => {
  const no = gates.filter(({ pass }) => !pass).length
  return [
    ...(alerts ? alertLines(alerts, drill) : []),
    ...(drill ? drillLines(drill) : []),
    ...(gates.length > 0
      ? [{ what: 'Gates that said yes', seen: `${gates.length - no} of ${gates.length}`, held: no === 0 }]
      : []),
    ...(tasks.failed + tasks.skipped > 0
      ? [{ what: 'Tasks that failed or were left out', seen: `${tasks.failed} and ${tasks.skipped}`, held: false }]
      : []),
  ]
}

const alertLines = (alerts: AlertsReport, drill: DrillReport | undefined): readonly Line[] => [
  { what: 'Canary alerts lost', seen: `${alerts.lost} of ${alerts.sent}`, held: alerts.lost === 0 },
  ...(alerts.withoutPath === undefined
    ? []
    : [{ what: 'Canary alerts without any path', seen: String(alerts.withoutPath), held: null }]),
  {
    what: 'Notified twice',
    seen: String(alerts.duplicated),
    // How often a drill may is the scenario's, and its verdict says it.
    held: alerts.duplicated === 0 ? true : drill ? null : false,
  },
  {
    what: 'Notified in spite of a silence',
    seen: `${alerts.silenced.notified} of ${alerts.silenced.sent}`,
    held: alerts.silenced.notified === 0,
  },
  {
    what: 'Said to be over while it fired',
    seen: String(alerts.resolvedEarly),
    held: drill ? alerts.resolvedEarly === 0 : null,
  },
  { what: 'Fired again when over', seen: String(alerts.refired), held: null },
  { what: 'Largest delay', seen: showMilliseconds(alerts.largestDelayMs), held: null },
  { what: 'Longest blackout', seen: showMilliseconds(alerts.longestBlackoutMs), held: null },
]

const drillLines = ({ faults, figures }: DrillReport): readonly Line[] => {
  const left = faults.filter(({ undone }) => !undone)
  const { control, during, forgotten, differing, answered = [], healedMs, gossipHealedMs } = figures
  return [
    {
      what: 'Largest delay before the faults, and since',
      seen: `${showMilliseconds(control.largestDelayMs)}, ${showMilliseconds(during.largestDelayMs)}`,
      held: null,
    },
    {
      what: 'Faults undone',
      seen: `${faults.length - left.length} of ${faults.length}`,
      held: left.length === 0,
    },
    {
      what: 'Notified before the faults and once more since',
      seen: String(forgotten.length),
      held: forgotten.length === 0,
    },
    {
      what: "Labels in which replicas' alerts differ",
      seen: differing.join(', ') || 'none',
      held: differing.length === 0,
    },
    ...answered.map(({ question, asked, failed, longestMs }) => ({
      what: question,
      seen: `longest without an answer ${showMilliseconds(longestMs)}; ${failed} of ${asked} failed`,
      // How long may be is the scenario's, and its verdict says it.
      held: null,
    })),
    {
      what: 'Every service as before',
      seen: healedMs === undefined ? 'no' : `after ${showMilliseconds(healedMs)}`,
      held: healedMs !== undefined,
    },
    ...(gossipHealedMs === undefined
      ? []
      : [{ what: 'Every member sees every other', seen: `after ${showMilliseconds(gossipHealedMs)}`, held: true }]),
  ]
}
