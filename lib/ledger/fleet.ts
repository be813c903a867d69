import type { Endpoint } from '../api/endpoint.ts'
import type { Host } from '../model.ts'

/** What of a fleet takes part when alerts are watched. */
export interface WatchedFleet {
  readonly alertmanagers: readonly WatchedAlertmanager[]
  readonly prometheus: readonly Endpoint[]
  /** Machines whose node_exporter reads metrics from files, the better ones first. */
  readonly machines: readonly Machine[]
  readonly pace: Pace
}
export interface WatchedAlertmanager {
  readonly endpoint: Endpoint
  /** The port of its host's loopback that its receiver for canaries sends to. */
  readonly port: number
  /** The file on its host with the token that its receiver for canaries sends. */
  readonly tokenFile: string
}
export interface Machine {
  readonly host: Host
  readonly folder: string
  /** What Prometheus scrapes there, as `address:port`. */
  readonly address: string
}
/** How long each part of the way takes. Milliseconds. */
export interface Pace {
  /** From one canary to the next. */
  readonly everyMs: number
  /** The longest time between two scrapes of the metric. */
  readonly scrapeMs: number
  /** How often the canary rule is evaluated. */
  readonly evaluateMs: number
  /** How soon after its first notification a canary is looked at again. */
  readonly groupIntervalMs: number
  /** How long the last member waits for all others to notify first. */
  readonly peerWaitMs: number
}
