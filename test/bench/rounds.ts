/** The measurements themselves: which programs run one after the other, and on what fleet. */
import { labDown, labUp } from '../../lib/lab/lab.ts'
import { type EndState, type Served, servedBy } from './end-state.ts'
import { changeRule, type Fleet } from './fleets.ts'
import type { Bench } from './inside.ts'
import type { Sample } from './statistics.ts'
import { floor, type Program, status } from './tools.ts'

/** What is compared with the floor. */
export interface Tool<S extends Sample = Sample> {
  readonly name: string
  deploy(): Promise<S>
  /** Takes away what it has left on the controller, so that the next deploy is a first one. */
  forget(): Promise<void>
}
/** How often each case is measured. */
export interface Rounds {
  readonly first: number
  readonly nothing: number
  readonly change: number
  /** Whether first deploys are of fresh machines, and not of those that stand. */
  readonly anew: boolean
}
/** Samples of a tool, each taken right after one of the floor, so that both saw the machine in the same mood. */
export interface Beside<S extends Sample> {
  readonly floor: readonly Sample[]
  readonly tool: readonly S[]
}
export interface Measured<S extends Sample> {
  readonly first: Beside<S>
  readonly nothing: Beside<S>
  readonly change: Beside<S>
  /** How long after each first deploy had ended all of it served. */
  readonly servedAfterMs: readonly number[]
  readonly endState: EndState
}

export interface Site {
  readonly bench: Bench
  readonly fleet: Fleet
  readonly say: (what: string) => void
}

/** Deploys fresh machines, then the deployed ones with nothing to do, then with one rule changed before each deploy. */
export const measure = async <S extends Sample>(tool: Tool<S>, site: Site, rounds: Rounds): Promise<Measured<S>> => {
  const { bench, fleet, say } = site
  const served: Served[] = []
  const repeat = async (what: string, times: number, prepare: (round: number) => Promise<void>): Promise<Beside<S>> => {
    const samples = { floor: [] as Sample[], tool: [] as S[] }
    for (let round = 1; round <= times; round++) {
      say(`${tool.name}, ${fleet.hosts.length} machines: ${what}, ${round} of ${times}`)
      await prepare(round)
      samples.floor.push(await floor(bench, fleet))
      samples.tool.push(await tool.deploy())
      served.push(await servedBy(bench, fleet))
    }
    return samples
  }
  const first = await repeat(
    `first deploy of ${rounds.anew ? 'fresh ones' : 'the machines as they are'}`,
    rounds.first,
    async () => {
      if (rounds.change > 0) changeRule(fleet, 0)
      await tool.forget()
      if (rounds.anew) await freshLab(site)
    },
  )
  const nothing = await repeat('nothing to do', rounds.nothing, async () => undefined)
  const change = await repeat('one rule changed', rounds.change, async (round) => changeRule(fleet, round))
  const [one] = served
  if (!one) throw new Error('a fleet is measured only after a first deploy')
  const servedAfterMs = served.slice(0, rounds.first).map(({ afterMs }) => afterMs)
  return { first, nothing, change, servedAfterMs, endState: one.state }
}

/** The status of a fleet that serves, as it is after `measure`. */
export const measureStatus = async (
  { bench, fleet, say }: Site,
  program: Program,
  times: number,
): Promise<Beside<Sample>> => {
  const samples = { floor: [] as Sample[], tool: [] as Sample[] }
  for (let round = 1; round <= times; round++) {
    say(`${program.name}, ${fleet.hosts.length} machines: status, ${round} of ${times}`)
    samples.floor.push(await floor(bench, fleet))
    samples.tool.push(await status(bench, fleet, program))
  }
  return samples
}

/** Machines as they come, with nothing on them. */
export const freshLab = async ({ bench, fleet }: Site): Promise<void> => {
  await labDown(bench.lab)
  await labUp({ name: bench.lab, hosts: fleet.hosts.length })
}
