import type { Endpoint } from '../api/endpoint.ts'
import type { Duration, Gate, Host, Reach } from '../model.ts'
import { DoesNotApply } from './does-not-apply.ts'
import type { Fault } from './fault.ts'

/** One way of breaking a fleet on purpose: what is done, for how long, and what must hold all the same. */
export interface Scenario {
  /** One word, by which it is called. */
  readonly name: string
  readonly summary: string
  /** What of Alertmanager's contract, or of its neighbours', says what is allowed here. */
  readonly contract: string
  /** How long the faults last, from the first one on, before they are undone. Default 30s. */
  readonly lasts?: Duration
  /** How long alerts are watched once everything is as it was. Default 5s. */
  readonly afterwards?: Duration
  /** Where it can be done; default: everywhere. */
  readonly where?: 'lab'
  /** What can be said about it beside, by `--set NAME=VALUE`: what it is, and its default. One without must be given, or the scenario does not apply. */
  readonly settings?: Readonly<Record<string, { readonly about: string; readonly default?: string }>>
  /**
   * What is done to which machines, all at once unless a fault says otherwise. Changes nothing yet. Throws DoesNotApply for a fleet that has not
   * what it takes.
   */
  faults(fleet: DrillFleet): readonly Fault[]
  /** Must be answered yes while the faults last: they have done what they are to do, and no more. */
  meanwhile?(fleet: DrillFleet): readonly Gate[]
  /** Asked every second from before the faults until all is as before: there must be an answer all the while, but for some seconds. */
  questions?(fleet: DrillFleet): readonly Question[]
  readonly allowed: Allowed
}

/** What must hold. Nothing here allows that an alert is lost, or that a silenced one is notified: no scenario can. */
export interface Allowed {
  /**
   * Whether one alert may be notified twice. `never`: every member that notifies hears of every other, so that twice is a failure. `rarely`: the contract
   * allows it, and a fleet that works does without: it deviates. `freely`: those who notify cannot hear of each other.
   */
  readonly duplicates: 'never' | 'rarely' | 'freely'
  /**
   * For how long, in milliseconds, a member that was away for so long may not be told yet what others notify, once it is back: what it notifies again of that is
   * no deviation. Default: it is told at once.
   */
  untold?(awayMs: number): number
  /**
   * Whether an alert may be said to be resolved while it fires, and then to fire again. `never`, the default, or `rarely`: a member that hears nothing of an
   * alert until the end that it was told takes it for over (Prometheus says four times its `resend_delay`, rules/manager.go), which is a deviation.
   */
  readonly falseResolves?: 'never' | 'rarely'
  /** How much later than in the control window an alert may be notified; more is a deviation. */
  readonly delay: Duration
  /** How soon after the end of the faults all is as it was: gossip with every member, every service healthy. Default 2m. */
  readonly healed?: Duration
}

/** What somebody asks of the fleet who has no idea of drills. */
export interface Question {
  /** Who is asked what, in words: `Thanos Query is asked at 10.88.0.200:8090`. */
  readonly name: string
  /** For how long there may be no answer. */
  readonly most: Duration
  /** Throws where there is no answer, or one that says nothing. */
  ask(reach: Reach): Promise<void>
}

/** A scenario, as a file's default export. Returned as it is; the call gives types and completion. */
export const drill = (scenario: Scenario): Scenario => scenario

/** A fleet as scenarios see it. */
export interface DrillFleet {
  readonly prometheus: readonly DrillMember[]
  readonly alertmanagers: readonly DrillMember[]
  /** The replicas of each shard; one shard where targets are not spread. */
  readonly shards: readonly { readonly name: string; readonly prometheus: readonly DrillMember[] }[]
  /** The instances of a ring of Cortex Alertmanagers. */
  readonly ring: readonly DrillService[]
  /** Whoever answers questions for all shards, and the machines in front. */
  readonly queries: readonly DrillService[]
  readonly gateways: readonly DrillService[]
  /** Where people ask questions, from the outermost they can: an address of all gateways, each gateway, each Thanos Query. */
  readonly asked: readonly Asked[]
  /** Machines whose node_exporter reads metrics from files. */
  readonly textfiles: readonly { readonly host: Host; readonly folder: string }[]
  /** What was said by `--set`, over the scenario's own defaults. */
  readonly settings: Readonly<Record<string, string>>
  /** The lab that its machines live in; left out elsewhere. */
  readonly lab?: string
}
export interface DrillService {
  readonly host: Host
  /** Its systemd unit. */
  readonly unit: string
}
/** A place that can be asked a question in PromQL. */
export interface Asked {
  /** `10.88.0.200:8090`. */
  readonly place: string
  /** As seen from each of some machines, of which any may be the one that the drill is about. */
  readonly endpoints: readonly Endpoint[]
}
/** One service on one machine, with its web server. */
export interface DrillMember extends DrillService {
  readonly endpoint: Endpoint
  /** The port of its web server. */
  readonly port: number
  /** Where others reach it; an IP address, or a name. */
  readonly address: string
  /** The folder of its data, and its configuration file. */
  readonly data: string
  readonly config: string
  /** That the inventory wants. */
  readonly version?: string
  /** Of a cluster: where it gossips; `tls`: by TCP alone. */
  readonly gossip?: { readonly address: string; readonly port: number; readonly tls: boolean }
}

/** A setting of the scenario. Throws DoesNotApply where it was not given and has no default. */
export const setting = ({ settings }: DrillFleet, name: string): string => {
  const value = settings[name]
  if (value !== undefined) return value
  throw new DoesNotApply(`it wants --set ${name}=…`)
}

/** A setting that is a whole number from 0. Throws DoesNotApply where it is none. */
export const numberSetting = (fleet: DrillFleet, name: string): number => {
  const value = setting(fleet, name)
  if (/^\d{1,9}$/.test(value)) return Number(value)
  throw new DoesNotApply(`--set ${name} takes a number, and not ${value}`)
}

/** The first of these, and as many as are wanted. Throws DoesNotApply where there are fewer. */
export const some = <T>(members: readonly T[], count: number, what: string): readonly T[] => {
  if (members.length >= count) return members.slice(0, count)
  throw new DoesNotApply(`it takes ${count} ${what}, and the fleet has ${members.length}`)
}
