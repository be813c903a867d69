import type { Host } from '../../lib/model.ts'
import { joined } from '../../lib/program/web.ts'

/** A job over the hosts of a group: one file of targets, and the scrape config that reads it. */
export interface Job {
  readonly name: string
  readonly targets: readonly Target[]
  /** Fields of its scrape config. */
  readonly config: Readonly<Record<string, unknown>>
}
export interface Target {
  readonly address: string
  readonly labels: Readonly<Record<string, string>>
}

/** A host's port as a target: `instance` is the host's name and the port. */
export const targetOf = (
  host: Host,
  { port, labels }: { readonly port: number; readonly labels: Readonly<Record<string, string>> },
): Target => ({ address: joined(host.address, port), labels: { instance: joined(host.name, port), ...labels } })
