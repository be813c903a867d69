import type { Endpoint } from '../api/endpoint.ts'
import type { Connection, Host, Reach } from '../model.ts'

/** What of a fleet takes part when alerts are watched. */
export interface WatchedFleet {
  readonly alertmanagers: readonly WatchedAlertmanager[]
  /** Where canaries come in: one for each shard, or one for all. */
  readonly entries: readonly Entry[]
  readonly pace: Pace
  /**
   * Prepares what others have deployed, for as long as it is watched; asked before anything else. Returns what is known of it. Throws HostError where
   * that can't be done.
   */
  prepare?(reach: Reach, names: CanaryNames): Promise<Prepared>
}
/** What canary alerts are called in the rule and on their way, and the receiver that takes them. */
export interface CanaryNames {
  readonly alert: string
  readonly receiver: string
}
export interface Prepared {
  /** How long the last member waits for all others, where they are others'; 0 where none is. */
  readonly peerWaitMs: number
  /** Takes it back where nothing better has come in its place. Returns where that failed, and why; throws nothing a host can cause. */
  giveBack(): Promise<readonly { readonly host: string; readonly why: string }[]>
}
/** Prometheus servers that scrape the same targets, and where the metrics of their canaries can stand. */
export interface Entry {
  /** null where targets are not spread over shards. */
  readonly shard: string | null
  readonly prometheus: readonly Endpoint[]
  /** Machines whose node_exporter reads metrics from files, the better ones first. */
  readonly machines: readonly TextfileHost[]
  /** The job that reads canaries there; default: any that scrapes the machine. */
  readonly job?: string
}
export interface WatchedAlertmanager {
  readonly endpoint: Endpoint
  /** The port of its host's loopback that its receiver for canaries sends to. */
  readonly port: number
  /** The token that its receiver for canaries sends; null where there is none yet. */
  token(connection: Connection): Promise<string | null>
  /** What a receiver sends that is lent to it for this run: taken as well as the token. */
  readonly lentToken?: string
  /**
   * The cluster that it is of, where canaries go to several: each canary is then to be notified once by each. Left out where there is one.
   */
  readonly way?: string
  /** Why it is not prepared, and what to do; asked beside what is asked of every Alertmanager. */
  unprepared?(reach: Reach): Promise<{ readonly why: string; readonly fix: string } | null>
}
export interface TextfileHost {
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
