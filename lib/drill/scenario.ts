import type { Endpoint } from '../api/endpoint.ts'
import type { Duration, Gate, Host } from '../model.ts'
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
  /** Where it can be done; default: everywhere. */
  readonly where?: 'lab'
  /**
   * What is done to which machines, all at once unless a fault says otherwise. Changes nothing yet. Throws DoesNotApply for a fleet that has not
   * what it takes.
   */
  faults(fleet: DrillFleet): readonly Fault[]
  /** Must be answered yes while the faults last: they have done what they are to do, and no more. */
  meanwhile?(fleet: DrillFleet): readonly Gate[]
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
   * Whether an alert may be said to be resolved while it fires, and then to fire again. `never`, the default, or `rarely`: a member that hears nothing of an
   * alert until the end that it was told takes it for over (Prometheus says four times its `resend_delay`, rules/manager.go), which is a deviation.
   */
  readonly falseResolves?: 'never' | 'rarely'
  /** How much later than in the control window an alert may be notified; more is a deviation. */
  readonly delay: Duration
  /** How soon after the end of the faults all is as it was: gossip with every member, every service healthy. Default 2m. */
  readonly healed?: Duration
}

/** A scenario, as a file's default export. Returned as it is; the call gives types and completion. */
export const drill = (scenario: Scenario): Scenario => scenario

/** A fleet as scenarios see it. */
export interface DrillFleet {
  readonly prometheus: readonly DrillMember[]
  readonly alertmanagers: readonly DrillMember[]
  /** The lab that its machines live in; left out elsewhere. */
  readonly lab?: string
}
/** One service on one machine. */
export interface DrillMember {
  readonly host: Host
  /** Its systemd unit. */
  readonly unit: string
  readonly endpoint: Endpoint
  /** The port of its web server. */
  readonly port: number
  /** Where others reach it; an IP address, or a name. */
  readonly address: string
  /** The folder of its data, and its configuration file. */
  readonly data: string
  readonly config: string
  /** Of a cluster: where it gossips. */
  readonly gossip?: { readonly address: string; readonly port: number }
}

/** The first of these, and as many as are wanted. Throws DoesNotApply where there are fewer. */
export const some = <T>(members: readonly T[], count: number, what: string): readonly T[] => {
  if (members.length >= count) return members.slice(0, count)
  throw new DoesNotApply(`it takes ${count} ${what}, and the fleet has ${members.length}`)
}
