/**
 * How long a watched roll of three Alertmanagers and two Prometheus takes, beside the same without handing alerts over to a restarted Alertmanager:
 * `npm run bench:roll -- [--rounds N] [--alone] [--out FILE]`, the first without the second with `--alone`. Prometheus sends alerts again after its own minute. It brings up a lab of its own, `bench-roll`.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import { toExitCode } from '../../cli/failure.ts'
import { labDown } from '../../lib/lab/lab.ts'
import type { RunReport } from '../../lib/model.ts'
import { compiledVestal } from './compiled.ts'
import { haFleet } from './fleets.ts'
import { ran } from './inside.ts'
import { freshLab, type Site } from './rounds.ts'
import { type Program, vestal } from './tools.ts'

const RESEND = /^ {2}resend_delay: .*\n/m
const HANDING_OVER = /^.*\bcatchUp: alertsHandedOver,\n/m
const PARITY = 'Alertmanager holds the silences and alerts of its peers'
const GROUPS = ['alertmanager', 'prometheus']

/** What one roll came to. Times in seconds. */
interface Roll {
  /** The whole process, from start to end. */
  readonly took: number
  /** The longest that a restarted Alertmanager was waited for until it had all that its peers have. */
  readonly parity: number
  /** What was waited for once all machines were done. */
  readonly end: number
  readonly sent: number
  readonly lost: number
  readonly duplicated: number
  readonly refired: number
  /** Of the box, when it began. */
  readonly load: number
}

const say = (what: string): void => void process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${what}\n`)

/** The text without what stands once in it. Throws an Error where it doesn't. */
const without = (text: string, what: RegExp): string => {
  const rest = text.replace(what, '')
  if (rest === text || what.test(rest)) throw new Error(`not exactly once there: ${what}`)
  return rest
}

/** The same program, but for the one line by which a restarted Alertmanager is handed alerts. */
const withoutHandingOver = (path: string): string => {
  const [from, to] = [dirname(dirname(path)), `${dirname(dirname(path))}-without`]
  cpSync(from, to, { recursive: true, filter: (name) => name !== join(from, 'node_modules') })
  symlinkSync(join(from, 'node_modules'), join(to, 'node_modules'))
  const role = join(to, 'dist/roles/alertmanager/role.js')
  writeFileSync(role, without(readFileSync(role, 'utf8'), HANDING_OVER))
  return join(to, 'cli/vestal.js')
}

/** Restarts all five, by a log level that they don't run with. */
const roll = async ({ bench, fleet }: Site, { path }: Program, level: string): Promise<Roll> => {
  for (const group of GROUPS) {
    const vars = join(fleet.folder, `group_vars/${group}.yml`)
    const text = readFileSync(vars, 'utf8').replace(/^ {2}log_level: .*\n/m, '')
    writeFileSync(vars, text.replace(`${group}:\n`, `${group}:\n  log_level: ${level}\n`))
  }
  const [load = 0] = loadavg()
  // It ends with 1 where an alert was notified twice: that is a figure of the table, and no end of it.
  const told = ['sh', '-c', '"$@" || [ $? = 1 ]', 'sh', process.execPath, path]
  const argv = [...told, 'rolling-upgrade', '-i', fleet.folder, '--watch-alerts', '--json', '-y']
  const env = { VESTAL_LAB: bench.lab, VESTAL_RUNS: join(bench.folder, 'runs') }
  const { stdout, wallMs } = await ran(bench, { name: 'roll', argv, env })
  const last: { event: string; report: RunReport } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '')
  const { alerts, gates, hosts } = last.report
  const changed = Object.values(hosts).filter((tasks) =>
    Object.values(tasks).some(({ status }) => status === 'changed'),
  )
  if (!alerts || changed.length < 5) throw new Error(`a roll of five changed ${changed.length} hosts`)
  const ends = gates.map(({ at = '', ms }) => Date.parse(at) + ms)
  const lastOfThem = gates.flatMap(({ host, at = '', ms }) => (/^prom-/.test(host) ? [Date.parse(at) + ms] : []))
  return {
    took: wallMs / 1000,
    parity: Math.max(...gates.filter(({ name }) => name === PARITY).map(({ ms }) => ms)) / 1000,
    end: (Math.max(...ends) - Math.max(...lastOfThem)) / 1000,
    sent: alerts.sent,
    lost: alerts.lost,
    duplicated: alerts.duplicated,
    refired: alerts.refired,
    load,
  }
}

const table = (rolls: Readonly<Record<string, readonly Roll[]>>): string => {
  const columns = ['took', 'parity', 'end', 'sent', 'lost', 'duplicated', 'refired', 'load'] as const
  const made = new Table({ head: ['', ...columns], style: { head: [], border: [] } })
  for (const [name, some] of Object.entries(rolls))
    for (const one of some) made.push([name, ...columns.map((column) => String(Math.round(10 * one[column]) / 10))])
  return made.toString()
}

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    alone: { type: 'boolean', default: false },
    out: { type: 'string', default: '.vestal/bench-roll.json' },
  },
})

const bench = async (signal: AbortSignal): Promise<number> => {
  const folder = mkdtempSync(join(tmpdir(), 'vestal-bench-'))
  const site: Site = {
    bench: { lab: 'bench-roll', folder, signal },
    fleet: await haFleet(folder),
    say,
  }
  const vars = join(site.fleet.folder, 'group_vars/prometheus.yml')
  writeFileSync(vars, without(readFileSync(vars, 'utf8'), RESEND))
  try {
    const path = compiledVestal(folder)
    const programs: readonly Program[] = [
      { name: 'handing over', path },
      ...(values.alone ? [] : [{ name: 'without', path: withoutHandingOver(path) }]),
    ]
    const rolls: Record<string, Roll[]> = Object.fromEntries(programs.map(({ name }) => [name, []]))
    await freshLab(site)
    await vestal(site.bench, site.fleet, { program: { name: 'first', path } })
    let turn = 0
    for (let round = 1; round <= Number(values.rounds); round++)
      for (const program of programs) {
        const one = await roll(site, program, ['warn', 'info'][turn++ % 2] ?? '')
        rolls[program.name]?.push(one)
        say(`${round} of ${values.rounds}, ${program.name}: ${JSON.stringify(one)}`)
        mkdirSync(dirname(values.out), { recursive: true })
        writeFileSync(values.out, `${JSON.stringify({ bench: 'roll/1', rolls }, null, 2)}\n`)
      }
    process.stdout.write(`${table(rolls)}\n`)
    return 0
  } finally {
    await labDown(site.bench.lab)
    rmSync(folder, { recursive: true, force: true })
  }
}

const stop = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort())
const code = await toExitCode(() => bench(stop.signal), false)
process.exitCode = stop.signal.aborted ? 130 : code
