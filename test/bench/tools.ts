/** What is measured: the floor and Vestal. Ansible has a file of its own. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { RunReport } from '../../lib/model.ts'
import { type Fleet, forget } from './fleets.ts'
import { type Bench, ran } from './inside.ts'
import type { Sample } from './statistics.ts'

const FLOOR = join(import.meta.dirname, 'floor.mjs')

export const floor = (bench: Bench, { hosts }: Fleet): Promise<Sample> => {
  const way = hosts.map(({ link }) => ({ host: link.address, username: link.user, keyFile: link.keyFile }))
  return ran(bench, { name: 'floor', argv: [process.execPath, FLOOR, JSON.stringify(way)] })
}

/** A vestal that is measured, and a name for what it keeps. */
export interface Program {
  readonly name: string
  readonly path: string
}
export interface Deployed extends Sample {
  readonly report: RunReport
  /** The most memory that the process held resident; only where it was asked for. */
  readonly peakBytes?: number
}

/** Deploys with Vestal. Throws an Error with its last words if that failed. */
export const vestal = async (
  bench: Bench,
  fleet: Fleet,
  { program, peak = false }: { readonly program: Program; readonly peak?: boolean },
): Promise<Deployed> => {
  const node = [process.execPath, ...(peak ? ['--import', sayPeak] : [])]
  const env = {
    VESTAL_LAB: bench.lab,
    VESTAL_RUNS: join(bench.folder, 'runs'),
    XDG_CACHE_HOME: cacheOf(bench, program),
  }
  const argv = [...node, program.path, 'deploy', '-i', fleet.folder, '--json']
  const { stdout, ...sample } = await ran(bench, { name: 'vestal', argv, env })
  const lines = stdout.trim().split('\n')
  const peakBytes = peak ? Number(lines.pop()) * 1024 : undefined
  const last = JSON.parse(lines.at(-1) ?? '')
  if (last.event !== 'run-ended') throw new Error(`the last event of vestal's is ${last.event}, not run-ended`)
  return { ...sample, report: last.report, peakBytes }
}

/** Asks a deployed fleet for its status. Throws an Error with its last words where something is unhealthy. */
export const status = (bench: Bench, { folder }: Fleet, program: Program): Promise<Sample> => {
  const argv = [process.execPath, program.path, 'status', '-i', folder, '--json']
  return ran(bench, { name: 'status', argv, env: { VESTAL_LAB: bench.lab, XDG_CACHE_HOME: cacheOf(bench, program) } })
}

/** Takes away what an earlier first deploy has left on the controller. */
export const forgetVestal = (bench: Bench, fleet: Fleet, program: Program): void => {
  forget(fleet)
  rmSync(cacheOf(bench, program), { recursive: true, force: true })
}

const cacheOf = ({ folder }: Bench, { name }: Program): string => join(folder, 'cache', name)

/** Prints the peak resident size in KiB (getrusage(2), ru_maxrss) when the process ends. */
const sayPeak = `data:text/javascript,${encodeURIComponent("process.on('exit', () => process.getBuiltinModule('node:fs').writeSync(1, process.resourceUsage().maxRSS + '\\n'))")}`
