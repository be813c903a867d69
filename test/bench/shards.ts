/** How even shards are and what moves, by the table and by other ways, and what it costs a server: `npm run bench:shards -- --help`. No machine is contacted. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { toExitCode } from '../../cli/failure.ts'
import { InputError } from '../../lib/errors.ts'
import { columns } from '../../lib/report/columns.ts'
import { largestOverMean } from '../../lib/sharding/hand-out.ts'
import { planShards } from '../../lib/sharding/plan.ts'
import { evenOwners } from '../../lib/sharding/table.ts'
import { costOfShards, costText } from './shard-cost.ts'
import { ABOUT, FLEETS, type FleetKind, hashedBy, spreadBy, targetsOf, WAYS, type Way } from './spreads.ts'

const HELP = `Plans a fleet that is made up, and hands out fleets by the table and by other ways, for 1, 2, 3 and more shards.

  --targets N  how many targets; default 100000
  --shards N   up to how many shards; default 50
  --seed N     of the random numbers; default 1
  --cost       instead: what it costs a real server to be one of four shards, over four minutes, on this machine's loopback; --targets is 4000 then
  --out FILE   where the figures go, as JSON; default .vestal/bench-shards.json
  --help       this page

Exit code 1 where a plan takes more than 10 s of processor time, or 1 GiB. On a machine that does something else too, the time on the clock is longer.
`
const MOST_MS = 10_000
const MOST_BYTES = 1024 ** 3

interface Options {
  readonly targets: number
  readonly shards: number
  readonly seed: number
  readonly out: string
  readonly planOnly: boolean
  readonly cost: boolean
}
interface Planned {
  readonly wallMs: number
  readonly cpuMs: number
  readonly peakBytes: number
  readonly candidates: number
  readonly planned: number
}
/** Of one fleet and way, for one number of shards. */
interface Figures {
  readonly shards: number
  /** The largest shard over the mean, in series. */
  readonly largest: number
  /** What moves from one shard fewer to so many: parts of all. */
  readonly movedSeries: number
  readonly movedTargets: number
}

const bench = (options: Options): number | Promise<number> => {
  if (options.cost) return benchCost(options)
  if (options.planOnly) {
    process.stdout.write(JSON.stringify(planOnce(options)))
    return 0
  }
  const planned = planApart(options)
  process.stdout.write(
    `A plan for ${options.targets} targets and ${options.shards} shards: ${(planned.cpuMs / 1_000).toFixed(1)} s of processor time, ${(planned.wallMs / 1_000).toFixed(1)} s on the clock, ${(planned.peakBytes / 1024 ** 2).toFixed(0)} MiB at most, ${planned.candidates} label sets; the largest shard ${planned.planned.toFixed(2)} times the mean.\n`,
  )
  const fleets = FLEETS.map((kind) => {
    const figures = figuresOf(kind, options)
    process.stdout.write(`\n${kind}: ${ABOUT[kind]}\n${textOf(figures)}\n`)
    return { kind, about: ABOUT[kind], figures }
  })
  const { targets, shards, seed } = options
  keep(options, 'bench-shards/1', { targets, shards, seed, plan: planned, fleets })
  return planned.cpuMs <= MOST_MS && planned.peakBytes <= MOST_BYTES ? 0 : 1
}

const benchCost = async (options: Options): Promise<number> => {
  const { targets } = options
  const wanted = { targets, series: 50, seconds: 120 }
  const { version, costs } = await costOfShards(wanted, (what) => process.stdout.write(`${what}\n`))
  process.stdout.write(`\nPrometheus ${version}\n${costText(costs)}\n`)
  keep(options, 'bench-shard-cost/1', { ...wanted, prometheus: version, costs })
  return 0
}

const keep = ({ out }: Options, bench: string, figures: object): void => {
  mkdirSync(dirname(out), { recursive: true })
  const machine = { processors: cpus().length, model: cpus()[0]?.model, memoryBytes: totalmem(), node: process.version }
  const all = { bench, at: new Date().toISOString(), machine, load: loadavg(), ...figures }
  writeFileSync(out, `${JSON.stringify(all, null, 2)}\n`)
  process.stdout.write(`\nThe figures are in ${out}.\n`)
}

