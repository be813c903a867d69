import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import Table from 'cli-table3'
import {
  metricsFiles,
  NAME,
  namesAmong,
  type Schedule,
  scheduleIn,
  serviceText,
  timerText,
  unitName,
} from '../../../lib/drill/schedule.ts'
import { HostError, InputError } from '../../../lib/errors.ts'
import { didYouMean } from '../../../lib/inventory/did-you-mean.ts'
import { propertiesIn } from '../../../lib/properties.ts'
import { replaceFile } from '../../../lib/replace-file.ts'
import { runsFolder } from '../../../lib/report/folder.ts'
import { print, shown } from '../../../lib/report/print.ts'

export interface Scheduling {
  readonly json: boolean
  readonly name?: string
  readonly at?: string
  /** Scenarios and flags of the drill. */
  readonly what: readonly string[]
  readonly inventory: readonly string[]
  /** The folder of this machine's node_exporter; `none` for no metrics. */
  readonly textfile?: string
}

/** Where this user's units are: those of the system for root, else of the user's own systemd. */
const isRoot = process.getuid?.() === 0
const UNITS = isRoot
  ? '/etc/systemd/system'
  : join(process.env.XDG_CONFIG_HOME ?? join(homedir(), '.config'), 'systemd/user')
const ENVIRONMENT = isRoot ? '/etc/vestal/drill.env' : join(homedir(), '.config/vestal/drill.env')
const NO_METRICS = 'none'
const TEXTFILE = '/var/lib/node_exporter/textfile'

/** Installs a timer on this machine. Throws InputError for a time that systemd doesn't know, HostError where systemd doesn't take it. */
export const install = async (wanted: Scheduling): Promise<number> => {
  const { at, what, inventory, json } = wanted
  const name = wanted.name ?? nameFor(inventory, what)
  if (!NAME.test(name))
    throw mistake('--name', `${name} is no name of letters, digits and hyphens`, 'Give another with --name.')
  if (at === undefined) throw mistake('--at', 'when?', "As systemd has it, systemd.time(7): --at 'Mon 10:00'")
  await requireCalendar(at)
  const textfile = folderOf(wanted)
  const schedule: Schedule = { name, what: [...what], inventory: inventory.map((path) => resolve(path)), at, textfile }
  const [, program = ''] = process.argv
  mkdirSync(UNITS, { recursive: true })
  put(
    unitName(name, 'service'),
    serviceText(schedule, {
      program: [process.execPath, resolve(program)],
      workingFolder: process.cwd(),
      runs: runsFolder(),
      environmentFile: ENVIRONMENT,
    }),
  )
  put(unitName(name, 'timer'), timerText(schedule))
  await systemctl('daemon-reload')
  await systemctl('enable', '--now', unitName(name, 'timer'))
  // One that was there runs on with its old time until then.
  await systemctl('restart', unitName(name, 'timer'))
  const [row] = (await rows()).filter((one) => one.name === name)
  if (json) print(JSON.stringify({ vestal: 'drill-schedule/1', schedules: row ? [row] : [] }, null, 2))
  else
    print(
      `${unitName(name, 'timer')} is installed; next: ${row?.next ?? '?'}. Secrets that the inventory takes from its environment are read from ${ENVIRONMENT}.`,
    )
  return 0
}

/** Takes a timer away, and its metrics. Throws InputError where there is none of that name. */
export const remove = async (name: string, json: boolean): Promise<number> => {
  const names = namesAmong(files())
  if (!names.includes(name))
    throw mistake(
      'vestal drill schedule remove',
      `there is no schedule ${name}${didYouMean(name, names)}`,
      '`vestal drill schedule status` lists them.',
    )
  const known = scheduleOf(name)
  await systemctl('disable', '--now', unitName(name, 'timer'))
  for (const kind of ['service', 'timer'] as const) rmSync(join(UNITS, unitName(name, kind)), { force: true })
  await systemctl('daemon-reload')
  await systemctl('reset-failed', unitName(name, 'service')).catch(() => undefined)
  if (known?.textfile)
    for (const file of Object.values(metricsFiles(name))) rmSync(join(known.textfile, file), { force: true })
  print(
    json
      ? JSON.stringify({ vestal: 'drill-schedule/1', removed: name }, null, 2)
      : `${name} is removed; its runs are kept.`,
  )
  return 0
}

