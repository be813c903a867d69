/** What a ledger writes down, in order; everything that it says of a run is worked out from these lines. `at` is milliseconds of the controller's clock. */
export type LedgerEvent = { readonly at: number } & (Sent | Ended | Notified | LinkLost | LinkBack | Foreign | Closed)

/** A machine has the canary's metric on disk. */
interface Sent {
  readonly what: 'sent'
  readonly canary: string
  readonly silenced: boolean
  /** The clusters that each are to notify it; left out where there is one. */
  readonly ways?: readonly string[]
}
/** The metric was taken away. */
interface Ended {
  readonly what: 'ended'
  readonly canary: string
}
export interface Notified {
  readonly what: 'notified'
  readonly canary: string
  readonly status: 'firing' | 'resolved'
  /** Tells alerts with the same canary and other labels apart: those of several shards. */
  readonly fingerprint: string
  /** The host whose Alertmanager sent it. */
  readonly host: string
  /** The cluster of that Alertmanager, where there are several. */
  readonly way?: string
  /** The webhook's message as it came. */
  readonly body?: unknown
}
/** The link to an Alertmanager's host broke. */
interface LinkLost {
  readonly what: 'link-lost'
  readonly host: string
  readonly why: string
}
interface LinkBack {
  readonly what: 'link-back'
  readonly host: string
}
/** A notification that is no canary's of this run. */
interface Foreign {
  readonly what: 'foreign'
  readonly host: string
  readonly body: unknown
}
/** No notification is waited for any more. */
interface Closed {
  readonly what: 'closed'
}

type WithoutTime<E> = E extends unknown ? Omit<E, 'at'> : never
/** Writes an event down with the time at which it happens. */
export type Note = (event: WithoutTime<LedgerEvent>) => void
