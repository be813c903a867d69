/** The programs whose versions a roll can change, by the inventory variable that holds them. */
export const PROGRAMS = ['prometheus', 'alertmanager', 'node_exporter'] as const
export type Program = (typeof PROGRAMS)[number]
export type Versions = Readonly<Partial<Record<Program, string>>>

/** How a roll goes. */
export interface RollSettings {
  /** How many Prometheus and other machines go at once; Alertmanagers always go one at a time. */
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
