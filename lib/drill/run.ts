import { setTimeout as sleep } from 'node:timers/promises'
import { milliseconds } from '../duration.ts'
import type { Emit } from '../engine/events.ts'
import { askGates } from '../engine/gates.ts'
import type { Pool } from '../engine/pool.ts'
import { HostError } from '../errors.ts'
import type { LedgerEvent } from '../ledger/events.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { ReceiverAnswer } from '../ledger/receiver.ts'
import type { AlertsReport, DrilledFault, DrillReport, Duration, Gate, GateReport } from '../model.ts'
import { whenAborted } from '../signals.ts'
import type { ChangeFault, Fault } from './fault.ts'
import { type Away, figuresOf } from './figures.ts'
import { type Breaking, breakingsOf } from './machine.ts'
import { askThroughout, unanswered } from './questions.ts'
import type { DrillFleet, Question, Scenario } from './scenario.ts'
import { verdictOf } from './verdict.ts'
import { type WatchedService, watchServices } from './watch.ts'

export interface DrillOptions {
  readonly run: string
  readonly scenario: Scenario
  readonly faults: readonly Fault[]
  readonly fleet: DrillFleet
  /** Everything that is asked of a fleet that works; before the faults, and after them. */
  readonly steady: readonly Gate[]
  readonly watched: readonly WatchedService[]
  /** Asked all the while. */
  readonly questions: readonly Question[]
  readonly ledger: Ledger
  /** What the ledger has written down so far. */
  events(): readonly LedgerEvent[]
  /** The ledger's count of lost canaries so far. */
  lost(): number
  readonly peerWaitMs: number
  /** How long alerts are watched before the faults. */
  readonly controlMs: number
  /** The faults are not begun before it settles: alerts of an earlier drill are under way. Alerts are watched so much longer before them. */
  readonly until?: Promise<unknown>
  /** Told when all is as it was, and nothing is left to be done but to watch alerts: another drill may be made ready. Not where something went wrong. */
  healed?(): void
  /** How long a service that is no part of the drill may not serve before the drill ends; default 15 s. */
  readonly leftMs?: number
  /** The ids of the silences that each Alertmanager knows, by the name of its host. */
  silences(): Promise<ReadonlyMap<string, HeldSilences>>
  /** What is known to be wrong with the fleet, asked where the drill did not pass. */
  diagnose(): Promise<readonly string[]>
  /** Where canary alerts stop on their way, asked at once where they don't arrive, or one is lost. */
  whereStuck(): Promise<readonly string[]>
  /** Lets the receiver of canary alerts answer like this; as it should for null. */
  setReceiver(answer: ReceiverAnswer | null): void
  /** Makes a change by a run of its own, or takes it back. Throws HostError where that fails. */
  change(fault: ChangeFault, to: 'harm' | 'undo', signal: AbortSignal): Promise<void>
  /** Told when the faults begin, and when they are over. */
  broken?(window: { readonly beginAt: number; readonly endAt?: number }): void
  readonly pool: Pool
  readonly emit: Emit
  readonly stop: AbortSignal
  readonly abandon: AbortSignal
}
export interface HeldSilences {
  /** In force, or to come. */
  readonly alive: readonly string[]
  /** Those that are over, too. */
  readonly known: readonly string[]
}
export interface Drilled {
  readonly drill: DrillReport
  readonly gates: readonly GateReport[]
  readonly alerts?: AlertsReport
}
/** The machines' own undo comes so long after the faults should have been over. */
const ARMED_MORE_S = 45
const STEADY: Duration = '45s'
const HEALED: Duration = '2m'
const LASTS: Duration = '30s'
/** After everything is as it was, alerts are watched for so long again. */
const AFTERWARDS_MS = 5_000

const NEVER = new AbortController().signal

/** How long the faults of a scenario last, in milliseconds. */
export const lastsOf = ({ lasts = LASTS }: Pick<Scenario, 'lasts'>): number => milliseconds(lasts)

/** What is found out while a drill goes on, in the words of its verdict. */
interface Findings {
  readonly aborted: string[]
  readonly broken: string[]
  readonly gates: GateReport[]
}

/**
 * Holds a drill: the steady state and alerts that arrive first, a time in which nothing is done, the undo on every machine, the faults, the undo, and
 * the steady state again. Whatever goes wrong, what was begun is undone. Never throws for what a machine does or says: that is its verdict.
 */
