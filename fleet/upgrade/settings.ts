import type { ReleaseOf, Role } from '../../lib/model.ts'

/** A role whose version a roll can change. */
export interface Released extends Role {
  readonly release: ReleaseOf
}

/** Those of a list. */
export const releasedRoles = (roles: readonly Role[]): readonly Released[] =>
  roles.filter((role): role is Released => role.release !== undefined)

/** Versions by the inventory variable that holds them: the role's key. */
export type Versions = Readonly<Record<string, string>>

/** How a roll goes. */
export interface RollSettings {
  /** How many go at once where that may be more than one; Alertmanagers always go one at a time. */
  readonly serial?: number
  /** How many hosts may fail before the roll stops. */
  readonly maxFail?: number
  /** Hosts that go before all others. */
  readonly canaries?: readonly string[]
}
/** What a roll was started with, kept in its run's folder so that it can be resumed. */
export interface RollWish {
  /** The inventory's paths, absolute. */
  readonly inventory: readonly string[]
  readonly limit?: string
  readonly versions: Versions
  readonly serial?: number
  readonly maxFail?: number
  readonly canaryFirst?: boolean
  readonly allowOneWay?: boolean
}
