import type { ReleaseOf } from '../model.ts'
import type { FlagVersions } from './flag-versions.ts'
import type { Flags } from './flags.ts'
import type { Needs } from './sandbox.ts'

/** A program that shows metrics of something else, as data: all that is to know to run it, scrape it and be alerted by it. */
export interface Exporter {
  /** What inventories call it, and the job of its metrics: `redis`. */
  readonly name: string
  readonly summary: string
  /** Its first binary is the one that runs; its name is that of the service and of the account. */
  readonly release: ReleaseOf
  /** The distribution's package of it; with it, `source: package` takes it from there. */
  readonly package?: ExporterPackage
  /** The port that its project gives it. */
  readonly port: number
  /** The flag of its listener; default: `web.listen-address`. Of several, the first that the version knows by `flagVersions`. */
  readonly listenFlag?: string | readonly string[]
  /** Where it has no flag for that: environment variables of the address and the port that it listens to. */
  readonly listenEnvironment?: { readonly address: string; readonly port: string }
  /** It reads flags by Go's own `flag`, where a boolean is `--flag=false`: always, or before this version. Default: by kingpin, as `--no-flag`. */
  readonly goFlags?: true | { readonly until: string }
  /** Flags that it is always given. */
  readonly flags?: Flags
  /** Flags that not every version has. */
  readonly flagVersions?: FlagVersions
  /** The flag of the web configuration file (TLS, passwords), chosen as the listener's; null where it reads none. Default: `web.config.file`. */
  readonly webConfigFlag?: string | readonly string[] | null
  /** Its configuration file; left out where it reads none. */
  readonly config?: ExporterConfig
  /** Environment variables that it reads, and what each is. */
  readonly environment?: Readonly<Record<string, string>>
  /** Flags that would show a secret to everybody on the machine, and what to write instead. */
  readonly secretFlags?: Readonly<Record<string, string>>
  /** Default: `/metrics`. */
  readonly metricsPath?: string
  /** Further fields of its scrape config. */
  readonly scrapeConfig?: Readonly<Record<string, unknown>>
  /** The metric that is 0 where what it asks does not answer: `redis_up`. */
  readonly up?: string
  /** What else it listens to. */
  readonly alsoListens?: readonly { readonly port: number; readonly protocol: 'tcp' | 'udp' }[]
  /** It asks targets that the request names. */
  readonly probe?: ExporterProbe
  /** Folders of its data, which are its account's. They stay when it goes. */
  readonly folders?: readonly string[]
  /** Packages that its work needs. */
  readonly packages?: readonly string[]
  /** What its work needs otherwise than all services of ours, and why. */
  readonly sandbox?: Needs & { readonly why: string }
  /** Default: an account of its own. */
  readonly runsAs?: 'root'
  /** Alerting rules: a file with one group. */
  readonly alerts?: URL
}
export interface ExporterPackage {
  readonly name: string
  /** Where its binary is. */
  readonly binary: string
  /** Its own unit, without `.service`, which must not run beside ours; default: the package's name. */
  readonly unit?: string
}
export interface ExporterConfig {
  readonly flag: string
  /** What is written where the inventory has none. */
  readonly default?: Readonly<Record<string, unknown>>
  /** It does not start without one. */
  readonly needed?: boolean
  /** Flags with which it only checks the file that `flag` names. */
  readonly check?: readonly string[]
  /** It reads it again on SIGHUP. */
  readonly reloads?: boolean
}
export interface ExporterProbe {
  /** `/probe`. */
  readonly path: string
  /** The parameter that names what to ask it with: a module of its configuration. */
  readonly module?: string
  /** Whether a probe without one is a mistake. */
  readonly moduleNeeded?: boolean
}

/** An exporter. Returned as it is; the call gives types and completion. @public */
export const exporter = (definition: Exporter): Exporter => definition