/** In a process of its own, whose memory is that of the plan and its targets alone. */
const planApart = ({ targets, shards, seed }: Options): Planned => {
  const words = ['--targets', `${targets}`, '--shards', `${shards}`, '--seed', `${seed}`, '--plan-only']
  const { status, stdout, stderr } = spawnSync(process.execPath, [import.meta.filename, ...words], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`the plan ended with ${status}: ${stderr}`)
  return JSON.parse(stdout)
}

const planOnce = ({ targets: count, shards, seed }: Options): Planned => {
  const targets = targetsOf('tail', { count, seed })
  const [began, used] = [performance.now(), process.cpuUsage()]
  const plan = planShards(
    { targets, current: { labels: ['__address__'], owners: evenOwners(Math.max(1, shards - 1)) } },
    { shards: Array.from({ length: shards }, (_, shard) => shard) },
  )
  const { user, system } = process.cpuUsage(used)
  return {
    wallMs: performance.now() - began,
    cpuMs: (user + system) / 1_000,
    // getrusage says kilobytes.
    peakBytes: process.resourceUsage().maxRSS * 1024,
    candidates: plan.candidates.length,
    planned: plan.candidates[plan.recommended]?.planned ?? Number.NaN,
  }
}

const figuresOf = (
  kind: FleetKind,
  { targets: count, shards: most, seed }: Options,
): Readonly<Record<Way, readonly Figures[]>> => {
  const targets = targetsOf(kind, { count, seed })
  const total = targets.reduce((sum, { series }) => sum + series, 0)
  const one = (way: Way): readonly Figures[] => {
    const spread = spreadBy(way, targets, hashedBy(kind))
    let before: Int32Array | undefined
    return Array.from({ length: most }, (_, at) => {
      const shards = at + 1
      const owners = spread(shards)
      const loads = new Array<number>(shards).fill(0)
      let [movedSeries, movedTargets] = [0, 0]
      for (const [target, { series }] of targets.entries()) {
        const owner = owners[target] ?? 0
        loads[owner] = (loads[owner] ?? 0) + series
        if (before && before[target] !== owner) {
          movedSeries += series
          movedTargets += 1
        }
      }
      before = owners
      return {
        shards,
        largest: largestOverMean(loads),
        movedSeries: movedSeries / total,
        movedTargets: movedTargets / targets.length,
      }
    })
  }
  return { table: one('table'), hashmod: one('hashmod'), rendezvous: one('rendezvous'), bounded: one('bounded') }
}

const SHOWN = [2, 3, 4, 5, 10, 20, 30, 40, 50]

const textOf = (figures: Readonly<Record<Way, readonly Figures[]>>): string =>
  columns(
    ['shards', ...WAYS.map((way) => `${way}: largest/mean, moved`)],
    SHOWN.filter((shards) => figures.table.some((one) => one.shards === shards)).map((shards) => [
      { text: `${shards}` },
      ...WAYS.map((way) => {
        const { largest = Number.NaN, movedSeries = Number.NaN } = figures[way][shards - 1] ?? {}
        return { text: `${largest.toFixed(2)}, ${(100 * movedSeries).toFixed(1)}%` }
      }),
    ]),
  )

const readOptions = (words: readonly string[]): Options | null => {
  const { values: said } = parse(words)
  if (said.help) return null
  const values = { ...said, targets: said.targets ?? (said.cost ? '4000' : '100000') }
  const number = (name: 'targets' | 'shards' | 'seed', most: number): number => {
    const value = Number(values[name])
    if (Number.isInteger(value) && value >= 1 && value <= most) return value
    throw new InputError([{ where: `--${name}`, what: `'${values[name]}' is not a whole number from 1 to ${most}` }])
  }
  return {
    targets: values.cost ? number('targets', 50_000) : number('targets', 1_000_000),
    cost: values.cost,
    shards: number('shards', 500),
    seed: number('seed', 2_147_483_646),
    out: values.out,
    planOnly: values['plan-only'],
  }
}

const parse = (words: readonly string[]) => {
  try {
    return parseArgs({
      args: [...words],
      options: {
        targets: { type: 'string' },
        cost: { type: 'boolean', default: false },
        shards: { type: 'string', default: '50' },
        seed: { type: 'string', default: '1' },
        out: { type: 'string', default: '.vestal/bench-shards.json' },
        'plan-only': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error)
    throw new InputError([{ where: 'command line', what, fix: 'See npm run bench:shards -- --help.' }])
  }
}

process.exitCode = await toExitCode(async () => {
  const options = readOptions(process.argv.slice(2))
  if (options) return bench(options)
  process.stdout.write(HELP)
  return 0
}, false)
