import Table from 'cli-table3'
import type { Argv } from 'yargs'
import { drillFleet } from '../../../fleet/drill/drill-fleet.ts'
import { watchedFleet } from '../../../fleet/watched-fleet.ts'
import { lastsOf } from '../../../lib/drill/run.ts'
import type { RunReport } from '../../../lib/model.ts'
import { exitCodeOf } from '../../../lib/report/outcome.ts'
import { onOneLine, print, printError } from '../../../lib/report/print.ts'
import { command } from '../../command.ts'
import { isAtTerminal, yes } from '../../confirm.ts'
import { inLab, type Opened, openContext } from '../../context.ts'
import { commonOptionsAlone, listOption, NONE } from '../../options.ts'
import { chosenBy, mistake, noTenant, requireFitting } from './chosen.ts'
import { DEFAULT_CONTROL, type DrillFlags, HEAL, ROUTES, SCHEDULE } from './flags.ts'
import { heal } from './heal.ts'
import { type Holding, heldInTurn } from './in-turn.ts'
import { publish } from './publish.ts'
import { drillRoutes, requireRouted } from './routes.ts'
import { type Chosen, type Fitting, fitting, isFitting, type Refused, settingsIn } from './scenarios.ts'
import { schedule } from './schedule-action.ts'
import { listText, scenarioRow } from './text.ts'

/** Lists scenarios, holds some or all of them one after the other, or undoes what drills have left. */
const drill = async (flags: DrillFlags): Promise<number> => {
  if (flags.scenarios[0] === ROUTES) return await routes(flags)
  if (flags.scenarios[0] === SCHEDULE) return await schedule(flags)
  noTenant(flags)
  const wanted = await chosenBy(flags)
  if (flags.list) {
    print(
      flags.json
        ? JSON.stringify({ vestal: 'drill-list/1', scenarios: wanted.map(scenarioRow) }, null, 2)
        : listText(wanted),
    )
    return 0
  }
  const { inventory } = flags
  if (!inventory) throw mistake('--inventory', 'which fleet?', 'Name its inventory: -i inventory/ha')
  await using context = await openContext({ ...flags, inventory })
  if (flags.scenarios[0] === HEAL)
    return (await inLab(context.hosts)) ?? (await heal(context, { json: flags.json, paths: inventory }))
  if (flags.limit) throw mistake('--limit', 'a drill is about the whole fleet', 'Leave it out.')
  const watched = watchedFleet(context.inventory)
  const fleet = drillFleet(context.inventory)
  const set = settingsIn(flags.set, wanted)
  const chosen = wanted.map((one) => fitting(one, { fleet, inventory: context.inventory, force: flags.force, set }))
  requireFitting(chosen, flags)
  return (await inLab(context.hosts)) ?? (await holdAll(chosen, { opened: context, watched, flags }))
}

const routes = async (flags: DrillFlags): Promise<number> => {
  const {
    inventory,
    list,
    json,
    tenant,
    yes: agreed,
    scenarios: [, ...receivers],
  } = flags
  if (!inventory) throw mistake('--inventory', 'which fleet?', 'Name its inventory: -i inventory/ha')
  if (flags.limit) throw mistake('--limit', 'an alert goes to every Alertmanager', 'Leave it out, and name receivers.')
  await using context = await openContext({ ...flags, inventory })
  requireRouted(context.inventory, tenant)
  return (
    (await inLab(context.hosts)) ??
    (await drillRoutes(context, { receivers, tenant, list, json, yes: agreed, inventory, publishing: flags }))
  )
}

const holdAll = async (
  chosen: readonly Chosen[],
  { opened, watched, flags }: Omit<Holding, 'leaveOut'>,
): Promise<number> => {
  const fit = chosen.filter(isFitting)
  if (!(await goAhead(fit, opened, flags))) {
    print('Not confirmed: nothing was done.')
    return 1
  }
  const leftOut: Refused[] = []
  const leaveOut = (one: Refused): void => {
    leftOut.push(one)
    tellLeftOut(one, flags)
  }
  for (const one of chosen) if (!isFitting(one)) leaveOut(one)
  const reports = await heldInTurn(fit, { opened, watched, flags, leaveOut })
  if (reports.some(({ interrupted }) => interrupted)) return 130
  await publish(
    reports.map(({ run }) => run),
    flags,
  )
  if (!flags.json && chosen.length > 1) print(summaryText(opened.redacted(reports), leftOut))
  return Math.max(0, ...reports.map(exitCodeOf))
}