export const runDrill = async (options: DrillOptions): Promise<Drilled> => {
  const { scenario, ledger, stop, watched } = options
  const found: Findings = { aborted: [], broken: [], gates: [] }
  const ended = new AbortController()
  const over = AbortSignal.any([stop, ended.signal])
  const touched = new Set(
    options.faults.flatMap((fault) =>
      fault.kind === 'change'
        ? fault.touches.map(({ name }) => `${name} `)
        : [`${fault.host.name} ${fault.takes === 'machine' ? '' : fault.takes}`],
    ),
  )
  const isTouched = ({ host, unit }: WatchedService) =>
    touched.has(`${host.name} `) || touched.has(`${host.name} ${unit}`)
  let harming = false
  /** Asked while canaries are still sent and the faults last, as it can't be told afterwards; told only where one is lost. */
  let stuck: Promise<readonly string[]> | undefined
  const lookWhereStuck = (): void => {
    stuck ??= options.whereStuck().catch(() => [])
  }
  const end = (why: string): void => {
    if (ended.signal.aborted || !harming) return
    found.aborted.push(why)
    ended.abort()
  }
  const away: TakenAway[] = []
  const drilled = options.faults.map(
    (fault): Mutable<DrilledFault> => ({ name: fault.name, host: fault.host.name, undone: true }),
  )
  const result = await (async () => {
    if (!(await steadyBefore(options, found))) return null
    if (!(await alertsArrive(options, found))) return null
    await using watch = watchServices(watched, {
      reach: options.pool.reach,
      onLost: options.pool.forget,
      leftMs: options.leftMs,
      changed: (sample) => options.emit({ event: 'seen', ...sample }),
      left(service, why) {
        if (!isTouched(service))
          end(`${service.title} of ${service.host.name}, which is not part of the drill, stopped serving: ${why}`)
      },
    })
    await using asking = askThroughout(options.questions, options.pool.reach)
    const lostWatch = setInterval(() => {
      // What is lost already won't come back: there is nothing more to learn.
      if (!harming || ended.signal.aborted || options.lost() === 0) return
      ended.abort()
      lookWhereStuck()
    }, 1_000)
    try {
      await pause(options.controlMs, over)
      await Promise.race([options.until, whenAborted(over)])
      const silences = await options.silences().catch(() => null)
      harming = true
      const window = over.aborted
        ? undefined
        : await breakAndHeal({ ...options, drilled, away, found, over, lookWhereStuck })
      harming = false
      const healed = window && !stop.aborted ? await steadyAfter(options, { found, watch, endAt: window.endAt }) : {}
      const answered = asking.answered()
      await asking[Symbol.asyncDispose]()
      if (window && !stop.aborted) found.broken.push(...unanswered(options.questions, answered))
      if (silences) await silencesKept(options, silences, found)
      const alerts = stop.aborted ? undefined : await alertsEnd(ledger, found)
      if (ended.signal.aborted || (alerts?.lost ?? 0) > 0) found.broken.push(...((await stuck) ?? []))
      return { window, healed, alerts, samples: [...watch.samples], answered }
    } finally {
      clearInterval(lostWatch)
    }
  })()
  const figures = {
    ...figuresOf(options.events(), result?.window, untoldAfter(away, { scenario, ...result })),
    ...(result && result.answered.length > 0 && { answered: result.answered }),
    ...result?.healed,
  }
  const judged = verdictOf({
    allowed: scenario.allowed,
    peerWaitMs: options.peerWaitMs,
    interrupted: stop.aborted,
    aborted: found.aborted,
    broken: found.broken,
    alerts: result?.alerts ?? null,
    figures,
  })
  const asked = judged.verdict === 'failed' || judged.verdict === 'aborted'
  const known = asked ? await options.diagnose().catch(() => []) : []
  return {
    drill: {
      scenario: scenario.name,
      summary: scenario.summary,
      contract: scenario.contract,
      faults: drilled,
      steady: result?.samples ?? [],
      figures,
      verdict: judged.verdict,
      causes: [...judged.causes, ...known],
    },
    gates: found.gates,
    alerts: result?.alerts,
  }
}

/** Milliseconds of the controller's clock. */
interface TakenAway {
  readonly host: string
  readonly beginAt: number
  /** When its undo was begun. */
  readonly backAt: number
}

