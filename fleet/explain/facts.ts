/** What the servers of a fleet say of their alerts, as far as it decides who is notified. */
import type { HeldAlert, Silence } from '../../lib/api/alertmanager.ts'
import type { RuleGroup } from '../../lib/api/prometheus.ts'
import type { Sample } from '../../lib/gates/series.ts'
import type { Labels } from '../../lib/routing/matcher.ts'
import type { RelabelStep } from '../../lib/routing/relabel.ts'
import type { Router } from '../../lib/routing/routes.ts'

export interface PrometheusFacts {
  readonly host: string
  readonly groups: readonly RuleGroup[]
  readonly external: Labels
  readonly steps: readonly RelabelStep[]
  readonly dotAll: boolean
  /** `host:port` of the Alertmanagers that it sends to. */
  readonly sendsTo: readonly string[]
  /** Alerts that it could not send, by the address that it sent them to, since it started. */
  readonly errors: readonly Sample[]
  /** Alerts that it gave up, since it started. */
  readonly dropped: number
  /** Whether it runs the config that it was given last. */
  readonly reloaded: boolean
}
export interface AlertmanagerFacts {
  readonly host: string
  /** `host:port`, as a Prometheus has it. */
  readonly place: string
  readonly router: Router
  /** Its receivers, with the kinds of integration that each has: `webhook`, `email`. */
  readonly receivers: ReadonlyMap<string, readonly string[]>
  readonly alerts: readonly HeldAlert[]
  readonly silences: readonly Silence[]
  /** How many members it sees, itself included; null where it is no cluster's. */
  readonly members: number | null
  /** Notifications that failed since it started, by `integration`, and from 0.26 on by `reason`. */
  readonly failed: readonly Sample[]
  /** Notifications tried since it started, by `integration`. */
  readonly tried: readonly Sample[]
  /** Alerts that it refused since it started. */
  readonly invalid: number
  readonly reloaded: boolean
  /** Its clock, milliseconds since the epoch. */
  readonly now: number
}
export interface Facts {
  readonly prometheus: readonly PrometheusFacts[]
  readonly alertmanagers: readonly AlertmanagerFacts[]
  /** Servers that did not answer, and why. */
  readonly silent: readonly {
    readonly host: string
    readonly service: 'prometheus' | 'alertmanager'
    readonly why: string
  }[]
  /** How many Alertmanagers the inventory has. */
  readonly members: number
}

/** `nobody`: it keeps the alert from being notified. `twice`: it brings more than one notification. `fine`: nothing does. */
export interface Cause {
  readonly id: string
  readonly effect: 'nobody' | 'twice' | 'fine'
  readonly what: string
  readonly fix: string
}
