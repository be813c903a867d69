/** The benchmark: `npm run bench -- --help`. It brings up labs of its own, `bench` and `bench50`, and takes them down. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release, tmpdir, totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import { toExitCode } from '../../cli/failure.ts'
import { InputError } from '../../lib/errors.ts'
import { labDown } from '../../lib/lab/lab.ts'
import { type Ansible, ansible, findAnsible, forgetAnsible, serveMirror } from './ansible.ts'
import { compiledVestal } from './compiled.ts'
import { haFleet, watchedFleet } from './fleets.ts'
import { help, type Options, readOptions } from './options.ts'
import { type FleetFigures, type FleetSamples, figuresOf, textOf } from './report.ts'
import { freshLab, measure, measureStatus, type Rounds, type Site, type Tool } from './rounds.ts'
import type { Sample } from './statistics.ts'
import { type Deployed, floor, forgetVestal, type Program, vestal } from './tools.ts'

const say = (what: string): void => void process.stderr.write(`${what}\n`)

const bench = async (options: Options, signal: AbortSignal): Promise<number> => {
  const found = options.only.has('ansible') ? await findAnsible() : 'not asked for'
  if (typeof found === 'string' && options.only.has('ansible')) {
    if (options.named)
      throw new InputError([{ where: '--only', what: `ansible: ${found}`, fix: 'See docs/benchmark.md.' }])
    say(`Ansible is not measured: ${found}. See docs/benchmark.md.`)
  }
  const folder = mkdtempSync(join(tmpdir(), 'vestal-bench-'))
  const load = loadavg()
  try {
    const program = { name: 'Vestal', path: compiledVestal(folder) }
    const beside = options.beside ? { name: 'the other', path: options.beside } : undefined
    const figures: FleetFigures[] = []
    const keep = (samples: FleetSamples | undefined): void => {
      if (!samples) return
      figures.push(figuresOf(samples))
      process.stdout.write(`\n${textOf(figuresOf(samples))}\n`)
    }
    keep(
      await six(options, { folder, signal, program, beside, ansible: typeof found === 'string' ? undefined : found }),
    )
    keep(await fifty(options, { folder, signal, program, beside }))
    mkdirSync(dirname(options.out), { recursive: true })
    writeFileSync(options.out, `${JSON.stringify({ ...about(found), load, fleets: figures }, null, 2)}\n`)
    say(`\nThe figures are in ${options.out}.`)
    return 0
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Place {
  readonly folder: string
  readonly signal: AbortSignal
  readonly ansible?: Ansible
  readonly program: Program
  readonly beside?: Program
}

const six = async (
  { only, runs }: Options,
  { folder, signal, ansible: found, program, beside }: Place,
): Promise<FleetSamples | undefined> => {
  if (!only.has('floor') && !only.has('vestal') && !found) return undefined
  const site: Site = { bench: { lab: 'bench', folder, signal }, fleet: await haFleet(folder), say }
  const rounds = { first: 2, nothing: runs, change: runs, anew: true }
  try {
    const withVestal = only.has('vestal') ? await measure(vestalTool(site, program), site, rounds) : undefined
    const status = withVestal && (await measureStatus(site, program, runs))
    const peakBytes = withVestal && (await vestal(site.bench, site.fleet, { program, peak: true })).peakBytes
    const other = beside && withVestal && (await measure(vestalTool(site, beside), site, { ...rounds, first: 1 }))
    const otherStatus = beside && other && (await measureStatus(site, beside, runs))
    // A deploy by Ansible takes minutes, and its times differ little.
    const fewer = { first: 2, nothing: Math.min(runs, 3), change: Math.min(runs, 3), anew: true }
    const withAnsible = found && (await ansibleRounds(found, site, fewer))
    return {
      hosts: site.fleet.hosts.length,
      floor: withVestal || withAnsible ? undefined : await floorAlone(site, runs),
      vestal: withVestal,
      status,
      other: other || undefined,
      otherStatus: otherStatus || undefined,
      ansible: withAnsible,
      peakBytes,
    }
  } finally {
    await labDown(site.bench.lab)
  }
}

const fifty = async (
  { only, runs }: Options,
  { folder, signal, program, beside }: Place,
): Promise<FleetSamples | undefined> => {
  if (!only.has('fifty')) return undefined
  const site: Site = { bench: { lab: 'bench50', folder, signal }, fleet: await watchedFleet(folder, 50), say }
  try {
    const rounds = { first: 1, nothing: runs, change: 0, anew: true }
    const measured = await measure(vestalTool(site, program), site, rounds)
    const { peakBytes } = await vestal(site.bench, site.fleet, { program, peak: true })
    // The same machines, but few of them: what one more costs is the difference.
    const few: Site = { ...site, fleet: await watchedFleet(folder, FEW) }
    const ofFew = await measure(vestalTool(few, program), few, { ...rounds, anew: false })
    const other = beside && (await measure(vestalTool(site, beside), site, { ...rounds, anew: false }))
    return {
      hosts: site.fleet.hosts.length,
      vestal: measured,
      few: { hosts: FEW, nothing: ofFew.nothing },
      other: other || undefined,
      peakBytes,
    }
  } finally {
    await labDown(site.bench.lab)
  }
}

const FEW = 5

const vestalTool = ({ bench: at, fleet }: Site, program: Program): Tool<Deployed> => ({
  name: program.name,
  deploy: () => vestal(at, fleet, { program }),
  forget: async () => forgetVestal(at, fleet, program),
})

/** The mirror is served in the lab's network, which each fresh lab has anew. */
const ansibleRounds = async (found: Ansible, site: Site, rounds: Rounds) => {
  const { bench: at, fleet } = site
  const tool: Tool<Sample> = {
    name: 'Ansible',
    async deploy() {
      using _mirror = serveMirror(at)
      return await ansible(at, fleet, found)
    },
    forget: () => forgetAnsible(at),
  }
  try {
    return await measure(tool, site, rounds)
  } finally {
    await forgetAnsible(at)
  }
}

const floorAlone = async (site: Site, runs: number): Promise<readonly Sample[]> => {
  await freshLab(site)
  const samples: Sample[] = []
  for (let round = 0; round < runs; round++) samples.push(await floor(site.bench, site.fleet))
  return samples
}

const about = (found: Ansible | string) => ({
  bench: 'bench/1',
  at: new Date().toISOString(),
  machine: {
    processors: cpus().length,
    model: cpus()[0]?.model,
    memoryBytes: totalmem(),
    kernel: release(),
    node: process.version,
  },
  ansible: typeof found === 'string' ? { missing: found } : found.versions,
})

const stop = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort())
const code = await toExitCode(async () => {
  const options = readOptions(process.argv.slice(2))
  if (options) return bench(options, stop.signal)
  process.stdout.write(help)
  return 0
}, false)
process.exitCode = stop.signal.aborted ? 130 : code
