import type { Matcher } from './matcher.ts'
import type { Case, TeamFile } from './team-schema.ts'

/** One set of matchers that a team owns. */
export interface Claim {
  readonly matchers: readonly Matcher[]
  /** Where it was written: `file:line:column`. */
  where(): string
}
export interface Notify {
  readonly severities: readonly string[]
  readonly hours?: string
  readonly to: readonly string[]
}
export interface Team {
  readonly name: string
  readonly isDefault: boolean
  readonly claims: readonly Claim[]
  /** Receiver blocks by the team's own names for them. */
  readonly receivers: TeamFile['receivers']
  readonly notify: readonly Notify[]
  readonly escalation?: {
    readonly after: string
    readonly severities: readonly string[]
    readonly to: readonly string[]
  }
  readonly times: TeamFile['times']
  readonly mute: readonly string[]
  readonly grouping: TeamFile['grouping']
  /** Where a part of it was written: `file:line:column`. */
  where(path: readonly (string | number)[]): string
}
export interface PlacedCase extends Case {
  /** Where it was written: `file:line:column`. */
  where(): string
}
export interface Teams {
  readonly teams: readonly Team[]
  /** Cases of `*.test.yml` and of all teams. */
  readonly cases: readonly PlacedCase[]
}
