import type { CommonFlags } from '../../options.ts'

export interface DrillFlags extends Omit<CommonFlags, 'inventory'> {
  readonly scenarios: readonly string[]
  readonly inventory?: readonly string[]
  readonly list: boolean
  readonly all: boolean
  readonly force: boolean
  readonly yes: boolean
  readonly control: string
  readonly set: readonly string[]
  readonly pages: boolean
  readonly metrics?: string
  readonly at?: string
  readonly tenant?: string
  readonly name?: string
  readonly textfile?: string
}
/** What the first word can be beside a scenario. */
export const HEAL = 'heal'
export const ROUTES = 'routes'
export const SCHEDULE = 'schedule'
export const DEFAULT_CONTROL = '20s'
