/** The benchmark: `npm run bench -- --help`. It brings up labs of its own, `bench` and `bench50`, and takes them down. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release, tmpdir, totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import { toExitCode } from '../../cli/failure.ts'
import { InputError } from '../../lib/errors.ts'
import { labDown } from '../../lib/lab/lab.ts'
import { type Ansible, ansible, findAnsible, forgetAnsible, serveMirror } from './ansible.ts'
import { haFleet, watchedFleet } from './fleets.ts'
import { help, type Options, readOptions } from './options.ts'
import { type FleetFigures, type FleetSamples, figuresOf, textOf } from './report.ts'
import { freshLab, measure, measureStatus, type Rounds, type Site, type Tool } from './rounds.ts'
import type { Sample } from './statistics.ts'
import { type Deployed, floor, forgetVestal, vestal } from './tools.ts'

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
    const figures: FleetFigures[] = []
    const keep = (samples: FleetSamples | undefined): void => {
      if (!samples) return
      figures.push(figuresOf(samples))
      process.stdout.write(`\n${textOf(figuresOf(samples))}\n`)
    }
    keep(await six(options, { folder, signal, ansible: typeof found === 'string' ? undefined : found }))
    keep(await fifty(options, { folder, signal }))
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
}

const six = async (
  { only, runs }: Options,
  { folder, signal, ansible: found }: Place,
): Promise<FleetSamples | undefined> => {
  if (!only.has('floor') && !only.has('vestal') && !found) return undefined
  const site: Site = { bench: { lab: 'bench', folder, signal }, fleet: await haFleet(folder), say }
  const rounds = { first: 2, nothing: runs, change: runs }
  try {
    const withVestal = only.has('vestal') ? await measure(vestalTool(site), site, rounds) : undefined
    const status = withVestal && (await measureStatus(site, runs))
    const peakBytes = withVestal && (await vestal(site.bench, site.fleet, { peak: true })).peakBytes
    // A deploy by Ansible takes minutes, and its times differ little.
    const fewer = { first: 2, nothing: Math.min(runs, 3), change: Math.min(runs, 3) }
    const withAnsible = found && (await ansibleRounds(found, site, fewer))
    return {
      hosts: site.fleet.hosts.length,
      floor: withVestal || withAnsible ? undefined : await floorAlone(site, runs),
      vestal: withVestal,
      status,
      ansible: withAnsible,
      peakBytes,
    }
  } finally {
    await labDown(site.bench.lab)
  }
}

const fifty = async ({ only, runs }: Options, { folder, signal }: Place): Promise<FleetSamples | undefined> => {
  if (!only.has('fifty')) return undefined
  const site: Site = { bench: { lab: 'bench50', folder, signal }, fleet: await watchedFleet(folder, 50), say }
  try {
    const measured = await measure(vestalTool(site), site, { first: 1, nothing: runs, change: 0 })
    const { peakBytes } = await vestal(site.bench, site.fleet, { peak: true })
    return { hosts: site.fleet.hosts.length, vestal: measured, peakBytes }
  } finally {
    await labDown(site.bench.lab)
  }
}

const vestalTool = ({ bench: at, fleet }: Site): Tool<Deployed> => ({
  name: 'Vestal',
  deploy: () => vestal(at, fleet),
  forget: async () => forgetVestal(at, fleet),
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
