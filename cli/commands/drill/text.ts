import Table from 'cli-table3'
import { lastsOf } from '../../../lib/drill/run.ts'
import type { Scenario } from '../../../lib/drill/scenario.ts'
import { showMilliseconds } from '../../../lib/duration.ts'
import type { DrillVerdict, RunReport } from '../../../lib/model.ts'
import { alertsLine } from '../../../lib/report/alerts.ts'
import { paint } from '../../../lib/report/paint.ts'
import { setIn, shown } from '../../../lib/report/print.ts'

/** A scenario as `--list --json` has it. */
export const scenarioRow = (scenario: Scenario) => {
  const { name, summary, contract, where = 'everywhere', allowed, settings = {} } = scenario
  return {
    name,
    summary,
    contract,
    where,
    lastsSeconds: lastsOf(scenario) / 1000,
    duplicates: allowed.duplicates,
    delay: allowed.delay,
    settings,
  }
}

/** The list of scenarios for people. */
export const listText = (scenarios: readonly Scenario[]): string => {
  const table = new Table({
    head: ['scenario', 'what happens', 'lasts', 'where'],
    style: { head: [], border: [], compact: true },
  })
  for (const { name, summary, lastsSeconds, where } of scenarios.map(scenarioRow))
    table.push([name, summary, `${lastsSeconds} s`, where])
  const settings = scenarios.flatMap(({ name, settings: own = {} }) =>
    Object.entries(own).map(
      ([key, { about, default: value }]) =>
        `${name} --set ${key}=…: ${about}${value === undefined ? '' : ` (default ${value})`}`,
    ),
  )
  return [table.toString(), ...settings].join('\n')
}

const COLOUR: Readonly<Record<DrillVerdict, Parameters<typeof paint>[0]>> = {
  passed: 'green',
  deviated: 'yellow',
  aborted: 'red',
  failed: 'red',
  interrupted: 'yellow',
}

/** What became of one drill, for people. */
export const drillText = (made: RunReport): string => {
  const { drill, alerts, run, ms } = shown(made)
  if (!drill) return ''
  const { control, during, healedMs, gossipHealedMs } = drill.figures
  const healed = [
    ...(gossipHealedMs === undefined ? [] : [`gossip whole again after ${showMilliseconds(gossipHealedMs)}`]),
    ...(healedMs === undefined ? [] : [`all as before after ${showMilliseconds(healedMs)}`]),
  ]
  return [
    `${drill.scenario}: ${paint(COLOUR[drill.verdict], drill.verdict.toUpperCase())} in ${showMilliseconds(ms)}; run ${run}`,
    ...drill.causes.map((cause) => `  ${setIn(cause)}`),
    ...(drill.verdict === 'deviated' ? [`  known of it: ${setIn(drill.contract)}`] : []),
    ...(alerts ? [`  ${alertsLine(alerts)}`] : []),
    `  latest before the faults ${showMilliseconds(control.largestDelayMs)}, since ${showMilliseconds(during.largestDelayMs)}${healed.map((one) => `; ${one}`).join('')}`,
  ].join('\n')
}
