import { type Connect, connectionPool } from '../engine/pool.ts'
import { HostError } from '../errors.ts'
import type { AlertsReport, Gate, GateReport } from '../model.ts'
import { allDelivered, allOver, CANARIES, FIRST, firstArrives } from './canary-gates.ts'
import type { LedgerEvent, Note } from './events.ts'
import type { CanaryNames, WatchedFleet } from './fleet.ts'
import { reachBy, requireFirst } from './kept-link.ts'
import { metricsFile } from './metrics-file.ts'
import { preflight } from './preflight.ts'
import { type Ears, openEars, type ReceiverAnswer } from './receiver.ts'
import { lifetimesOf, patienceOf } from './schedule.ts'
import { type Sender, sendCanaries } from './sending.ts'
import { holdSilence } from './silence.ts'
import { type NoPath, type Tally, tally } from './tally.ts'

/** Alerts watched from end to end while a run changes machines. */
export interface Ledger extends AsyncDisposable {
  /**
   * Opens the way back, sends canaries, and returns when the first of them has arrived. Throws HostError where the fleet is not prepared, or
   * nothing arrives.
   */
  begin(): Promise<readonly GateReport[]>
  /** Sends no more, waits until those under way are delivered and over, and tells what became of all. */
  end(): Promise<{ readonly alerts: AlertsReport; readonly gates: readonly GateReport[] }>
}
export interface LedgerOptions {
  readonly run: string
  readonly fleet: WatchedFleet
  readonly names: CanaryNames
  readonly connect: Connect
  /** Asks a gate until it says yes, its time is up or the signal is given. */
  ask(gate: Gate, signal: AbortSignal): Promise<GateReport>
  /** Links that ledgers of several runs share; default: links of its own. */
  readonly ears?: Ears
  /** How its receiver answers, asked at each notification; default: at once, with 200. */
  answer?(): ReceiverAnswer
  /** Which canaries nothing is left to evaluate, or was for a time; default: none. */
  noPath?(): NoPath | undefined
  /** Called with each event; what it is given is all that a tally needs. */
  record(event: LedgerEvent): void
  /** Called now and then with how things stand. */
  tell(alerts: AlertsReport): void
  /** Nothing new is begun after it. */
  readonly stop: AbortSignal
  /** Nothing is waited for after it. */
  readonly abandon: AbortSignal
}
const TELL_MS = 10_000
const RENEW_MS = 4 * 60_000
/** So many shards have canaries at the full pace each; more share it, so that Alertmanagers hold some hundreds of them at most. */
const AT_FULL_PACE = 4

/** A ledger over a fleet; nothing is opened before `begin`. All that it made is taken away when it is disposed. */
export const openLedger = (options: LedgerOptions): Ledger => {
  const { run, fleet, names, record, stop, abandon } = options
  let pace = fleet.pace
  const events: LedgerEvent[] = []
  const made = new AsyncDisposableStack()
  const note: Note = (event) => {
    const timed = { at: Date.now(), ...event } as LedgerEvent
    record(timed)
    // What a tally does not need is in the file only.
    if (timed.what === 'foreign') return
    events.push(timed.what === 'notified' ? { ...timed, body: undefined } : timed)
  }
  const count = (): Tally => tally(events, { ...patienceOf(pace), noPath: options.noPath?.() }, Date.now())
  const senders: Sender[] = []
  const left: { readonly host: string; readonly why: string }[] = []

  return {
    async begin() {
      const pool = made.use(connectionPool(options.connect))
      if (fleet.prepare) {
        const prepared = await fleet.prepare(pool.reach, names)
        pace = { ...pace, peerWaitMs: Math.max(pace.peerWaitMs, prepared.peerWaitMs) }
        made.defer(async () => void left.push(...(await prepared.giveBack())))
      }
      const [patience, lifetimes] = [patienceOf(pace), lifetimesOf(pace)]
      const entries = await preflight(fleet, pool.reach, names)
      const ears = options.ears ?? made.use(openEars(fleet.alertmanagers, options.connect))
      made.use(
        ears.listen({
          run,
          answer: options.answer,
          notified: note,
          foreign: (host, body) => note({ what: 'foreign', host, body }),
          lost: (host, why) => note({ what: 'link-lost', host, why }),
          back: (host) => note({ what: 'link-back', host }),
        }),
      )
      const { links } = ears
      await requireFirst(links)
      const clusters = Map.groupBy(fleet.alertmanagers, ({ way }) => way)
      for (const members of clusters.values()) {
        const silence = made.use(
          await holdSilence(
            members.map(({ endpoint }) => endpoint),
            reachBy(links),
            {
              matchers: { alertname: names.alert, run, silenced: 'true' },
              comment: `Canary alerts of run ${run}: none of these may be notified.`,
            },
          ),
        )
        const renewing = setInterval(() => void silence.renew().catch(() => undefined), RENEW_MS)
        made.defer(() => clearInterval(renewing))
      }
      const files = entries.map(({ shard, machines }) => {
        const name = shard === null ? run : `${run}-shard-${shard}`
        return { shard, file: made.use(metricsFile({ run: name, machines, connect: options.connect })) }
      })
      for (const { file } of files) await requireFirst(file.links)
      const ways = [...clusters.keys()].flatMap((way) => way ?? [])
      const everyMs = pace.everyMs * Math.ceil(entries.length / AT_FULL_PACE)
      for (const { shard, file } of files) {
        const sending = sendCanaries({
          run,
          shard,
          lifetimes,
          everyMs,
          first: Math.ceil(FIRST / entries.length),
          ...(ways.length > 0 && { ways }),
          write: file.write,
          note,
        })
        senders.push(sending)
        made.defer(() => sending.endAll())
      }
      const telling = setInterval(() => options.tell(count().report), TELL_MS)
      made.defer(() => clearInterval(telling))
      const shards = entries.map(({ shard }) => shard)
      const report = await options.ask(firstArrives(count, patience.lateMs, shards), stop)
      if (!report.pass && !stop.aborted)
        throw new HostError(CANARIES, `no canary alert came back: ${report.why}`, {
          hint: 'Nothing that serves was changed. `vestal status` asks each part of the way; --no-watch-alerts goes on without canary alerts.',
        })
      return [report]
    },

    async end() {
      const { groupIntervalMs, peerWaitMs } = pace
      const patience = patienceOf(pace)
      for (const sender of senders) sender.noMore()
      await options.ask(allDelivered(count, patience.lateMs), abandon)
      for (const sender of senders) sender.endAll()
      const bound = 2 * groupIntervalMs + peerWaitMs + patience.lateMs + patience.quietMs
      const over = await options.ask(allOver(count, bound), abandon)
      note({ what: 'closed' })
      const { report } = count()
      options.tell(report)
      await made.disposeAsync()
      const notAsItWas = await Promise.all(left.map((one) => options.ask(givenBack(one), abandon)))
      return { alerts: report, gates: [...(abandon.aborted ? [] : [over]), ...notAsItWas] }
    },

    [Symbol.asyncDispose]: () => made.disposeAsync(),
  }
}

const givenBack = ({ host, why }: { readonly host: string; readonly why: string }): Gate => ({
  name: 'configuration is as it was',
  host,
  within: '1s',
  ask: async () => ({ pass: false, final: true, why }),
})