/** Tells what is held when, and how it ended last. Exit code 1 where one did not end well. */
export const status = async (json: boolean): Promise<number> => {
  const all = await rows()
  if (json) print(JSON.stringify({ vestal: 'drill-schedule/1', schedules: all }, null, 2))
  else if (all.length === 0) print('No drill is scheduled on this machine.')
  else {
    const table = new Table({
      head: ['name', 'what', 'at', 'next', 'last', 'ended with'],
      style: { head: [], border: [], compact: true },
      wordWrap: true,
    })
    for (const one of shown(all))
      table.push([
        one.name,
        one.what.join(' '),
        one.at,
        one.next ?? 'never',
        one.last ?? 'never',
        one.exitCode === undefined ? '' : String(one.exitCode),
      ])
    print(table.toString())
  }
  return all.some(({ exitCode = 0 }) => exitCode !== 0) ? 1 : 0
}

interface Row extends Schedule {
  /** In systemd's words. */
  readonly next?: string
  readonly last?: string
  readonly exitCode?: number
}

const rows = async (): Promise<readonly Row[]> => {
  const all = namesAmong(files()).flatMap((name) => scheduleOf(name) ?? [])
  return Promise.all(
    all.map(async (schedule) => {
      const [timer, service] = await Promise.all([
        shownBy(unitName(schedule.name, 'timer'), 'NextElapseUSecRealtime', 'LastTriggerUSec'),
        shownBy(unitName(schedule.name, 'service'), 'ExecMainStatus', 'ExecMainExitTimestamp'),
      ])
      const { NextElapseUSecRealtime: next, LastTriggerUSec: last } = timer
      return {
        ...schedule,
        ...(next && { next }),
        ...(last && { last }),
        ...(service.ExecMainExitTimestamp && { exitCode: Number(service.ExecMainStatus) }),
      }
    }),
  )
}

const scheduleOf = (name: string): Schedule | null => {
  const file = join(UNITS, unitName(name, 'service'))
  return existsSync(file) ? scheduleIn(readFileSync(file, 'utf8')) : null
}
const files = (): readonly string[] => (existsSync(UNITS) ? readdirSync(UNITS).sort() : [])

const nameFor = (inventory: readonly string[], what: readonly string[]): string =>
  [...inventory.map((path) => resolve(path).split('/').at(-1) ?? ''), ...what.filter((one) => !one.startsWith('--set'))]
    .join('-')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 50)
    .replaceAll(/^-+|-+$/g, '')

/** Throws InputError where there is no such folder, so that nobody would read the result. */
const folderOf = ({ textfile }: Scheduling): string | null => {
  if (textfile === NO_METRICS) return null
  const folder = resolve(textfile ?? TEXTFILE)
  if (existsSync(folder)) return folder
  throw mistake(
    '--textfile',
    `${folder} is not there, so nobody would read what the drill came to`,
    "Name the folder of this machine's node_exporter (its --collector.textfile.directory), or give --textfile none.",
  )
}

const requireCalendar = async (at: string): Promise<void> => {
  try {
    await run('systemd-analyze', ['calendar', '--', at])
  } catch (error) {
    if (isMissing(error)) throw noSystemd('systemd-analyze')
    throw mistake(
      '--at',
      `systemd does not know the time ${JSON.stringify(at)}`,
      "See systemd.time(7): 'Mon 10:00', 'daily', '*-*-01 09:00'.",
    )
  }
}

const systemctl = async (...words: readonly string[]): Promise<string> => {
  try {
    return (await run('systemctl', [...(isRoot ? [] : ['--user']), '--no-ask-password', ...words])).stdout
  } catch (error) {
    if (isMissing(error)) throw noSystemd('systemctl')
    const said = (error as { readonly stderr?: string }).stderr?.trim()
    throw new HostError('this machine', `systemctl ${words.join(' ')}: ${said || error}`, {
      task: 'drill schedule',
      hint: 'Does systemd run here, and as the first process?',
    })
  }
}

const shownBy = async (unit: string, ...names: readonly string[]): Promise<Readonly<Record<string, string>>> => {
  return propertiesIn(await systemctl('show', ...names.flatMap((name) => ['-p', name]), unit))
}

const put = (name: string, text: string): void => replaceFile(join(UNITS, name), text, 0o644)

const run = promisify(execFile)
const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT'
const noSystemd = (program: string): HostError =>
  new HostError('this machine', `${program} is not there`, {
    task: 'drill schedule',
    hint: 'Schedules are timers of systemd; elsewhere let another scheduler run `vestal drill … --yes`.',
  })
const mistake = (where: string, what: string, fix: string): InputError => new InputError([{ where, what, fix }])
