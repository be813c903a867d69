import type { CommonFlags } from '../../options.ts'

export interface ShardsFlags extends Omit<CommonFlags, 'inventory'> {
  readonly action: 'rules'
  readonly inventory?: readonly string[]
  readonly labels?: readonly string[]
  readonly rules?: string
}