/** Members that are back, of a scenario that knows how long such a one may be told nothing: from when it serves again. */
const untoldAfter = (
  away: readonly TakenAway[],
  {
    scenario: { allowed },
    window,
    healed,
  }: {
    readonly scenario: Scenario
    readonly window?: { readonly endAt: number }
    readonly healed?: { readonly healedMs?: number }
  },
): readonly Away[] => {
  if (!(allowed.untold && window)) return []
  const servesAt = window.endAt + (healed?.healedMs ?? 0)
  return away.map(({ host, beginAt, backAt }) => ({
    host,
    backAt,
    hearsAt: servesAt + (allowed.untold?.(servesAt - beginAt) ?? 0),
  }))
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

const steadyBefore = async (options: DrillOptions, found: Findings): Promise<boolean> => {
  const gates = await ask(options, { play: 'Steady before', within: STEADY, signal: options.stop }, options.steady)
  found.gates.push(...gates)
  const bad = gates.filter(({ pass }) => !pass)
  if (options.stop.aborted) return false
  found.broken.push(...bad.map(({ host, name, why }) => `before anything was done, ${host}: ${name}: ${why}`))
  return bad.length === 0
}

const alertsArrive = async ({ ledger, stop, whereStuck }: DrillOptions, found: Findings): Promise<boolean> => {
  try {
    found.gates.push(...(await ledger.begin()))
    return !stop.aborted
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    found.broken.push(
      `before anything was done, ${error.host}: ${error.message}`,
      ...(await whereStuck().catch(() => [])),
    )
    return false
  }
}

interface Doing extends DrillOptions {
  readonly drilled: Mutable<DrilledFault>[]
  /** Faults that are undone. */
  readonly away: TakenAway[]
  readonly found: Findings
  readonly over: AbortSignal
  lookWhereStuck(): void
}

/** From the first undo that is armed to the last one that is done. Returns when the faults began and ended; nothing where none did. */
const breakAndHeal = async (doing: Doing) => {
  const { run, scenario, faults, fleet, pool, found, over } = doing
  const lasts = lastsOf(scenario)
  const armedFor = Math.ceil((lasts + Math.max(0, ...faults.map(({ afterMs = 0 }) => afterMs))) / 1000) + ARMED_MORE_S
  const breakings = breakingsOf(faults, {
    run,
    machines: pool,
    lab: fleet.lab,
    setReceiver: doing.setReceiver,
    // An undo is never ended: what is half undone would be left so.
    change: (fault, to) => doing.change(fault, to, to === 'harm' ? over : NEVER),
  })
  const begun = new Set<Breaking>()
  let beginAt: number | undefined
  let endAt: number | undefined
  try {
    const armed = await Promise.allSettled(breakings.map((one, at) => arm(one, { armedFor, at, doing, begun })))
    const refused = armed.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []))
    for (const error of refused) found.aborted.push(said(error))
    if (refused.length > 0 || over.aborted) return undefined
    beginAt = Date.now()
    doing.broken?.({ beginAt })
    await Promise.all([
      Promise.all(breakings.map((one, at) => harm(one, { at, doing }))),
      meanwhile(doing, lasts),
      pause(lasts, over),
    ])
    doing.lookWhereStuck()
  } finally {
    await Promise.all([...begun].map((one) => heal(one, breakings.indexOf(one), doing)))
    endAt = Date.now()
    if (beginAt !== undefined) doing.broken?.({ beginAt, endAt })
  }
  return { beginAt, endAt }
}

const arm = async (
  one: Breaking,
  { armedFor, at, doing, begun }: { armedFor: number; at: number; doing: Doing; begun: Set<Breaking> },
): Promise<void> => {
  const { drilled, emit } = doing
  begun.add(one)
  const fault = drilled[at]
  if (fault) fault.undone = false
  await one.arm(armedFor)
  if (fault) fault.armedAt = new Date().toISOString()
  emit({ event: 'fault', host: one.fault.host.name, name: one.fault.name, state: 'armed' })
}

const harm = async (one: Breaking, { at, doing }: { at: number; doing: Doing }): Promise<void> => {
  const { found, over, emit, drilled } = doing
  const { fault } = one
  if (fault.afterMs) await pause(fault.afterMs, over)
  if (over.aborted) return
  const record = drilled[at]
  if (record) record.beginAt = new Date().toISOString()
  emit({ event: 'fault', host: fault.host.name, name: fault.name, state: 'begun' })
  try {
    await one.harm()
  } catch (error) {
    found.aborted.push(`${fault.name}: it could not be done: ${said(error)}`)
  }
}

