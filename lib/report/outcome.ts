import type { AlertsReport, Outcome, Plan, Refusal, RunReport } from '../model.ts'

/** What one host came to: counts by status. */
export interface HostTally {
  readonly same: number
  readonly changed: number
  readonly failed: number
  readonly skipped: number
}

export const tally = (tasks: Readonly<Record<string, Outcome>>): HostTally => {
  const count = (status: Outcome['status']): number =>
    Object.values(tasks).filter((outcome) => outcome.status === status).length
  return { same: count('same'), changed: count('changed'), failed: count('failed'), skipped: count('skipped') }
}

/** What of a plan can't be done as the hosts are. */
export const refusalsOf = ({
  batches,
}: Plan): readonly (Refusal & { readonly host: string; readonly task: string })[] =>
  batches
    .flatMap(({ hosts }) => hosts)
    .flatMap(({ host, changes }) =>
      changes.flatMap(({ task, refused }) => (refused ? [{ host, task, ...refused }] : [])),
    )

/** 0 done, 1 a task, host or gate failed or was skipped, an alert was not told as it must be, or a drill failed or was aborted, 130 interrupted. */
export const exitCodeOf = (report: RunReport): 0 | 1 | 130 => {
  if (report.interrupted) return 130
  // What a drill allows, and what its gates come to, is in its verdict.
  if (report.drill) return report.drill.verdict === 'passed' || report.drill.verdict === 'deviated' ? 0 : 1
  const tallies = Object.values(report.hosts).map(tally)
  return tallies.some(({ failed, skipped }) => failed + skipped > 0) ||
    report.gates.some(({ pass }) => !pass) ||
    !alertsAreWell(report.alerts)
    ? 1
    : 0
}

/** No canary was lost or notified twice, and none under a silence. A stale `firing` is reported and no failure: a restart alone can bring it about. */
export const alertsAreWell = (alerts: AlertsReport | undefined): boolean =>
  alerts === undefined || alerts.lost + alerts.duplicated + alerts.silenced.notified === 0
