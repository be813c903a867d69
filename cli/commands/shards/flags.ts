import type { CommonFlags } from '../../options.ts'

export interface ShardsFlags extends Omit<CommonFlags, 'inventory'> {
  readonly action: 'rules' | 'plan' | 'verify' | 'move'
  readonly inventory?: readonly string[]
  readonly labels?: readonly string[]
  readonly rules?: string
  readonly within: string
  readonly to?: string
  readonly undo: boolean
  readonly out?: string
  readonly exitCode: boolean
  readonly overlap: string
  readonly alertsWithin: string
  readonly yes: boolean
  readonly diff: boolean
  readonly watchAlerts: boolean
  readonly silence: readonly string[]
  readonly breakLock: readonly string[]
}