const heal = async (one: Breaking, at: number, { away, found, drilled, emit }: Doing): Promise<void> => {
  const { name, host } = one.fault
  const record = drilled[at]
  const backAt = Date.now()
  try {
    await one.heal()
    if (record?.beginAt) away.push({ host: host.name, beginAt: Date.parse(record.beginAt), backAt })
    if (record) Object.assign(record, { undone: true, ...(record.beginAt && { endAt: new Date().toISOString() }) })
    emit({ event: 'fault', host: host.name, name, state: 'undone' })
  } catch (error) {
    const rest = record?.armedAt
      ? 'the machine tries by itself; vestal drill heal tries again'
      : 'vestal drill heal tries again'
    found.broken.push(`${name}: it could not be undone: ${said(error)}; ${rest}`)
    emit({ event: 'fault', host: host.name, name, state: 'not undone', why: said(error) })
  }
}

const meanwhile = async (doing: Doing, lasts: number): Promise<void> => {
  const gates = doing.scenario.meanwhile?.(doing.fleet) ?? []
  if (gates.length === 0) return
  const asked = await ask(doing, { play: 'Meanwhile', within: `${lasts}ms`, signal: doing.over }, gates)
  if (doing.over.aborted) return
  doing.found.gates.push(...asked)
  doing.found.broken.push(
    ...asked.filter(({ pass }) => !pass).map(({ host, name, why }) => `meanwhile, ${host}: ${name}: ${why}`),
  )
}

const steadyAfter = async (
  options: DrillOptions,
  { found, watch, endAt }: { found: Findings; watch: { allMembersSeen(): boolean }; endAt: number },
) => {
  const { scenario, abandon, stop } = options
  const within = scenario.allowed.healed ?? HEALED
  let gossipHealedMs: number | undefined
  const looking = setInterval(() => {
    if (gossipHealedMs === undefined && watch.allMembersSeen()) gossipHealedMs = Date.now() - endAt
  }, 250)
  try {
    const signal = AbortSignal.any([abandon, stop])
    const gates = await ask(options, { play: 'Steady after', within, signal }, options.steady)
    const healedMs = Date.now() - endAt
    if (stop.aborted) return {}
    found.gates.push(...gates)
    const bad = gates.filter(({ pass }) => !pass)
    found.broken.push(...bad.map(({ host, name, why }) => `${within} after the faults, ${host}: ${name}: ${why}`))
    const { afterwards } = scenario
    if (bad.length === 0 && !found.aborted.length && !found.broken.length) options.healed?.()
    await pause(afterwards ? milliseconds(afterwards) : Math.min(AFTERWARDS_MS, options.controlMs), signal)
    return {
      ...(bad.length === 0 && { healedMs }),
      ...(gossipHealedMs !== undefined && { gossipHealedMs }),
    }
  } finally {
    clearInterval(looking)
  }
}

const silencesKept = async (
  { silences, stop }: DrillOptions,
  before: ReadonlyMap<string, HeldSilences>,
  found: Findings,
): Promise<void> => {
  if (stop.aborted) return
  const after = await silences().catch(() => null)
  if (!after) return
  const wanted = new Set([...before.values()].flatMap(({ alive }) => alive))
  for (const [host, { known }] of after) {
    const missing = [...wanted].filter((id) => !known.includes(id))
    if (missing.length > 0)
      found.broken.push(`${host} has lost silences that were in force before: ${missing.join(', ')}`)
  }
}

const alertsEnd = async (ledger: Ledger, found: Findings): Promise<AlertsReport> => {
  const { alerts, gates } = await ledger.end()
  found.gates.push(...gates)
  found.broken.push(...gates.filter(({ pass }) => !pass).map(({ name, why }) => `${name}: ${why}`))
  return alerts
}

const ask = (
  { pool, emit }: Pick<DrillOptions, 'pool' | 'emit'>,
  { play, within, signal }: { readonly play: string; readonly within: Duration; readonly signal: AbortSignal },
  gates: readonly Gate[],
): Promise<readonly GateReport[]> =>
  askGates(
    gates.map((gate) => ({ ...gate, within })),
    { play, reach: pool.reach, emit, signal },
  )

/** Until the time is up or the signal is given. */
const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  Promise.race([sleep(ms, undefined, { signal }).catch(() => undefined), whenAborted(signal)])

const said = (error: unknown): string =>
  error instanceof HostError
    ? `${error.host}: ${error.message}`
    : error instanceof Error
      ? error.message
      : String(error)
