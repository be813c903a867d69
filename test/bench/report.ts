/** From samples to what is written and printed. Ratios are computed here and nowhere else. */
import Table from 'cli-table3'
import type { RunReport } from '../../lib/model.ts'
import { tally } from '../../lib/report/outcome.ts'
import type { EndState } from './end-state.ts'
import type { Beside, Measured } from './rounds.ts'
import { type Sample, type Summary, summary } from './statistics.ts'
import type { Deployed } from './tools.ts'

export const cases = ['first', 'nothing', 'change'] as const
export type Case = (typeof cases)[number]

const titles: Readonly<Record<Case, string>> = {
  first: 'first deploy',
  nothing: 'nothing to do',
  change: 'one rule changed',
}

export interface CaseFigures {
  /** Beside Vestal, or beside Ansible where Vestal was not measured. */
  readonly floor: Summary
  readonly vestal?: Summary
  readonly ansible?: Summary
  /** Another vestal, by `--beside`. */
  readonly other?: Summary
  /** Of wall times. */
  readonly vestalToFloor?: Ratio
  readonly ansibleToVestal?: Ratio
}
/** That of the medians, and that of the least times, which a busy box disturbs less. */
interface Ratio {
  readonly medians: number
  readonly least: number
}
export interface FleetFigures {
  readonly hosts: number
  /** Measured alone. */
  readonly floor?: Summary
  readonly cases: Partial<Record<Case, CaseFigures>>
  /** Vestal's own account. */
  readonly cost?: Partial<Record<Case, Cost>>
  /** How long after its first deploy had ended all of the fleet served. */
  readonly servedAfterMs: { readonly vestal?: readonly number[]; readonly ansible?: readonly number[] }
  /** The most memory that the controller held resident in a deploy with nothing to do. */
  readonly peakBytes?: { readonly vestal: number }
  /** Vestal's status of a fleet that serves. */
  readonly status?: Pick<CaseFigures, 'floor' | 'vestal' | 'other' | 'vestalToFloor'>
  /** What one more machine costs a deploy with nothing to do, from few to all of them. */
  readonly perHost?: { readonly from: number; readonly floor: PerHost; readonly vestal: PerHost }
  readonly endState?: { readonly vestal?: EndState; readonly ansible?: EndState; readonly equal?: boolean }
}
export interface PerHost {
  readonly wallMs: number
  readonly cpuMs: number
}
interface Cost {
  /** The most that any host saw in one deploy. */
  readonly execsPerHost: number
  readonly pushedBytesPerHost: number
  /** Tasks of the whole fleet that one deploy changed, at most. */
  readonly changed: number
}
export interface FleetSamples {
  readonly hosts: number
  readonly floor?: readonly Sample[]
  readonly vestal?: Measured<Deployed>
  readonly ansible?: Measured<Sample>
  readonly other?: Measured<Deployed>
  readonly otherStatus?: Beside<Sample>
  /** The same deploy of few of the machines. */
  readonly few?: { readonly hosts: number; readonly nothing: Beside<Sample> }
  readonly peakBytes?: number
  /** Vestal's status beside the floor. */
  readonly status?: Beside<Sample>
}

/** What the samples of one fleet come to. */
export const figuresOf = (samples: FleetSamples): FleetFigures => {
  const { hosts, floor, vestal, ansible, other, peakBytes, status, otherStatus, few } = samples
  return {
    hosts,
    floor: floor && summary(floor),
    cases: byCase((name) => caseFigures(vestal?.[name], ansible?.[name], other?.[name])),
    cost: vestal && byCase((name) => costOf(vestal[name].tool)),
    servedAfterMs: { vestal: vestal?.servedAfterMs, ansible: ansible?.servedAfterMs },
    peakBytes: peakBytes === undefined ? undefined : { vestal: peakBytes },
    status: caseFigures(status, undefined, otherStatus),
    perHost: vestal && few && perHost(vestal.nothing, hosts, few),
    endState: {
      vestal: vestal?.endState,
      ansible: ansible?.endState,
      equal: vestal && ansible && JSON.stringify(vestal.endState) === JSON.stringify(ansible.endState),
    },
  }
}

/** The figures of one fleet as text: wall times, processor times and what else was counted. */
export const textOf = (figures: FleetFigures): string =>
  [`${figures.hosts} machines`, wallTable(figures), processorTable(figures), ...remarks(figures)].join('\n')

const byCase = <T>(of: (name: Case) => T | undefined): Partial<Record<Case, T>> =>
  Object.fromEntries(cases.flatMap((name) => (of(name) === undefined ? [] : [[name, of(name)]])))

const perHost = (all: Beside<Sample>, hosts: number, few: Required<FleetSamples>['few']): FleetFigures['perHost'] => {
  const each = (of: 'floor' | 'tool'): PerHost => {
    const [more, less] = [summary(all[of]), summary(few.nothing[of])]
    const added = hosts - few.hosts
    return {
      wallMs: (more.medianMs - less.medianMs) / added,
      cpuMs: (more.medianCpuMs - less.medianCpuMs) / added,
    }
  }
  return { from: few.hosts, floor: each('floor'), vestal: each('tool') }
}

