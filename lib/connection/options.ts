import type { Connection, Duration, Host } from '../model.ts'

export interface ConnectOptions {
  /** The only file of host keys that counts: `--known-hosts`. Default: UserKnownHostsFile, ~/.ssh/known_hosts and /etc/ssh/ssh_known_hosts. */
  readonly knownHosts?: string
  /** The private key that is tried first: `--private-key`. */
  readonly privateKey?: string
  /** Remember the key of a host that has none in known_hosts yet. A changed key is refused all the same. */
  readonly acceptNewHostKeys?: boolean
  /** Read instead of ~/.ssh/config and /etc/ssh/ssh_config. */
  readonly configFile?: string
  /** No output of a script for this long ends the link; a script may ask for another limit. Default: none. */
  readonly idle?: Duration
  /** Gives up connecting. */
  readonly signal?: AbortSignal
}

/** What a connection has cost so far. */
export interface Cost {
  readonly execs: number
  /** Bytes of scripts and of what they read from standard input. */
  readonly pushedBytes: number
  /** HTTP requests. */
  readonly requests: number
}
export type CountedConnection = Connection & {
  readonly cost: Cost
  /** Why its login is of no more use, or null. */
  gone(): string | null
}
/** A login on a host. */
export type Login = CountedConnection & {
  /** Another connection over this login, with a count of its own. What it begins ends with the login; to close it closes nothing. */
  share(host: Host): CountedConnection
}
