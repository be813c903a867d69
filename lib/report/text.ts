import Table from 'cli-table3'
import { showMilliseconds } from '../duration.ts'
import type { HostPlan, Plan, RunReport } from '../model.ts'
import { counted } from '../wording.ts'
import { alertsDetails, alertsLine } from './alerts.ts'
import { alertsAreWell, exitCodeOf, refusalsOf, tally } from './outcome.ts'
import { paint } from './paint.ts'
import { onOneLine, setIn, shown } from './print.ts'
import { waitedMs } from './waiting.ts'

const MARK = { create: '+', change: '~', remove: '-' } as const
const COLOUR = { create: 'green', change: 'yellow', remove: 'red' } as const

/** The plan for people: what would change, host by host, and why. */
export const planText = (made: Plan): string => {
  const plan = shown(made)
  const unread = Object.entries(plan.unreachable).map(
    ([host, why]) => `${paint('red', 'not read')} ${host}: ${setIn(why)}`,
  )
  const batches = plan.batches.flatMap((batch) => [
    paint(
      'bold',
      `${batch.play}${batch.interrupts ? ` (interrupts ${batch.hosts.map(({ host }) => host).join(', ')})` : ''}`,
    ),
    ...batch.hosts.flatMap(hostText),
  ])
  const refused = refusalsOf(plan).map(
    ({ host, task, why, fix }) =>
      `${paint('red', 'refused')} ${host}: ${onOneLine(task)}: ${setIn(why)}\n  ${setIn(fix)}`,
  )
  const hosts = new Set(plan.batches.flatMap((batch) => batch.hosts.map(({ host }) => host))).size
  const sum =
    plan.changes === 0 && plan.read === 0
      ? 'No host was read: what would change is not known.'
      : plan.changes === 0
        ? `Nothing to change${unread.length > 0 ? ' on the hosts that were read' : ''}.`
        : `${plan.changes} ${plan.changes === 1 ? 'change' : 'changes'} on ${hosts} ${hosts === 1 ? 'host' : 'hosts'}.`
  const end = refused.length > 0 ? [paint('red', 'Until that is mended, a run ends before its first change.')] : []
  return [...batches, ...unread, ...refused, paint('bold', sum), ...end].join('\n')
}

const hostText = ({ host, same, changes }: HostPlan): readonly string[] => [
  `  ${host} ${paint('dim', `(${same} already right)`)}`,
  ...changes.flatMap((change) => [
    `    ${paint(COLOUR[change.action], MARK[change.action])} ${onOneLine(change.task)}: ${setIn(change.why)}`,
    ...change.steps.filter(() => change.interrupts).map((step) => `      ${paint('yellow', `! ${setIn(step)}`)}`),
    ...(change.diff ? change.diff.split('\n').map((line) => `      ${paintDiff(line)}`) : []),
  ]),
]

const paintDiff = (line: string): string =>
  line.startsWith('+') ? paint('green', line) : line.startsWith('-') ? paint('red', line) : line

/** The end of a run for people: a row a host, then every failure with where, why and what to do. */
export const reportText = (made: RunReport): string => {
  const report = shown(made)
  const table = new Table({
    head: ['host', 'same', 'changed', 'failed', 'skipped', 'execs'],
    style: { head: [], border: [], compact: true },
  })
  for (const [host, tasks] of Object.entries(report.hosts)) {
    const { same, changed, failed, skipped } = tally(tasks)
    table.push([host, same, changed, failed, skipped, report.cost[host]?.execs ?? 0])
  }
  const failures = Object.entries(report.hosts).flatMap(([host, tasks]) =>
    Object.entries(tasks).flatMap(([task, outcome]) =>
      outcome.status === 'failed'
        ? [
            `${paint('red', 'failed')} ${host}: ${onOneLine(task)}: ${setIn(outcome.why)}${outcome.hint ? `\n  ${setIn(outcome.hint)}` : ''}`,
          ]
        : [],
    ),
  )
  const gates = report.gates
    .filter(({ pass }) => !pass)
    .map(
      (gate) =>
        `${paint('red', 'gate failed')} ${gate.host}: ${onOneLine(gate.name)}: ${setIn(gate.why ?? '')} (asked for ${showMilliseconds(gate.ms)})`,
    )
  const stops = (report.stops ?? []).map((stop) => `${paint('red', 'stopped')} ${setIn(stop)}`)
  return [table.toString(), ...failures, ...gates, ...alertsText(report), ...stops, lastLine(report)].join('\n')
}

const alertsText = ({ alerts }: RunReport): readonly string[] => {
  if (!alerts) return []
  const well = alertsAreWell(alerts)
  return [
    `${paint(well ? 'green' : 'red', 'canary alerts')}: ${alertsLine(alerts)}`,
    ...alertsDetails(alerts).map((line) => `  ${line}`),
  ]
}

const lastLine = (report: RunReport): string => {
  const changed = Object.values(report.hosts).reduce((sum, tasks) => sum + tally(tasks).changed, 0)
  const result = { 0: paint('green', 'done'), 1: paint('red', 'failed'), 130: paint('yellow', 'interrupted') }[
    exitCodeOf(report)
  ]
  const passed = report.gates.filter(({ pass }) => pass).length
  const waited = waitedMs(report.gates)
  const waiting = waited >= 1_000 ? `, ${showMilliseconds(waited)} of it waiting for gates` : ''
  return `${report.playbook} ${result} in ${showMilliseconds(report.ms)}${waiting}: ${changed} changed, ${passed} of ${counted(report.gates.length, 'gate')} passed; run ${report.run}`
}