const tellLeftOut = ({ scenario, refused, fix }: Refused, { json }: DrillFlags): void => {
  const advice = {
    level: 'notes',
    where: `drill ${scenario.name}`,
    what: `left out: ${refused}`,
    why: 'All others are held.',
    fix,
  }
  if (json) print(JSON.stringify({ at: new Date().toISOString(), event: 'advice', ...advice }))
  else printError(onOneLine(`${scenario.name} is left out: ${refused}. ${fix}`))
}

const goAhead = async (fit: readonly Fitting[], { inventory }: Opened, flags: DrillFlags): Promise<boolean> => {
  if (flags.json || flags.yes || !isAtTerminal()) return true
  for (const { scenario, faults } of fit)
    print(
      onOneLine(`${scenario.name}, for ${lastsOf(scenario) / 1000} s: ${faults.map(({ name }) => name).join('; ')}`),
    )
  return yes(`Break ${inventory.name} like this?`)
}

const summaryText = (reports: readonly RunReport[], leftOut: readonly Refused[]): string => {
  const table = new Table({
    head: ['scenario', 'verdict', 'sent', 'lost', 'twice', 'latest before', 'latest since', 'run'],
    style: { head: [], border: [], compact: true },
  })
  for (const { drill: one, alerts, run } of reports)
    if (one)
      table.push([
        one.scenario,
        one.verdict,
        alerts?.sent ?? '',
        alerts?.lost ?? '',
        alerts?.duplicated ?? '',
        seconds(one.figures.control.largestDelayMs),
        seconds(one.figures.during.largestDelayMs),
        run,
      ])
  const odd = reports.flatMap(({ drill: one }) =>
    one && one.verdict !== 'passed' ? [onOneLine(`${one.scenario} ${one.verdict}: ${one.causes.join('; ')}`)] : [],
  )
  const left = leftOut.map(({ scenario, refused }) => onOneLine(`${scenario.name} was left out: ${refused}`))
  return [table.toString(), ...odd, ...left].join('\n')
}
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

const isDuration = (text: string): boolean => /^\d+(s|m)$/.test(text)

export default command({
  name: 'drill',
  positionals: '[scenarios..]',
  summary: 'Break things on purpose, watch the alerts, undo it, and judge',
  examples: [
    'vestal drill --list',
    'vestal drill kill-alertmanager partition -i inventory/ha',
    'vestal drill --all -i inventory/ha',
    'vestal drill heal -i inventory/ha',
    'vestal drill routes -i inventory/ha',
    "vestal drill schedule install routes -i inventory/ha --at 'Mon..Fri 10:00'",
    'vestal drill schedule status',
  ],
  options: (args: Argv) =>
    commonOptionsAlone(args)
      .positional('scenarios', {
        type: 'string',
        array: true,
        default: [] as string[],
        describe:
          'Names, or files of your own; `heal` undoes what drills have left; `routes`, with receivers behind it or without, notifies them of a test; `schedule` install, remove or status',
      })
      .option('list', { type: 'boolean', default: false, describe: 'List scenarios, and do nothing' })
      .option('all', { type: 'boolean', default: false, describe: 'Every scenario that this fleet can stand' })
      .option('force', {
        type: 'boolean',
        default: false,
        describe: 'Also those that take away the last healthy one of a service',
      })
      .option('yes', { alias: 'y', type: 'boolean', default: false, describe: 'Do not ask before' })
      .option('control', {
        type: 'string',
        default: DEFAULT_CONTROL,
        requiresArg: true,
        describe: 'How long alerts are watched before anything is broken',
      })
      .option('set', {
        ...listOption('A setting of a scenario, as NAME=VALUE; may be given again'),
        default: NONE,
      })
      .option('tenant', {
        type: 'string',
        requiresArg: true,
        describe: 'For routes: the tenant of a ring whose receivers are tried',
      })
      .option('pages', {
        type: 'boolean',
        default: false,
        describe: 'Write the page of each run, report.html, into its folder',
      })
      .option('metrics', {
        type: 'string',
        requiresArg: true,
        describe: 'Write what the runs came to into this file, as metrics that node_exporter reads',
      })
      .option('at', {
        type: 'string',
        requiresArg: true,
        describe: "For schedule install: when, as systemd has it: 'Mon 10:00'",
      })
      .option('name', {
        type: 'string',
        requiresArg: true,
        describe: 'For schedule: what it is called; default: by inventory and scenarios',
      })
      .option('textfile', {
        type: 'string',
        requiresArg: true,
        describe: "For schedule install: the folder that this machine's node_exporter reads metrics from, or none",
      })
      .check(({ control }) => (isDuration(control) ? true : '--control takes a time, such as 20s')),
  run: drill,
})
