import type { Kind, Task } from '../model.ts'
import { pending } from './pending.ts'

export type ServiceState = Readonly<{
  enabled: boolean
  masked: boolean
  active: string
  executable: string
  command: string
  started: string
  loaded: string
}>
export interface ServiceOptions {
  /** The exact argument list; the first is the binary's path, maybe through links. */
  readonly command: readonly string[]
  /** The real path of the binary that must run, links resolved. */
  readonly executable?: string
  /** The task that writes its unit file. */
  readonly unit: Task
  /** File and directory tasks whose content it reads at start and on reload. */
  readonly loads?: readonly Task[]
  /** File tasks whose content it reads at start only. */
  readonly restartsOn?: readonly Task[]
  readonly enabled?: boolean
  readonly running?: boolean
  /** Whether `systemctl reload` makes it read `loads` again; otherwise it is restarted. */
  readonly reloads?: boolean
}
export interface ServiceData {
  readonly options: ServiceOptions
}

export const serviceKind: Kind<ServiceState, ServiceData> = pending('service', '')

/** A systemd service in the state it must be in: the running process itself is compared, so no handler is needed. */
export const service = (name: string, options: ServiceOptions): Task<ServiceState, ServiceData> => ({
  kind: serviceKind,
  key: name,
  desired: { enabled: options.enabled ?? true, masked: false },
  data: { options },
})
