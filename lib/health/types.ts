import type { Facts, ProgramStatus } from '../model.ts'

/** A row of `status`: one role on one host. Fields that don't apply, or aren't known, are left out. */
export interface InstanceStatus {
  readonly instance: string
  readonly role: string
  readonly part?: string
  readonly healthy: boolean
  /** What is wrong with itself, one entry a question that was answered no. */
  readonly failing: readonly string[]
  /** What else makes it unhealthy: `am-2 alertmanager`, a host that can't be read, a split cluster. */
  readonly because?: readonly string[]
  readonly ready?: boolean
  /** `running`, or another of systemd's words; `missing` where there is no such unit. */
  readonly service?: string
  /** The version of the process, and the one that is chosen on disk. A binary from elsewhere is named by its path. */
  readonly version?: { readonly running?: string; readonly disk?: string }
  readonly members?: ProgramStatus['members']
  /** Whether what it has loaded is what is on disk, as the inventory wants it; if not, which files. */
  readonly config?: { readonly inForce: boolean; readonly why?: string }
  readonly targets?: ProgramStatus['targets']
  readonly alerts?: number
  readonly replay?: string
  /** Columns of its role's own, by their heads. */
  readonly shows?: ProgramStatus['shows']
  /** When the certificate of its web server ends, RFC 3339; left out where the fleet's authority has issued it none. */
  readonly certificate?: { readonly until: string }
  /** RFC 3339, the host's clock. */
  readonly startedAt?: string
  readonly uptimeSeconds?: number
  /** How many tasks of this instance a plan would change. */
  readonly drift?: number
}
export interface HostStatus {
  readonly reachable: boolean
  /** Why it could not be reached or read. */
  readonly why?: string
  /** The ids of the tasks that a plan would change. */
  readonly changes?: readonly string[]
  readonly facts?: Facts
}
export interface FleetStatus {
  readonly vestal: 'status/1'
  readonly inventory: string
  /** RFC 3339. */
  readonly at: string
  readonly healthy: boolean
  readonly instances: readonly InstanceStatus[]
  readonly hosts: Readonly<Record<string, HostStatus>>
  /** Each leg of each path of alerts; left out where they were not asked about. */
  readonly paths?: readonly PathStatus[]
  /** What only the whole fleet shows: partitions, a missing member, versions mixed, a run under way. */
  readonly notes: readonly string[]
}
/** A leg of the paths of alerts: from a Prometheus to an Alertmanager, or from one of these to receivers. */
export interface PathStatus {
  readonly from: string
  /** The Alertmanager; of a leg to `receivers`, their kind: `webhook`. */
  readonly to: string
  readonly receivers?: true
  /**
   * `broken`: all that went this way failed, or the heartbeat is not there. `fails`: some did. `idle`: nothing went this way. `unknown`: nobody has counted.
   */
  readonly state: 'works' | 'fails' | 'broken' | 'idle' | 'unknown'
  readonly why?: string
}
