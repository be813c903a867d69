import type { Emit } from '../lib/engine/events.ts'
import { askGates } from '../lib/engine/gates.ts'
import type { Connect } from '../lib/engine/pool.ts'
import type { WatchedFleet } from '../lib/ledger/fleet.ts'
import { type Ledger, openLedger } from '../lib/ledger/ledger.ts'
import type { Ears, ReceiverAnswer } from '../lib/ledger/receiver.ts'
import type { NoPath } from '../lib/ledger/tally.ts'
import type { Gate, GateReport } from '../lib/model.ts'
import { CANARY_ALERT, CANARY_RECEIVER } from '../roles/alertmanager/canary.ts'

interface Watching {
  readonly run: string
  readonly connect: Connect
  readonly emit: Emit
  /** Links that it shares with ledgers of other runs; default: its own. */
  readonly ears?: Ears
  /** How the receiver answers, where it is to behave as one that doesn't work. */
  readonly answer?: () => ReceiverAnswer
  /** Which canaries nothing is left to evaluate. */
  readonly noPath?: () => NoPath | undefined
  /** Keeps what the ledger writes down. */
  readonly record: (event: object) => void
  readonly stop: AbortSignal
  readonly abandon: AbortSignal
}

/** A ledger whose gates, progress and every notification are kept and shown as the run's own. */
export const watchAlerts = (fleet: WatchedFleet, watching: Watching): Ledger => {
  const { run, connect, emit, ears, answer, noPath, record, stop, abandon } = watching
  return openLedger({
    run,
    fleet,
    names: { alert: CANARY_ALERT, receiver: CANARY_RECEIVER },
    connect,
    ask: (gate, signal) => askOne(gate, { emit, signal }),
    ears,
    answer,
    noPath,
    record,
    tell: (alerts) => emit({ event: 'alerts', alerts }),
    stop,
    abandon,
  })
}

/** What the ledger has counted is at hand: drills wait for it one after the other. */
const LOOK_MS = 500

const askOne = async (gate: Gate, { emit, signal }: { emit: Emit; signal: AbortSignal }): Promise<GateReport> => {
  const reach = (): never => {
    throw new Error('a gate of the ledger asks no host')
  }
  const [report] = await askGates([gate], { play: 'Canary alerts', reach, emit, signal, longestPauseMs: LOOK_MS })
  if (!report) throw new Error('a gate was asked and has no report')
  return report
}
