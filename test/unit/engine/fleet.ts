/** A few small machines, and whole runs of the engine on them. */

import { z } from 'zod'
import type { RunOptions } from '../../../lib/engine/context.ts'
import { emitter, type RunEvent } from '../../../lib/engine/events.ts'
import { run } from '../../../lib/engine/run.ts'
import type {
  Gate,
  Host,
  Inventory,
  Outcome,
  Plan,
  Play,
  Playbook,
  Role,
  RunReport,
  Task,
  Verdict,
} from '../../../lib/model.ts'
import { all } from '../../../lib/playbook.ts'
import { exitCodeOf } from '../../../lib/report/outcome.ts'
import { role } from '../../../lib/role.ts'
import { hostWith } from '../connection/host.ts'
import { type SmallMachine, type Stage, smallMachine } from './small-machine.ts'

export interface Fleet extends Disposable {
  readonly inventory: Inventory
  /** What happened, in order: each script that was sent (`change a`), and what tests add to it. */
  readonly story: string[]
  machine(name: string): SmallMachine
  /** How many machines a stage was busy on at once, at most. */
  most(stage: Stage): number
  run(book: Playbook, options?: Partial<RunOptions>): Promise<Ran>
  /** A gate of a host that answers so each time, which the story tells of. */
  gate(host: Host, name: string, answer?: Verdict | (() => Verdict)): Gate
}
export interface Ran {
  readonly plan: Plan
  readonly report: RunReport | null
  readonly code: number | null
  readonly events: readonly RunEvent[]
  /** What became of each task, by host, in words: `changed`, `skipped: why`. */
  readonly outcomes: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/** Hosts of these names; a host's group is its name's first letter. */
export const fleet = (...names: readonly string[]): Fleet => {
  const story: string[] = []
  const busy = new Map<Stage, { now: number; most: number }>()
  const count = (stage: Stage, step: number): void => {
    const { now, most } = busy.get(stage) ?? { now: 0, most: 0 }
    busy.set(stage, { now: now + step, most: Math.max(most, now + step) })
  }
  const machines = names.map((name) =>
    smallMachine(
      {
        ...hostWith({ via: 'local', address: name }),
        name,
        groups: [name.slice(0, 1)],
        machine: { ...MACHINE, arch: ARCH },
      },
      {
        told(stage, host) {
          count(stage, 1)
          if (stage !== 'connect') story.push(`${stage} ${host.name}`)
        },
        over: (stage) => count(stage, -1),
      },
    ),
  )
  const inventory = { name: 'small', folder: '/nowhere', hosts: machines.map(({ host }) => host), roles: [] }
  const machine = (name: string): SmallMachine => {
    const found = machines.find(({ host }) => host.name === name)
    if (!found) throw new Error(`there is no ${name}`)
    return found
  }
  let runs = 0
  return {
    inventory,
    story,
    machine,
    most: (stage) => busy.get(stage)?.most ?? 0,
    async run(book, options = {}) {
      const events: RunEvent[] = []
      runs += 1
      const { plan, report } = await run(book, inventory, {
        run: `run-${runs}`,
        command: `command-${runs}`,
        hosts: inventory.hosts,
        forks: 50,
        diff: false,
        confirm: () => true,
        owner: 'ann@desk',
        breakLock: [],
        stop: new AbortController().signal,
        abandon: new AbortController().signal,
        connect: (host) => machine(host.name).connect(host),
        emit: emitter(String, (event) => events.push(event)),
        ...options,
      })
      return { plan, report, code: report && exitCodeOf(report), events, outcomes: report ? inWords(report) : {} }
    },
    gate: (host, name, answer = { pass: true }) => ({
      name,
      host: host.name,
      within: '1ms',
      async ask() {
        story.push(`ask ${host.name}: ${name}`)
        return typeof answer === 'function' ? answer() : answer
      },
    }),
    [Symbol.dispose]() {
      for (const one of machines) one[Symbol.dispose]()
    },
  }
}

const ARCH = process.arch === 'arm64' ? 'arm64' : 'amd64'
const MACHINE = { releases: '', keepReleases: 3 }

const inWords = ({ hosts }: RunReport): Ran['outcomes'] =>
  Object.fromEntries(
    Object.entries(hosts).map(([host, tasks]) => [
      host,
      Object.fromEntries(Object.entries(tasks).map(([task, outcome]) => [task, words(outcome)])),
    ]),
  )

const words = (outcome: Outcome): string => {
  if (outcome.status === 'failed') return `failed: ${outcome.why}`
  return outcome.status === 'skipped' ? `skipped: ${outcome.because}` : outcome.status
}

/** A verdict that ends the asking. */
export const no = (why: string): Verdict => ({ pass: false, why, final: true })

/** A role with these tasks, the same for every host or not. */
export const roleOf = (
  name: string,
  tasks: readonly Task[] | ((host: Host) => readonly Task[]),
  gates: Partial<Record<'healthy' | 'serves', (host: Host) => readonly Gate[]>> = {},
): Role =>
  role({
    name,
    summary: name,
    vars: z.object({}),
    tasks: ({ host }) => (typeof tasks === 'function' ? tasks(host) : tasks),
    healthy: ({ host }) => gates.healthy?.(host) ?? [],
    serves: ({ host }) => gates.serves?.(host) ?? [],
  })

/** A play with these tasks on every host, unless `more` says otherwise. */
export const playOf = (name: string, roles: readonly Role[], more: Partial<Play> = {}): Play => ({
  name,
  hosts: all,
  roles,
  ...more,
})

export const bookOf = (plays: readonly Play[], more: Partial<Playbook> = {}): Playbook => ({
  name: 'book',
  summary: 'A book of plays.',
  plays,
  ...more,
})
