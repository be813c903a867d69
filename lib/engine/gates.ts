import { setTimeout as sleep } from 'node:timers/promises'
import { milliseconds } from '../duration.ts'
import type { Gate, GateReport, Reach, Verdict } from '../model.ts'
import type { Emit } from './events.ts'

export interface GateOptions {
  readonly play: string
  readonly reach: Reach
  readonly emit: Emit
  readonly signal?: AbortSignal
  /** From one question to the next, at most; default 2 s. Less is for what asks no host. */
  readonly longestPauseMs?: number
}
const FIRST_PAUSE = 250
const LONGEST_PAUSE = 2_000

/** Asks every gate until it passes, its time is up, or it says no for good; all at once. Never throws for a gate that cannot be asked: that is a no. */
export const askGates = (gates: readonly Gate[], options: GateOptions): Promise<readonly GateReport[]> =>
  Promise.all(gates.map((gate) => askUntil(gate, options)))

const askUntil = async (gate: Gate, options: GateOptions): Promise<GateReport> => {
  const startedAt = Date.now()
  let deadline = startedAt + milliseconds(gate.within)
  let progress: string | undefined
  const { longestPauseMs = LONGEST_PAUSE } = options
  for (let pause = FIRST_PAUSE; ; pause = Math.min(pause * 1.5, longestPauseMs)) {
    const verdict = await ask(gate, options.reach)
    if (!verdict.pass && verdict.progress !== undefined && verdict.progress !== progress) {
      progress = verdict.progress
      deadline = Date.now() + milliseconds(gate.within)
    }
    const last = verdict.pass || verdict.final === true || Date.now() >= deadline || options.signal?.aborted === true
    const ms = Date.now() - startedAt
    options.emit({ event: 'gate', host: gate.host, play: options.play, name: gate.name, verdict, last, ms })
    if (last)
      return {
        name: gate.name,
        host: gate.host,
        play: options.play,
        pass: verdict.pass,
        why: verdict.pass ? undefined : verdict.why,
        at: new Date(startedAt).toISOString(),
        ms,
      }
    await sleep(Math.max(1, Math.min(pause, deadline - Date.now())), undefined, { signal: options.signal }).catch(
      () => undefined,
    )
  }
}

const ask = async (gate: Gate, reach: Reach): Promise<Verdict> => {
  try {
    return await gate.ask(reach)
  } catch (error) {
    // Whatever a gate stumbles over in what a host says, the run goes on to its own end: other hosts are half way.
    return { pass: false, why: error instanceof Error ? error.message : String(error) }
  }
}