const caseFigures = (
  besideVestal?: Beside<Sample>,
  besideAnsible?: Beside<Sample>,
  besideOther?: Beside<Sample>,
): CaseFigures | undefined => {
  const [vestal, ansible, other] = [besideVestal, besideAnsible, besideOther].map((some) =>
    some?.tool.length ? summary(some.tool) : undefined,
  )
  if (!vestal && !ansible) return undefined
  const floor = summary((vestal ? besideVestal : besideAnsible)?.floor ?? [])
  return {
    floor,
    vestal,
    ansible,
    other,
    vestalToFloor: vestal && ratio(vestal, floor),
    ansibleToVestal: vestal && ansible && ratio(ansible, vestal),
  }
}

const ratio = (of: Summary, to: Summary): Ratio => ({
  medians: of.medianMs / to.medianMs,
  least: of.minMs / to.minMs,
})

const costOf = (deploys: readonly Deployed[]): Cost | undefined => {
  const costs = deploys.flatMap(({ report }) => Object.values(report.cost))
  if (costs.length === 0) return undefined
  return {
    execsPerHost: Math.max(...costs.map(({ execs }) => execs)),
    pushedBytesPerHost: Math.max(...costs.map(({ pushedBytes }) => pushedBytes)),
    changed: Math.max(...deploys.map(({ report }) => changedIn(report))),
  }
}

const changedIn = ({ hosts }: RunReport): number =>
  Object.values(hosts).reduce((sum, tasks) => sum + tally(tasks).changed, 0)

const wallTable = ({ floor: alone, cases: found }: FleetFigures): string => {
  const table = plainTable(['from start to end', 'floor', 'Vestal', 'Vestal / floor', 'Ansible', 'Ansible / Vestal'])
  table.push(
    ...rows(found, ({ floor, vestal, ansible, vestalToFloor, ansibleToVestal }) => [
      span(floor),
      span(vestal),
      times(vestalToFloor),
      span(ansible),
      times(ansibleToVestal),
    ]),
  )
  if (alone) table.push(['alone', span(alone), '', '', '', ''])
  return table.toString()
}

const processorTable = ({ cases: found }: FleetFigures): string => {
  const table = plainTable(["controller's processor time", 'floor', 'Vestal', 'Ansible'])
  table.push(
    ...rows(found, ({ floor, vestal, ansible }) =>
      [floor, vestal, ansible].map((one) => (one ? seconds(one.medianCpuMs) : '')),
    ),
  )
  return table.length === 0 ? '' : table.toString()
}

const remarks = ({
  cost,
  peakBytes,
  servedAfterMs,
  endState,
  status,
  cases: found,
  perHost: each,
}: FleetFigures): readonly string[] => [
  ...cases.flatMap((name) => {
    const other = found[name]?.other
    return other ? [`the other, ${titles[name]}: ${span(other)}, ${seconds(other.medianCpuMs)} of processor time`] : []
  }),
  ...(status?.other ? [`the other, status: ${span(status.other)}`] : []),
  ...(each
    ? [
        `one more machine, nothing to do: ${perHostText(each.vestal)}; the floor ${perHostText(each.floor)}; ${plain(each.vestal.wallMs / each.floor.wallMs)} × by the clock, ${plain(each.vestal.cpuMs / each.floor.cpuMs)} × by the processor`,
      ]
    : []),
  ...(status
    ? [`Vestal, status: ${span(status.vestal)}, ${times(status.vestalToFloor)} the floor's ${span(status.floor)}`]
    : []),
  ...cases.flatMap((name) => {
    const one = cost?.[name]
    return one
      ? [
          `Vestal, ${titles[name]}: ${one.changed} tasks changed; at most ${one.execsPerHost} execs and ${kib(one.pushedBytesPerHost)} pushed per host`,
        ]
      : []
  }),
  ...(peakBytes ? [`Vestal, nothing to do: ${kib(peakBytes.vestal)} resident on the controller at most`] : []),
  ...Object.entries(servedAfterMs).flatMap(([tool, after]) =>
    after?.length ? [`${tool}: all served ${after.map(seconds).join(' and ')} after the first deploy had ended`] : [],
  ),
  ...(endState?.equal === undefined
    ? []
    : [
        endState.equal
          ? 'Both fleets ended in the same state.'
          : 'THE FLEETS DID NOT END IN THE SAME STATE: see the JSON.',
      ]),
]

const rows = (found: FleetFigures['cases'], cells: (figures: CaseFigures) => readonly string[]): readonly string[][] =>
  cases.flatMap((name) => {
    const figures = found[name]
    return figures ? [[titles[name], ...cells(figures)]] : []
  })

const plainTable = (head: readonly string[]) => new Table({ head: [...head], style: { head: [], border: [] } })
const span = (of?: Summary): string =>
  of ? `${seconds(of.medianMs)} (${short(of.minMs)}–${short(of.maxMs)}, ${of.runs} runs)` : ''
const times = (ratio?: Ratio): string => (ratio ? `${plain(ratio.medians)} × (least ${plain(ratio.least)} ×)` : '')
const plain = (value: number): string => value.toFixed(value < 10 ? 2 : 0)
const seconds = (ms: number): string => `${short(ms)} s`
const short = (ms: number): string => (ms / 1000).toFixed(ms < 10_000 ? 2 : 0)
const perHostText = ({ wallMs, cpuMs }: PerHost): string => `${plain(wallMs)} ms, ${plain(cpuMs)} ms of processor time`
const kib = (bytes: number): string =>
  bytes < 1024 * 1024 ? `${Math.round(bytes / 1024)} KiB` : `${Math.round(bytes / 1024 / 1024)} MiB`
